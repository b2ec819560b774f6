/** VDSM's answers as `CounterpartError`: one place decides what may be retried (vdsm.md 12). */
import { CounterpartError, type ErrorFacts, type ErrorKind } from '../errors.ts';
import { CODES, rangeName, type RetryClass } from './codes.ts';

export type { RetryClass } from './codes.ts';

/** Verb where code 40 means "the HA module is not installed" instead of "network busy" (vdsm.md 7). */
const HA_VERB = 'Host.setHaMaintenanceMode';

/**
 * How a caller may react to a code. With `verb`, codes that are "done already" or "busy" only for some verbs are
 * judged for that one: 1 is done for VM.destroy and permanent for VM.getStats.
 */
export function retryClassOf(code: number, verb?: string): RetryClass {
  if (code === 40 && verb === HA_VERB) return 'permanent';
  const facts = CODES.get(code);
  if (facts === undefined) return 'permanent';
  if (verb !== undefined && facts.verbs !== undefined && !facts.verbs.includes(verb)) return 'permanent';
  return facts.retry;
}

/** True for a `CounterpartError` of VDSM (a call, a task or the data stream) with this code. */
export function isCode(error: unknown, code: number): error is CounterpartError {
  return error instanceof CounterpartError && error.facts.type.startsWith('vdsm/') && error.facts.code === code;
}

function kindOf(code: number, retry: RetryClass): ErrorKind {
  if (retry === 'transient' || retry === 'unknown-outcome') return 'retryable';
  // Code 40 without the HA module: somebody must install it.
  if (code === 40) return 'needs-operator';
  return CODES.get(code)?.kind ?? 'fatal';
}

/**
 * The error for a code that VDSM answered.
 * @param subject host's name; @param verb as sent, or `PUT` / `GET` for the data stream
 * @param message VDSM's own text, kept for people
 */
export function codeError(subject: string, verb: string, code: number, message: string): CounterpartError {
  const retry = retryClassOf(code, verb);
  const known = CODES.get(code);
  const range = rangeName(code);
  const facts: ErrorFacts = {
    type: `vdsm/${known?.name ?? range.name}`,
    kind: kindOf(code, retry),
    subject,
    what: `${verb} failed with VDSM code ${code}`,
    why: message.trim().replace(/\.+$/, '') || 'VDSM gave no reason',
    remedy:
      code === 40 && verb === HA_VERB ? 'Install ovirt-hosted-engine-ha on the host' : (known?.remedy ?? range.remedy),
    code,
    outcomeUnknown: retry === 'unknown-outcome',
  };
  return new CounterpartError(facts);
}

/** The call was sent, no answer came: it may have run, or may still run (vdsm.md 4: there is no cancel). */
export function unknownOutcome(
  subject: string,
  verb: string,
  name: 'call-timeout' | 'answer-lost' | 'stream-cut' | 'task-lost' | 'task-timeout',
  why: string,
  cause?: unknown,
): CounterpartError {
  return new CounterpartError(
    {
      type: `vdsm/${name}`,
      kind: 'retryable',
      subject,
      what: `no answer to ${verb}`,
      why,
      remedy: 'The host may have carried it out: read the state before repeating the call',
      outcomeUnknown: true,
    },
    cause === undefined ? undefined : { cause },
  );
}

/** The verb answered something its schema does not know. The verb itself did run. */
export function unexpectedAnswer(subject: string, verb: string, why: string, cause?: unknown): CounterpartError {
  return new CounterpartError(
    {
      type: 'vdsm/unexpected-answer',
      kind: 'fatal',
      subject,
      what: `${verb} answered in a shape Bellwether does not know`,
      why,
      remedy: 'Compare the VDSM version of the host with the supported ones and report this as a defect',
    },
    { cause },
  );
}

/** The call never left us: nothing happened at the host. */
export function notSent(subject: string, verb: string, name: string, why: string, remedy: string): CounterpartError {
  return new CounterpartError({
    type: `vdsm/${name}`,
    kind: 'retryable',
    subject,
    what: `${verb} was not sent`,
    why,
    remedy,
    outcomeUnknown: false,
  });
}
