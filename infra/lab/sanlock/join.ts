/** Joining a lockspace through a daemon's socket, as VDSM does: the same for the real daemon and the model. */
import { joinBoard, leaveBoard, type BoardOptions } from '../../../workers/host/env-linux/sanlock/board-lockspace.ts';
import { askOnce } from '../../../workers/host/env-linux/sanlock/connection.ts';
import type { LabSanlock, NamedPlace } from './types.ts';

function optionsOf(daemon: LabSanlock, lockspace: NamedPlace): BoardOptions {
  const { hostId, ioSeconds, watchdogSeconds, socketPath } = daemon;
  return {
    board: { ...lockspace, ioSeconds },
    hostId,
    watchdogSeconds,
    ask: (bytes, what, limitMs) => askOnce(socketPath, bytes, what, { limitMs }),
    signal: new AbortController().signal,
  };
}

/** @throws CounterpartError `sanlock/...` */
export async function joinThrough(daemon: LabSanlock, lockspace: NamedPlace): Promise<void> {
  await joinBoard(optionsOf(daemon, lockspace));
}

/** @throws CounterpartError `sanlock/...` */
export async function leaveThrough(daemon: LabSanlock, lockspace: NamedPlace): Promise<void> {
  await leaveBoard(optionsOf(daemon, lockspace));
}
