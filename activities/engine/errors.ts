/** From an answer, or the lack of one, to the error that everybody else handles: what failed, why, and what to do. */
import { CounterpartError, type ErrorFacts } from '../errors.ts';
import { type Fault, faultText } from './faults.ts';
import { findRefusal } from './refusals.ts';
import type { WireFailure } from './wire.ts';

/** What was being done, in the words of the error. */
export interface CallContext {
  /** The thing concerned: `VM HostedEngine`, `data center Default`. */
  readonly subject: string;
  /** Completes "could not ...": `import the storage domain`. */
  readonly act: string;
  /** True when the call changes something, so that a lost answer leaves the outcome open. */
  readonly changes: boolean;
  /** Where the engine is, for remedies: `https://engine.example`. */
  readonly engine: string;
}

export class EngineError extends CounterpartError {
  /** What the engine's `Retry-After` asked for. */
  override readonly retryAfterMs: number | undefined;

  constructor(facts: ErrorFacts, options?: { cause?: unknown; retryAfterMs?: number | undefined }) {
    super(facts, { cause: options?.cause });
    this.name = 'EngineError';
    this.retryAfterMs = options?.retryAfterMs;
  }
}

type Verdict = Pick<ErrorFacts, 'type' | 'kind' | 'remedy'> & { readonly outcomeUnknown?: boolean };

const CREDENTIALS = 'Check the user (user@profile) and the password that its secret holds';
const LOG = 'See /var/log/ovirt-engine/engine.log at the time of the call (the correlation id finds it)';
const WAIT =
  'Nothing to do: it is tried again. If it lasts, see whether the engine VM and its ovirt-engine service run';

/**
 * Statuses without a known text. 503 is the web server in front saying that it reached no engine: nothing happened.
 * 502, 504 and a 500 without a fault may come after the engine took the request: the outcome is open.
 */
function byStatus(status: number, fault: Fault): Verdict {
  const spoken = fault.from === 'engine';
  if (status === 401) return { type: 'engine/credentials-refused', kind: 'needs-operator', remedy: CREDENTIALS };
  if (status === 403) {
    return { type: 'engine/not-permitted', kind: 'needs-operator', remedy: 'Give the user a role that permits this' };
  }
  if (status === 404 && fault.from === 'text') {
    // The web server has no route while the engine deploys: this is no word about the object (engine.md 7). The
    // engine's own 404 is empty or a fault.
    return { type: 'engine/starting', kind: 'retryable', remedy: WAIT };
  }
  if (status === 404) {
    return { type: 'engine/not-found', kind: 'needs-operator', remedy: 'Check whether it was removed or renamed' };
  }
  if (status === 503) return { type: 'engine/unavailable', kind: 'retryable', remedy: WAIT };
  if (status === 408 || status === 429) return { type: 'engine/overloaded', kind: 'retryable', remedy: WAIT };
  if (status === 500 && spoken) return { type: 'engine/command-failed', kind: 'needs-operator', remedy: LOG };
  if (status >= 500) {
    return { type: 'engine/unavailable', kind: 'retryable', remedy: WAIT, outcomeUnknown: status !== 501 };
  }
  if (status === 400 || status === 409) {
    const type = status === 409 ? 'engine/conflict' : 'engine/refused';
    return { type, kind: 'needs-operator', remedy: `Remove the cause that the engine names, then retry. ${LOG}` };
  }
  const remedy = 'Check that the address leads to an oVirt engine and not to a proxy or another service';
  return { type: 'engine/protocol', kind: 'fatal', remedy };
}

/** `Retry-After` in milliseconds: seconds, or an HTTP date. */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\s*\d{1,6}\s*$/.test(header)) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}

/** The error for an answer that is not a success. Known texts decide first, then the status. */
export function answerError(
  context: CallContext,
  answer: { readonly status: number; readonly fault: Fault; readonly retryAfter?: string | undefined },
): EngineError {
  const { status, fault } = answer;
  const spoken = fault.from === 'engine' ? `${fault.reason} ${fault.detail}` : fault.from === 'text' ? fault.text : '';
  const known = findRefusal(status, spoken);
  const verdict: Verdict = known ?? byStatus(status, fault);
  const key = known === undefined ? '' : `, ${known.key}`;
  return new EngineError(
    {
      type: verdict.type,
      kind: verdict.kind,
      subject: context.subject,
      what: `could not ${context.act}`,
      why: `${faultText(fault).replace(/\.$/, '')} (HTTP ${status}${key})`,
      remedy: verdict.remedy,
      code: status,
      ...(verdict.outcomeUnknown === true && context.changes ? { outcomeUnknown: true } : {}),
    },
    { retryAfterMs: retryAfterMs(answer.retryAfter, Date.now()) },
  );
}

/** A success whose body is not what the engine sends: a proxy's page, a cut text, a missing member. */
export function unreadableAnswer(context: CallContext, why: string, cause?: unknown): EngineError {
  return new EngineError(
    {
      type: 'engine/bad-answer',
      kind: 'retryable',
      subject: context.subject,
      what: `could not ${context.act}`,
      why: `the answer can't be read: ${why}`,
      remedy: `Check that ${context.engine} is an oVirt engine of version 4 and that no proxy answers in its place`,
      ...(context.changes ? { outcomeUnknown: true } : {}),
    },
    { cause },
  );
}

const UNTRUSTED = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
]);

function byCode(code: string, engine: string): Verdict {
  const ca = `${engine}/ovirt-engine/services/pki-resource?resource=ca-certificate&format=X509-PEM-CA`;
  if (UNTRUSTED.has(code)) {
    const remedy = `Fetch the engine's CA from ${ca} over a trusted way and put it into the CA file`;
    return { type: 'engine/certificate-not-trusted', kind: 'needs-operator', remedy };
  }
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID') {
    const remedy = "Renew the engine's certificate (engine-setup), and check the clocks here and there";
    return { type: 'engine/certificate-expired', kind: 'needs-operator', remedy };
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const remedy = "Use the engine's FQDN, as its certificate has it, in the address";
    return { type: 'engine/certificate-name', kind: 'needs-operator', remedy };
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS')) {
    const remedy = `Check that ${engine} speaks TLS on this port and is the engine`;
    return { type: 'engine/tls-failed', kind: 'needs-operator', remedy };
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    const remedy = `It is tried again. Check the name in ${engine} and the name servers of this machine`;
    return { type: 'engine/name-not-resolved', kind: 'retryable', remedy };
  }
  if (code === 'TIMEOUT') return { type: 'engine/timeout', kind: 'retryable', remedy: WAIT };
  return { type: 'engine/unreachable', kind: 'retryable', remedy: WAIT };
}

/** True when the CA file may be the cause, so that it should be read again before the next call. */
export function isCertificateFailure(failure: WireFailure): boolean {
  return byCode(failure.facts.code, '').type.startsWith('engine/certificate');
}

/** The error for a call that got no answer. A change that was sent is of unknown outcome: look before repeating. */
export function wireError(context: CallContext, failure: WireFailure): EngineError {
  const { code, sent } = failure.facts;
  const verdict = byCode(code, context.engine);
  const open = sent && context.changes;
  const where = sent ? 'the request was sent, but no whole answer came' : 'the request was not sent';
  return new EngineError(
    {
      ...verdict,
      subject: context.subject,
      what: `could not ${context.act}`,
      why: `${where}: ${failure.message} (${code})`,
      remedy: verdict.remedy,
      code,
      ...(open ? { outcomeUnknown: true } : {}),
    },
    { cause: failure },
  );
}

/**
 * The value, or null where the engine says that there is no such object (404, engine.md 2).
 * A 404 of the web server in front of a starting engine is another error and passes through.
 */
export async function findOrNull<T>(found: Promise<T>): Promise<T | null> {
  try {
    return await found;
  } catch (error) {
    if (error instanceof CounterpartError && error.facts.type === 'engine/not-found') return null;
    throw error;
  }
}
