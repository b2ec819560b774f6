/** How clients tell of their calls; who listens is no business of theirs. Nothing in it may hold a secret. */

export interface CallFacts {
  readonly counterpart: 'engine' | 'vdsm';
  /** Which one: the host's name, the engine's address. */
  readonly subject: string;
  /** Verb, or method and kind of object: few different ones, no ids. */
  readonly call: string;
  readonly ms: number;
  /** Type of the error; undefined: it was answered well. */
  readonly error?: string;
  /** How the counterpart's own log names the operation. */
  readonly correlationId?: string;
}

export type CallObserver = (facts: CallFacts) => void;

/** Runs a call and tells of it; the observer must not throw. */
export async function observed<T>(
  observe: CallObserver | undefined,
  facts: Omit<CallFacts, 'ms' | 'error'>,
  typeOf: (error: unknown) => string,
  work: () => Promise<T>,
): Promise<T> {
  if (observe === undefined) return work();
  const started = performance.now();
  try {
    const answer = await work();
    observe({ ...facts, ms: performance.now() - started });
    return answer;
  } catch (error) {
    observe({ ...facts, ms: performance.now() - started, error: typeOf(error) });
    throw error;
  }
}
