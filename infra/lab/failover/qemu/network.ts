/**
 * A management network of network namespaces: a switch, and per host a cable, the bridge `ovirtmgmt` and a tap for the
 * engine VM (lab.md 3). Needs root; touches nothing outside its own namespaces.
 */
import { execFileSync } from 'node:child_process';

const NET = '10.77.0';
const PREFIX = 'bw-lab-';
/** Interface names have 15 bytes at most; they are the same in each namespace. */
const TAP = 'vnet0';

export const SWITCH_ADDRESS = `${NET}.254`;
export const VM_ADDRESS = `${NET}.100`;
export const VM_TAP = TAP;
export const VM_BRIDGE = 'ovirtmgmt';

function ip(...args: readonly string[]): string {
  return execFileSync('ip', args, { encoding: 'utf8', stdio: 'pipe' });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Deletes the namespaces of labs whose process is gone without having done so. */
function sweep(): void {
  for (const line of ip('netns', 'list').split('\n')) {
    const [, name, pid] = /^(bw-lab-(\d+)-\S+)/.exec(line) ?? [];
    if (name !== undefined && !isAlive(Number(pid))) ip('netns', 'del', name);
  }
}

let count = 0;

export class Networks {
  readonly #base = `${PREFIX}${process.pid}-${(count += 1)}`;
  readonly #hosts: readonly string[];

  /** @param hosts names; the n-th gets the address 10.77.0.n */
  constructor(hosts: readonly string[]) {
    this.#hosts = hosts;
  }

  /** @throws Error of `ip` */
  open(): void {
    sweep();
    const sw = this.#switch;
    ip('netns', 'add', sw);
    ip('-n', sw, 'link', 'set', 'lo', 'up');
    ip('-n', sw, 'link', 'add', 'br0', 'type', 'bridge', 'stp_state', '0', 'forward_delay', '0');
    ip('-n', sw, 'link', 'set', 'br0', 'up');
    ip('-n', sw, 'addr', 'add', `${SWITCH_ADDRESS}/24`, 'dev', 'br0');
    for (const [at, host] of this.#hosts.entries()) this.#plug(host, at + 1);
  }

  #plug(host: string, number: number): void {
    const ns = this.#of(host);
    const bridge = VM_BRIDGE;
    ip('netns', 'add', ns);
    ip('-n', ns, 'link', 'set', 'lo', 'up');
    ip('link', 'add', host, 'netns', this.#switch, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', ns);
    ip('-n', this.#switch, 'link', 'set', host, 'master', 'br0', 'up');
    ip('-n', ns, 'link', 'add', bridge, 'type', 'bridge', 'stp_state', '0', 'forward_delay', '0');
    ip('-n', ns, 'link', 'set', 'eth0', 'master', bridge, 'up');
    ip('-n', ns, 'tuntap', 'add', TAP, 'mode', 'tap');
    ip('-n', ns, 'link', 'set', TAP, 'master', bridge, 'up');
    ip('-n', ns, 'link', 'set', bridge, 'up');
    ip('-n', ns, 'addr', 'add', `${NET}.${number}/24`, 'dev', bridge);
  }

  get #switch(): string {
    return `${this.#base}-sw`;
  }

  #of(host: string): string {
    return `${this.#base}-${host}`;
  }

  /** What to put before a command so that it runs there; `ip` becomes that command and keeps its pid. */
  inside(host: string): readonly string[] {
    return ['ip', 'netns', 'exec', this.#of(host)];
  }

  /** As a machine beside the hosts sees the network. */
  insideSwitch(): readonly string[] {
    return ['ip', 'netns', 'exec', this.#switch];
  }

  /** Pulls the host's cable out of the switch, or puts it back. */
  cable(host: string, up: boolean): void {
    ip('-n', this.#switch, 'link', 'set', host, up ? 'up' : 'down');
  }

  /** Everything that runs inside must have ended, else its namespace lives on unnamed until it does. */
  close(): void {
    const mine = ip('netns', 'list')
      .split('\n')
      .map((line) => line.split(' ')[0] ?? '');
    for (const name of mine.filter((each) => each.startsWith(`${this.#base}-`))) ip('netns', 'del', name);
  }
}
