/** L4: start attempts per failover <= hosts + 1; never more than one host in "starting" for more than a lease round. */
import type { Order, SimHost, World } from './world/world.ts';

type Violated = (id: string, text: string) => void;

export class Starts {
  private readonly world: World;
  private readonly violated: Violated;
  private attempts = 0;
  private severalSinceMs: number | undefined;

  constructor(world: World, violated: Violated) {
    this.world = world;
    this.violated = violated;
  }

  /** The bound is for failovers that are left to themselves: what is tried while troubles come and go has no bound. */
  disturbed(): void {
    this.attempts = 0;
  }

  started(): void {
    this.attempts = 0;
  }

  ordered({ host, action, rule }: Order): void {
    // What VDSM refuses for no reason of the cluster's is no attempt of the cluster's.
    if (action.kind !== 'start' || host.createFault !== 'none') return;
    this.attempts += 1;
    const most = this.world.hosts.length + 1;
    if (this.world.troubles === 0 && this.attempts > most)
      this.violated(
        'L4',
        `host ${host.id} (${rule}) makes attempt ${this.attempts} to start the VM, at most ${most} are meant`,
      );
  }

  check(): void {
    const { now, timing, hosts } = this.world;
    let starting = 0;
    for (const host of hosts) if (isStarting(host)) starting += 1;
    if (starting < 2) {
      this.severalSinceMs = undefined;
      return;
    }
    this.severalSinceMs ??= now;
    // The longest that sanlock takes to give a dead host's lease away.
    const { ioSeconds, watchdogSeconds } = timing.profile;
    const roundMs = (10 * ioSeconds + watchdogSeconds + 1) * 1000;
    if (now - this.severalSinceMs > roundMs)
      this.violated(
        'L4',
        `${starting} hosts are starting the VM for ${Math.round((now - this.severalSinceMs) / 1000)} s`,
      );
  }
}

/** The reference's agents all start at once, and wait as long as they like. */
const isStarting = (host: SimHost) => host.kind === 'bellwether' && host.vm?.state === 'launching';
