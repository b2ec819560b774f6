/**
 * The guest under libvirt, whose lock manager is sanlock, as oVirt runs it: the start takes the lease that the domain XML
 * names, and qemu owns it (lab.md 2). libvirt's qemu is nobody's child: a guard ends it when this process dies.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { XMLBuilder } from 'fast-xml-parser';
import { LEASE_REFUSED } from '../../vdsm/engine-process.ts';
import { guestWords, LEASE_FAILED, type Machine, type VmOrder } from './settings.ts';

const run = promisify(execFile);
const NAME = 'HostedEngine';
const POLL_MS = 50;
/** libvirt needs a moment to see that an earlier one is gone. */
const FORGET_MS = 5000;

const attribute = (values: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [`@${key}`, value]));

function domainXml(order: VmOrder): string {
  const { settings, lease, uuid } = order;
  const disk = {
    ...attribute({ type: 'file', device: 'disk' }),
    driver: attribute({ name: 'qemu', type: 'raw', cache: 'none', io: 'native' }),
    source: attribute({ file: settings.disk }),
    target: attribute({ dev: 'vda', bus: 'virtio' }),
    // qemu's own lock on the disk would hide two VMs at once on this one machine: the lease alone is tested.
    shareable: '',
  };
  const devices = {
    emulator: settings.qemu,
    disk,
    lease: {
      lockspace: lease.lockspace,
      key: lease.name,
      target: attribute({ path: lease.path, offset: `${lease.offset}` }),
    },
    interface: {
      ...attribute({ type: 'bridge' }),
      mac: attribute({ address: '52:54:00:77:00:64' }),
      source: attribute({ bridge: settings.bridge }),
      model: attribute({ type: 'virtio' }),
    },
    serial: {
      ...attribute({ type: 'file' }),
      source: attribute({ path: `${settings.runDir}/q${order.token}.serial` }),
    },
    memballoon: attribute({ model: 'none' }),
  };
  const domain = {
    ...attribute({ type: 'qemu' }),
    name: NAME,
    uuid,
    memory: { ...attribute({ unit: 'MiB' }), '#text': `${settings.memoryMb}` },
    vcpu: '1',
    os: {
      type: { ...attribute({ arch: 'x86_64', machine: 'q35' }), '#text': 'hvm' },
      kernel: settings.kernel,
      initrd: settings.initrd,
      cmdline: guestWords(order),
    },
    features: { acpi: '' },
    on_poweroff: 'destroy',
    on_reboot: 'destroy',
    on_crash: 'destroy',
    on_lockfailure: 'poweroff',
    devices,
  };
  return new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@' }).build({ domain });
}

/** True while the process runs; one that has ended and waits to be reaped does not. */
function runs(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Kills qemu when this process dies, however that happens: then its standard input ends. `runDir` says whose it is. */
function guard(pid: number, runDir: string): ChildProcess {
  const script = 'read -r word; kill -9 "$1"';
  return spawn('sh', ['-c', script, 'sh', `${pid}`, runDir], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
}

class LibvirtMachine implements Machine {
  readonly up: Promise<number | undefined>;
  readonly ended: Promise<number>;
  readonly #order: VmOrder;
  readonly #runFolder: string;
  #pid: number | undefined;
  #asked = false;
  #killed = false;
  #code = LEASE_FAILED;

  constructor(order: VmOrder, runFolder: string) {
    this.#order = order;
    this.#runFolder = runFolder;
    this.up = this.#start();
    this.ended = this.#watch();
  }

  #virsh(...args: readonly string[]) {
    return run('virsh', ['-q', '-c', `qemu+unix:///system?socket=${this.#runFolder}/libvirt-sock`, ...args]);
  }

  async #start(): Promise<number | undefined> {
    const { settings, token } = this.#order;
    const file = `${settings.runDir}/q${token}.xml`;
    writeFileSync(file, domainXml(this.#order));
    const endMs = performance.now() + FORGET_MS;
    for (;;) {
      const why = await this.#virsh('create', file).then(
        () => '',
        (error: unknown) => String(error),
      );
      if (why === '') break;
      process.stdout.write(`${why}\n`);
      if (/Lease is held by another host/.test(why)) this.#code = LEASE_REFUSED;
      if (!/already (exists|active)/.test(why) || performance.now() > endMs) return undefined;
      await sleep(POLL_MS);
    }
    this.#pid = Number(readFileSync(`${this.#runFolder}/qemu/${NAME}.pid`, 'utf8'));
    return this.#pid;
  }

  async #watch(): Promise<number> {
    const pid = await this.up;
    if (pid === undefined) return this.#code;
    const keeper = guard(pid, this.#order.settings.runDir);
    if (this.#killed) this.kill();
    while (runs(pid)) await sleep(POLL_MS);
    keeper.kill('SIGKILL');
    // A guest that shuts down by itself looks the same from here; the lab's guest does not.
    return this.#asked ? 0 : 1;
  }

  powerDown(): void {
    this.#asked = true;
    if (this.#pid === undefined) this.kill();
    else void this.#virsh('shutdown', NAME, '--mode', 'acpi').catch(() => undefined);
  }

  kill(): void {
    this.#killed = true;
    if (this.#pid !== undefined && runs(this.#pid)) process.kill(this.#pid, 'SIGKILL');
  }
}

export function startLibvirt(order: VmOrder, runFolder: string): Machine {
  return new LibvirtMachine(order, runFolder);
}
