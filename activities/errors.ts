/**
 * The one error shape of the outside world: what happened, to what, why, and what to do next.
 *
 * Every client (VDSM, engine, storage, S3, tickets) throws a `CounterpartError`; the Temporal border turns it into
 * an `ApplicationFailure` without looking inside the message.
 */

/** retryable: the same call may work later. needs-operator: a person must change something. fatal: never repeat. */
export type ErrorKind = 'retryable' | 'needs-operator' | 'fatal';

export interface ErrorFacts {
  /** Stable machine name, e.g. `vdsm/recovering`, `engine/object-locked`. */
  readonly type: string;
  readonly kind: ErrorKind;
  /** The thing concerned, by name: host, volume, file, field. */
  readonly subject: string;
  /** What failed, in one sentence without a full stop. */
  readonly what: string;
  /** Why, as far as it is known (the counterpart's own words). */
  readonly why: string;
  /** What the reader should do next. */
  readonly remedy: string;
  /** The counterpart's code: a VDSM code, an HTTP status, an S3 error name. */
  readonly code?: number | string;
  /** True when the call may have had its effect although no answer came: look before repeating. */
  readonly outcomeUnknown?: boolean;
}

export class CounterpartError extends Error {
  readonly facts: ErrorFacts;
  /** What the counterpart asked for (`Retry-After`), if it did. */
  readonly retryAfterMs: number | undefined = undefined;

  constructor(facts: ErrorFacts, options?: { cause?: unknown }) {
    super(`${facts.subject}: ${facts.what}: ${facts.why}. ${facts.remedy}`, options);
    this.name = 'CounterpartError';
    this.facts = facts;
  }
}
