/** What happens when, in virtual milliseconds. Events of one instant happen in the order in which they were planned. */
interface Planned {
  readonly at: number;
  readonly order: number;
  readonly happen: () => void;
}

export class Timeline {
  now = 0;
  events = 0;
  private planned = 0;
  private readonly heap: Planned[] = [];

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

  /** Lets everything happen up to `until`; `each` is called after every event and ends the run with false. */
  run(until: number, each: () => boolean): boolean {
    for (;;) {
      const next = this.heap[0];
      if (next === undefined || next.at > until) break;
      this.removeFirst();
      this.now = next.at;
      this.events += 1;
      next.happen();
      if (!each()) return false;
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
