/** Work that is better with the engine, and must go on without it. */
import { CounterpartError } from '../errors.ts';
import type { StepContext } from '../step-context.ts';

/** A restart of the engine's service takes longer, a hiccup on the way to it does not. */
const PATIENCE_MS = 20_000;
const PAUSE_MS = 1000;

export type EngineAnswer<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly why: string };

/**
 * The engine's answer, or why there is none. Trouble that may pass is waited out for a while: "the engine is down" must
 * not be said of one lost packet.
 * @throws what is no CounterpartError, and the signal's reason.
 */
export async function ifEngineAnswers<T>(
  context: StepContext,
  what: string,
  ask: () => Promise<T>,
): Promise<EngineAnswer<T>> {
  const deadline = context.now().getTime() + PATIENCE_MS;
  for (;;) {
    try {
      return { ok: true, value: await ask() };
    } catch (error) {
      context.signal.throwIfAborted();
      if (!(error instanceof CounterpartError)) throw error;
      const { kind, subject, what: failed, why } = error.facts;
      if (kind !== 'retryable' || context.now().getTime() >= deadline) {
        return { ok: false, why: `${subject}: ${failed}: ${why}` };
      }
      context.waitsFor(`the engine, to ${what}`);
      await context.sleep(PAUSE_MS);
    }
  }
}
