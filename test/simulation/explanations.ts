/**
 * L8: everybody's explanation of the same event agrees on cause and order, once all is quiet.
 *
 * The cause of a start, a stop or a migration stands in the journal of the host that ordered it; the others say where the VM
 * is. So, from a moment after all was healed: each order has its record; whenever a worker names another host as the
 * VM's, the VM was there, or about to be, no longer ago than a host may be silent; and in the end all name the same host, the
 * true one.
 */
import type { JournalEntry } from '../../workers/host/env.ts';
import type { Order, SimHost, World } from './world/world.ts';

type Violated = (id: string, text: string) => void;

const LATER = Number.POSITIVE_INFINITY;

export class Explanations {
  private readonly world: World;
  private readonly violated: Violated;
  private sinceMs = LATER;
  /** When the VM was last on a host, on its way there or ordered to start. */
  private readonly hadMs = new Map<number, number>();
  private orders = 0;
  private records = 0;

  constructor(world: World, violated: Violated) {
    this.world = world;
    this.violated = violated;
  }

  /** All is healed: from a moment later on nobody has an excuse. */
  begin(): void {
    const { world } = this;
    this.sinceMs = world.now + 5 * world.timing.beatMs + (this.mixed() ? 15_000 : 1000);
    this.look();
  }

  private mixed(): boolean {
    return this.world.hosts.some((host) => host.kind === 'reference');
  }

  /** After everything that may have moved the VM. */
  look(): void {
    if (this.sinceMs === LATER) return;
    for (const { id, vm } of this.world.hosts)
      if (vm !== undefined && vm.state !== 'down') this.hadMs.set(id, this.world.now);
  }

  ordered({ host, action }: Order): void {
    // Shown at once, also when VDSM refuses it a moment later.
    if (action.kind === 'start') this.hadMs.set(host.id, this.world.now);
    if (action.kind === 'migrate') this.hadMs.set(action.to, this.world.now);
    if (host.kind === 'bellwether' && this.world.now >= this.sinceMs) this.orders += 1;
  }

  journalled(host: SimHost, entry: JournalEntry): void {
    const { now, timing } = this.world;
    if (now < this.sinceMs) return;
    if (entry.order !== undefined) this.records += 1;
    const [reason] = entry.reasons;
    if (reason?.rule !== 'runs-elsewhere') return;
    const named = Number(reason.inputs['host']);
    this.look();
    const agoMs = now - (this.hadMs.get(named) ?? Number.NEGATIVE_INFINITY);
    const silentMs = this.mixed() ? timing.referenceDeadMs + 20_000 : timing.peerDeadBeats * timing.beatMs;
    if (agoMs > silentMs + 2 * timing.beatMs)
      this.violated(
        'L8',
        `host ${host.id} says that host ${named} has the VM; it was there ${Math.round(agoMs / 1000)} s ago`,
      );
  }

  /** After peace. */
  check(): void {
    const { world } = this;
    if (this.orders !== this.records)
      this.violated('L8', `${this.orders} orders were given, the journals hold ${this.records}`);
    const [owner] = world.executing();
    // On its way from one host to another it has no place to agree on.
    if (world.hosts.some(({ vm }) => vm?.state === 'leaving')) return;
    for (const host of world.hosts) {
      const last = host.main.worker?.agent?.last();
      if (last === undefined || owner === undefined) continue;
      const [reason] = last.decision.reasons;
      const own = last.observation.vm?.state === 'up' ? host.id : 0;
      const says = reason?.rule === 'runs-elsewhere' ? Number(reason.inputs['host']) : own;
      if (says !== owner.id)
        this.violated(
          'L8',
          `host ${host.id} explains ${reason?.rule} (the VM is on host ${says}), but it runs on host ${owner.id}`,
        );
    }
  }
}
