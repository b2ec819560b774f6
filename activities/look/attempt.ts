/** Asks for one thing with a limit: whoever does not answer is missing from the look, and keeps nobody else out of it. */
import type { Missing } from '../../workflows/model/look.ts';
import { CounterpartError } from '../errors.ts';

export type Attempt<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly missing: Missing };

const TEXT_MAX = 300;
export const cut = (text: string): string => (text.length <= TEXT_MAX ? text : `${text.slice(0, TEXT_MAX - 1)}…`);

export interface Ask {
  /** Whose word it is. */
  readonly what: string;
  readonly limitMs: number;
  readonly signal: AbortSignal;
}

function missingOf(what: string, error: CounterpartError): Missing {
  const { why, remedy, what: failed } = error.facts;
  return { what, why: cut(`${failed}: ${why}`), remedy: cut(remedy) };
}

/** @throws the signal’s reason, and what is a defect of ours. */
export async function attempt<T>(ask: Ask, work: (signal: AbortSignal) => Promise<T>): Promise<Attempt<T>> {
  const limit = AbortSignal.timeout(ask.limitMs);
  try {
    return { ok: true, value: await work(AbortSignal.any([ask.signal, limit])) };
  } catch (error) {
    ask.signal.throwIfAborted();
    if (error instanceof CounterpartError) return { ok: false, missing: missingOf(ask.what, error) };
    if (!limit.aborted) throw error;
    const why = `no answer within ${ask.limitMs / 1000} s`;
    return {
      ok: false,
      missing: {
        what: ask.what,
        why,
        remedy: 'Look whether it is up and reached; it is asked again with the next look.',
      },
    };
  }
}
