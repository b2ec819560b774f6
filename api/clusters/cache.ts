/** Several askers within a moment share one answer: a page on ten screens costs what one costs. */

export interface Shared<T> {
  readonly value: T;
  /** When the answer came, by the clock that was given. */
  readonly atMs: number;
}

interface Entry<T> {
  readonly answer: Promise<Shared<T>>;
  /** Until then it is shared; undefined while it is awaited. */
  freshUntilMs?: number;
}

/** @param isGood answers that are not are shared by those who ask meanwhile, but not kept. */
export function shareFor<T>(keepMs: number, clock: () => Date, isGood: (value: T) => boolean) {
  const entries = new Map<string, Entry<T>>();
  return (key: string, ask: () => Promise<T>): Promise<Shared<T>> => {
    const known = entries.get(key);
    if (known !== undefined && clock().getTime() < (known.freshUntilMs ?? Infinity)) return known.answer;
    const entry: Entry<T> = { answer: ask().then((value) => ({ value, atMs: clock().getTime() })) };
    entries.set(key, entry);
    entry.answer.then(
      ({ value, atMs }) => {
        entry.freshUntilMs = isGood(value) ? atMs + keepMs : -Infinity;
      },
      () => {
        entry.freshUntilMs = -Infinity;
      },
    );
    return entry.answer;
  };
}
