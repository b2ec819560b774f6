/**
 * What happens when, in virtual milliseconds.
 *
 * Two kinds of entry: single events (a heap; those of one instant happen in the order in which they were planned) and timers
 * (a fixed number, each armed for one moment or not at all). What comes back again and again, a worker's beat or a reading,
 * is a timer: arming one costs a store, and there are so few that looking for the earliest is quicker than any queue.
 */
interface Planned {
  readonly at: number;
  readonly order: number;
  readonly happen: () => void;
}

const NEVER = Number.POSITIVE_INFINITY;

export class Timeline {
  now = 0;
  events = 0;
  /** Set by all that may change the world's truth: only then is `each` asked. Single events always set it. */
  touched = false;
  /** Asked after a timer went off, once `leapFromMs` is reached: may let time pass over what is known to come to nothing. */
  leap: ((until: number) => void) | undefined;
  /** A single event moves it to `restMs` after itself. */
  leapFromMs = 0;
  restMs = NEVER;
  private planned = 0;
  private readonly heap: Planned[] = [];
  private readonly timers: (() => void)[] = [];
  private due = new Float64Array(16).fill(NEVER);

  at(at: number, happen: () => void): void {
    this.planned += 1;
    // Whole milliseconds: a remainder of a float too small to move the clock would be waited for without end.
    const event = { at: Math.max(Math.ceil(at), this.now), order: this.planned, happen };
    const { heap } = this;
    let index = heap.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent];
      if (above === undefined || !sooner(event, above)) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = event;
  }

  after(ms: number, happen: () => void): void {
    this.at(this.now + ms, happen);
  }

  /** A new timer, not armed. Within an instant timers go off after the single events, in the order of their making. */
  timer(happen: () => void): number {
    const number = this.timers.push(happen) - 1;
    if (number >= this.due.length) {
      const wider = new Float64Array(2 * this.due.length).fill(NEVER);
      wider.set(this.due);
      this.due = wider;
    }
    return number;
  }

  arm(timer: number, at: number): void {
    this.due[timer] = Math.max(Math.ceil(at), this.now);
  }

  disarm(timer: number): void {
    this.due[timer] = NEVER;
  }

  /** Infinity when it is not armed. */
  dueAt(timer: number): number {
    return this.due[timer] ?? NEVER;
  }

  /** Lets everything happen up to `until`; `each` is called after whatever touched the truth and ends the run with false. */
  run(until: number, each: () => boolean): boolean {
    for (;;) {
      let at = this.heap[0]?.at ?? NEVER;
      let first = -1;
      const { due } = this;
      const count = this.timers.length;
      for (let timer = 0; timer < count; timer += 1) {
        const time = due[timer] ?? NEVER;
        if (time < at) {
          at = time;
          first = timer;
        }
      }
      if (at > until || at === NEVER) break;
      this.now = at;
      this.events += 1;
      if (first >= 0) {
        due[first] = NEVER;
        this.timers[first]?.();
        if (at >= this.leapFromMs) this.leap?.(Math.min(until, this.heap[0]?.at ?? NEVER));
      } else {
        const next = this.heap[0];
        this.removeFirst();
        this.touched = true;
        this.leapFromMs = at + this.restMs;
        next?.happen();
      }
      if (this.touched) {
        this.touched = false;
        if (!each()) return false;
      }
    }
    this.now = Math.max(this.now, until);
    return true;
  }

  private removeFirst(): void {
    const { heap } = this;
    const moved = heap.pop();
    if (moved === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      const left = 2 * index + 1;
      if (left >= heap.length) break;
      const a = heap[left];
      const b = heap[left + 1];
      const child = a !== undefined && (b === undefined || sooner(a, b)) ? left : left + 1;
      const smaller = heap[child];
      if (smaller === undefined || !sooner(smaller, moved)) break;
      heap[index] = smaller;
      index = child;
    }
    heap[index] = moved;
  }
}

function sooner(a: Planned, b: Planned): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
