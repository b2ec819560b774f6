/**
 * L8: everybody's explanation of the same event agrees on cause and order, once all is quiet.
 *
 * The cause of a start, a stop or a migration stands in the journal of the host that ordered it, and in no other; the others
 * say where the VM is. So, from the moment all was healed: each order has one record with its rule; the hosts that a worker names
 * one after the other as the VM's are those to which it really went or was about to go, in that order; and in the
 * end all name the same host, the true one.
 */
import type { JournalEntry } from '../../workers/host/env.ts';
import type { Order, SimHost, World } from './world/world.ts';

type Violated = (id: string, text: string) => void;

export class Explanations {
  private readonly world: World;
  private readonly violated: Violated;
  private sinceMs = Number.POSITIVE_INFINITY;
  /** Hosts to which the VM went or was about to go. */
  private truth: number[] = [];
  private readonly told = new Map<number, number[]>();
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
    this.truth = world.hosts.filter((host) => host.vm !== undefined && host.vm.state !== 'down').map((host) => host.id);
  }

  private mixed(): boolean {
    return this.world.hosts.some((host) => host.kind === 'reference');
  }

  came(host: SimHost): void {
    if (this.sinceMs !== Number.POSITIVE_INFINITY) this.truth.push(host.id);
  }

  ordered({ host, action }: Order): void {
    if (this.sinceMs === Number.POSITIVE_INFINITY) return;
    if (action.kind === 'start') this.truth.push(host.id);
    if (action.kind === 'migrate') this.truth.push(action.to);
    if (host.kind === 'bellwether' && this.world.now >= this.sinceMs) this.orders += 1;
  }

  journalled(host: SimHost, entry: JournalEntry): void {
    if (this.world.now < this.sinceMs) return;
    const [reason] = entry.reasons;
    if (entry.order !== undefined) this.records += 1;
    const named =
      entry.order?.kind === 'start'
        ? host.id
        : reason?.rule === 'runs-elsewhere'
          ? Number(reason.inputs['host'])
          : undefined;
    if (named === undefined) return;
    const list = this.told.get(host.id) ?? [];
    if (list.at(-1) !== named) list.push(named);
    this.told.set(host.id, list);
  }

  /** After peace. */
  check(): void {
    const { world } = this;
    if (this.orders !== this.records)
      this.violated('L8', `${this.orders} orders were given, the journals hold ${this.records}`);
    for (const [id, told] of this.told) {
      let at = 0;
      for (const host of this.truth) if (host === told[at]) at += 1;
      if (at < told.length)
        this.violated('L8', `by host ${id} the VM went to ${told.join(', ')}; it went to ${this.truth.join(', ')}`);
    }
    const [owner] = world.executing();
    for (const host of world.hosts) {
      const last = host.main.worker?.agent?.last();
      if (last === undefined || owner === undefined) continue;
      const [reason] = last.decision.reasons;
      const says =
        reason?.rule === 'runs-elsewhere'
          ? Number(reason.inputs['host'])
          : last.observation.vm?.state === 'up'
            ? host.id
            : 0;
      if (says !== owner.id)
        this.violated(
          'L8',
          `host ${host.id} explains ${reason?.rule} (the VM is on host ${says}), but it runs on host ${owner.id}`,
        );
    }
  }
}
