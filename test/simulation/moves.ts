/** L2 and L3: where the engine goes by its workers' own will, and how often. */
import { readBlock } from './blocks.ts';
import type { Order, SimHost, SimProcess, World } from './world/world.ts';

/** By the fastest of the hosts' clocks. */
const HOUR_MS = 3_600_000 * 0.98;
const PER_HOUR = 2;
const OWN_WILL = new Set(['network-lost-here', 'better-host']);
/** So many changes of a host's score are enough for the longest hold time. */
const KEPT = 200;

interface Move {
  readonly atMs: number;
  readonly host: SimHost;
  readonly process: SimProcess;
  readonly worker: SimProcess['worker'];
  readonly life: number;
}

type Violated = (id: string, text: string) => void;

export class Moves {
  private readonly world: World;
  private readonly violated: Violated;
  private moves: Move[] = [];
  /** Published scores: each with the moment from which it stood on the board. */
  private readonly scores = new Map<number, { readonly atMs: number; readonly score: number }[]>();

  constructor(world: World, violated: Violated) {
    this.world = world;
    this.violated = violated;
  }

  published(host: SimHost, bytes: Buffer): void {
    const slot = readBlock(host.id, bytes);
    if (slot.kind !== 'host') return;
    const list = this.scores.get(host.id) ?? [];
    if (list.at(-1)?.score === slot.report.score) return;
    list.push({ atMs: this.world.now, score: slot.report.score });
    if (list.length > KEPT) list.shift();
    this.scores.set(host.id, list);
  }

  ordered(order: Order): void {
    if (!OWN_WILL.has(order.rule) || (order.action.kind !== 'migrate' && order.action.kind !== 'shutdown')) return;
    this.count(order);
    if (order.rule === 'better-host') this.compare(order);
  }

  /**
   * L3. The budget is the cluster's, kept by what each mover announces. It is each worker's own where an earlier mover is
   * off, was restarted or cannot be read, or where nobody was meant to be (a second worker): what a dead man did is not known.
   */
  private count({ host, process }: Order): void {
    const { now } = this.world;
    this.moves = [
      ...this.moves.filter((move) => now - move.atMs < HOUR_MS),
      { atMs: now, host, process, worker: process.worker, life: host.life },
    ];
    const own = this.moves.filter((move) => move.worker === process.worker);
    const known = this.moves.every((move) => this.stillTells(move));
    const counted = known ? this.moves : own;
    if (counted.length > PER_HOUR)
      this.violated('L3', `${counted.length} moves within an hour, ${own.length} of them by host ${host.id}`);
  }

  private stillTells({ host, process, worker, life }: Move): boolean {
    const bytes = this.world.slots.get(host.id);
    const told = bytes !== undefined && bytes === process.written;
    return host.on && host.life === life && process.worker === worker && told && !process.second && host.path === 'ok';
  }

  /** L2: for all of the hold time some host was better by the threshold, as the board said. */
  private compare({ host }: Order): void {
    const { timing, now } = this.world;
    const slackMs = 2 * timing.beatMs + 2000;
    for (let at = now - timing.holdMs + slackMs; at <= now - slackMs; at += timing.beatMs) {
      const gap = this.bestOther(host.id, at) - this.scoreAt(host.id, at);
      if (gap < timing.threshold) {
        this.violated(
          'L2',
          `host ${host.id} moves the VM to a better host, but ${Math.round((now - at) / 1000)} s ago the gap was ${gap}`,
        );
        return;
      }
    }
  }

  private scoreAt(id: number, atMs: number): number {
    return this.scores.get(id)?.findLast((entry) => entry.atMs <= atMs)?.score ?? 0;
  }

  private bestOther(id: number, atMs: number): number {
    return Math.max(0, ...this.world.hosts.filter((host) => host.id !== id).map((host) => this.scoreAt(host.id, atMs)));
  }

  /** How much better the best other host is now. */
  gapNow(host: SimHost): number {
    return this.bestOther(host.id, this.world.now) - this.scoreAt(host.id, this.world.now);
  }
}
