/** The board's own lockspace: joined and left by this worker, as nobody else does it (ha-agent.md 9.4). */
import { CounterpartError } from '../../../../activities/errors.ts';
import { type Answer, type Lockspace, lockspacesOf, type Place, requests } from './codec.ts';
import { noAnswer, refusal } from './errors.ts';

const EXISTS = -17;
const AGAIN = -11;
const IN_PROGRESS = -115;
const NOT_THERE = -2;
/** Another joining or leaving is under way: an earlier worker's, as a rule. */
const RETRY_MS = 500;

export interface BoardSettings extends Place {
  readonly name: string;
  readonly ioSeconds: number;
}

export interface BoardOptions {
  readonly board: BoardSettings;
  readonly hostId: number;
  readonly watchdogSeconds: number;
  readonly ask: (bytes: Buffer, what: string, limitMs: number | undefined) => Promise<Answer>;
  readonly signal: AbortSignal;
}

/** True when `lockspaces` shows this host in it, neither joining nor leaving. */
export function isIn(lockspaces: readonly Lockspace[], name: string, hostId: number): boolean {
  return lockspaces.some((l) => l.name === name && l.hostId === hostId && l.state === 'active');
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}

/**
 * Joins: 2 io + 1 s for a free id or this host's own, 8 io + watchdog + 2 io more after an unclean end under another name.
 * @throws CounterpartError `sanlock/host-id-busy` when a living host has this id, and others
 */
export async function joinBoard(options: BoardOptions): Promise<void> {
  const { board, hostId, watchdogSeconds, ask, signal } = options;
  const what = `host id ${hostId} can’t be taken`;
  const limitMs = 1000 * (18 * board.ioSeconds + watchdogSeconds + 30);
  const endMs = performance.now() + limitMs;
  for (;;) {
    const { result } = await ask(requests.addLockspace({ ...board, hostId }, board.ioSeconds), what, limitMs);
    if (result >= 0 || result === EXISTS) return;
    if ((result !== IN_PROGRESS && result !== AGAIN) || performance.now() > endMs)
      throw refusal(`lockspace ${board.name}`, what, result);
    await pause(RETRY_MS, signal);
    if (signal.aborted) throw noAnswer(`lockspace ${board.name}`, what, 'closed', 'it is ending');
  }
}

/** Leaves; the id is free at once for its next user. Nothing to do when this host is not in it. */
export async function leaveBoard(options: BoardOptions): Promise<void> {
  const { board, hostId, ask } = options;
  const what = `host id ${hostId} can’t be given up`;
  const { result } = await ask(requests.remLockspace({ ...board, hostId }), what, 1000 * (8 * board.ioSeconds + 30));
  if (result < 0 && result !== NOT_THERE) throw refusal(`lockspace ${board.name}`, what, result);
}

/** Leaves it, writes it anew and joins it: whoever else is in it loses his id. @throws CounterpartError */
export async function reinitialiseBoard(options: BoardOptions): Promise<void> {
  const { board, ask } = options;
  await leaveBoard(options);
  const what = 'it can’t be written anew';
  const { result } = await ask(
    requests.writeLockspace(board, board.ioSeconds),
    what,
    1000 * (8 * board.ioSeconds + 30),
  );
  if (result < 0) throw refusal(`lockspace ${board.name}`, what, result);
  await joinBoard(options);
}

/** @throws CounterpartError when the daemon refuses to tell */
export async function readLockspaces(ask: BoardOptions['ask'], limitMs: number): Promise<Lockspace[]> {
  const what = 'its lockspaces can’t be read';
  const answer = await ask(requests.getLockspaces(), what, limitMs);
  if (answer.result < 0) throw refusal('sanlock', what, answer.result);
  return lockspacesOf(answer);
}

/** For settings without a board: a mistake of the program. */
export function noBoard(): CounterpartError {
  return new CounterpartError({
    type: 'sanlock/no-board',
    kind: 'fatal',
    subject: 'the board’s lockspace',
    what: 'it can’t be joined',
    why: 'the worker was started without one',
    remedy: 'This is a defect of the worker: report it.',
  });
}
