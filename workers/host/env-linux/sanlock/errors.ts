/** What sanlock refuses, and why, for people at night. */
import { CounterpartError, type ErrorKind } from '../../../../activities/errors.ts';

interface Meaning {
  /** Machine name, e.g. `sanlock/not-joined`. */
  readonly type: string;
  readonly kind: ErrorKind;
  readonly why: string;
  readonly remedy: string;
}

const AGAIN = 'It is tried again by itself.';
const STORAGE = 'Look at the storage of the domain on this host (mount or device there? dmesg, multipath -ll).';
const DAMAGED = 'Initialise the lockspace or lease anew, with the engine VM down and global maintenance set.';
const HELD = 'Nothing, if the engine VM runs there; else it is free once that host has been silent for long enough.';

const damaged = (why: string): Meaning => ({ type: 'lease-damaged', kind: 'needs-operator', why, remedy: DAMAGED });
const storage = (why: string): Meaning => ({
  type: 'storage',
  kind: 'retryable',
  why,
  remedy: `${AGAIN} ${STORAGE}`,
});
const held = (why: string): Meaning => ({ type: 'lease-held', kind: 'retryable', why, remedy: HELD });
const later = (type: string, why: string): Meaning => ({ type, kind: 'retryable', why, remedy: AGAIN });

const MEANINGS: ReadonlyMap<number, Meaning> = new Map([
  [-2, later('not-joined', 'this host is not in the lockspace')],
  [-11, later('busy', 'it is being left, or nothing is known of the other hosts yet')],
  [-16, later('busy', 'another command for it is running')],
  [-17, later('exists', 'it is held on this host already')],
  [-19, storage('the file or device can’t be opened')],
  [
    -22,
    {
      type: 'arguments',
      kind: 'needs-operator',
      why: 'the name or the file is in use for another lockspace',
      remedy: 'Compare the host’s lockspaces (sanlock client status) with its configuration.',
    },
  ],
  [-28, later('not-joined', 'this host is not in the lockspace, or is just losing it')],
  [-115, later('in-progress', 'it is being joined or left right now')],
  [-202, storage('the storage did not answer within sanlock’s time')],
  [
    -203,
    {
      type: 'watchdog',
      kind: 'needs-operator',
      why: 'sanlock can’t use the watchdog',
      remedy: 'Look at wdmd and /dev/watchdog on this host (systemctl status wdmd).',
    },
  ],
  [-210, storage('the lease can’t be read')],
  [-211, storage('the lease can’t be written')],
  [-220, storage('the lease can’t be read')],
  [-221, storage('the lease can’t be written')],
  [-223, damaged('there is no lease at this place')],
  [-224, damaged('the lease is of another version')],
  [-226, damaged('the lease is of another lockspace')],
  [-227, damaged('the lease is of another resource')],
  [-229, damaged('the lease’s checksum is wrong')],
  [-243, held('Lease is held by another host')],
  [-244, held('Lease is held by another host, which was quicker')],
  [-245, held('Lease is held by another host')],
  [-247, held('Lease is held by another host that is silent')],
  [
    -262,
    {
      type: 'host-id-busy',
      kind: 'needs-operator',
      why: 'another living host uses this host id',
      remedy: 'Give each host its own id: compare host_id in hosted-engine.conf of all hosts.',
    },
  ],
]);

const UNKNOWN: Meaning = {
  type: 'refused',
  kind: 'retryable',
  why: 'sanlock gave no reason that is known',
  remedy: `${AGAIN} Look at /var/log/sanlock.log.`,
};

/** The lease is another host's: nobody's mistake, and no reason to look further. */
export function isHeld(error: unknown): boolean {
  return error instanceof CounterpartError && error.facts.type === 'sanlock/lease-held';
}

/** @param result sanlock's own number, below 0 */
export function refusal(subject: string, what: string, result: number): CounterpartError {
  const { type, kind, why, remedy } = MEANINGS.get(result) ?? UNKNOWN;
  return new CounterpartError({ type: `sanlock/${type}`, kind, subject, what, why, remedy, code: result });
}

/** `gone`: no daemon; `hung`: no answer in time; `protocol`: no answer of sanlock; `closed`: this worker is ending. */
export type Trouble = 'gone' | 'hung' | 'protocol' | 'closed';

const TROUBLES: Readonly<Record<Trouble, { readonly kind: ErrorKind; readonly remedy: string }>> = {
  gone: { kind: 'retryable', remedy: `${AGAIN} Look at the service: systemctl status sanlock.` },
  hung: { kind: 'retryable', remedy: `${AGAIN} Look at the storage and at the service: systemctl status sanlock.` },
  protocol: { kind: 'needs-operator', remedy: 'Make sure that it is sanlock that listens there.' },
  closed: { kind: 'fatal', remedy: 'Nothing: the worker is ending.' },
};

/** @param begun the command may have its effect although no answer came */
export function noAnswer(
  subject: string,
  what: string,
  trouble: Trouble,
  why: string,
  begun = false,
  cause?: unknown,
): CounterpartError {
  const { kind, remedy } = TROUBLES[trouble];
  const facts = { type: `sanlock/${trouble}`, kind, subject, what, why, remedy };
  return new CounterpartError(begun ? { ...facts, outcomeUnknown: true } : facts, { cause });
}
