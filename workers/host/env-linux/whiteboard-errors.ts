/** What can go wrong with the HA metadata volume, for people at night. */
import { CounterpartError, type ErrorFacts, type ErrorKind } from '../../../activities/errors.ts';

export type Operation = { readonly kind: 'read' } | { readonly kind: 'write'; readonly id: number };

/** `timeout`, `stuck` (earlier I/O still hangs), `busy`, `io`, `short`, `process`, `closed`, `argument`. */
export type BoardFault = 'timeout' | 'stuck' | 'busy' | 'io' | 'short' | 'process' | 'closed' | 'argument';

const REMEDIES: Readonly<Record<BoardFault, string>> = {
  timeout: 'It is tried again by itself. Look at the storage: network, NFS server or paths (dmesg, multipath -ll).',
  stuck: 'It goes on by itself once the storage answers; if the storage is well, restart the worker.',
  busy: 'It is tried again by itself.',
  io: 'It is tried again by itself. Look whether the storage domain is connected on this host (VDSM prepares the volume).',
  short: 'Make sure that this is the HA metadata volume of the hosted-engine domain and that it is complete.',
  process: 'It is started again by itself at the next access.',
  closed: 'Nothing: the worker is ending.',
  argument: 'This is a defect of the worker: report it.',
};

const FATAL: ReadonlySet<BoardFault> = new Set(['closed', 'argument']);

function kindOf(fault: BoardFault, code: string | undefined): ErrorKind {
  if (FATAL.has(fault)) return 'fatal';
  return fault === 'short' || code === 'EACCES' || code === 'EPERM' || code === 'EROFS'
    ? 'needs-operator'
    : 'retryable';
}

/** @param begun the access may have reached the storage: a write may have taken effect, or may yet */
export function boardError(
  path: string,
  operation: Operation,
  fault: BoardFault,
  why: string,
  options: { readonly code?: string; readonly begun?: boolean } = {},
): CounterpartError {
  const facts: ErrorFacts = {
    type: `whiteboard/${fault}`,
    kind: kindOf(fault, options.code),
    subject: path,
    what: operation.kind === 'read' ? 'the HA metadata can’t be read' : `slot ${operation.id} can’t be written`,
    why,
    remedy: REMEDIES[fault],
  };
  return new CounterpartError({
    ...facts,
    ...(options.code === undefined ? {} : { code: options.code }),
    ...(options.begun === true && operation.kind === 'write' ? { outcomeUnknown: true } : {}),
  });
}
