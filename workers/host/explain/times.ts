/** The timing profile and everything that follows from it, for people. */
import type { Timing } from '../core/timing.ts';

export interface DerivedTime {
  readonly name: string;
  /** In seconds, but for counts and points. */
  readonly value: number;
  readonly unit: 's' | 'beats' | 'points' | 'times';
  readonly meaning: string;
}

type Unit = DerivedTime['unit'];

/** Every field of `Timing` has its line; the compiler sees to it. */
const MEANINGS: Readonly<Record<Exclude<keyof Timing, 'profile'>, readonly [Unit, string]>> = {
  beatMs: ['s', 'one reading and one writing of the board'],
  freshMs: ['s', 'a fact older than this is not acted on'],
  peerDeadBeats: ['beats', 'a host of our kind that is silent for so many of its beats counts as gone'],
  referenceDeadMs: ['s', 'a host with the reference’s agent that is silent for so long counts as gone'],
  listenMs: ['s', 'a new worker watches the board for so long before its first start'],
  listenReferenceMs: ['s', 'the same, where the reference’s agents take part'],
  ownerSilentMs: ['s', 'a start may be ordered when the owner of the lease did not renew it for so long'],
  hostDeadMs: ['s', 'sanlock gives the lease of a silent host away (8 I/O time-outs + watchdog)'],
  launchMs: ['s', 'a start that waits for its lease is given up'],
  confirmMs: ['s', 'a loss of the network, or local maintenance, is acted on'],
  confirmReferenceMs: ['s', 'the score of a reference’s agent tells whether it has the network'],
  holdMs: ['s', 'another host must be better for so long before the engine moves for points'],
  residenceMs: ['s', 'and the engine must have been here for so long'],
  turnMs: ['s', 'each host that comes first is given so long to start the engine VM'],
  actionMs: ['s', 'an order that VDSM does not answer is given up'],
  pausedMs: ['s', 'a paused VM is started anew when the storage has answered for so long'],
  givenMs: ['s', 'a VM that migrated away must be announced by its new host'],
  failureFadeMs: ['s', 'a failure is forgotten'],
  failuresHere: ['times', 'after so many failures other hosts go first'],
  engineRestartsPerWindow: ['times', 'restarts of a VM whose engine is not well'],
  engineRestartWindowMs: ['s', 'within this time'],
  movesPerHour: ['times', 'moves within an hour, of all hosts together'],
  threshold: ['points', 'another host must be better by so much before the engine moves'],
  badHealthMs: ['s', 'an engine that is not well is given so long to recover'],
  bootMs: ['s', 'a starting engine without progress is given so long'],
  guestStopMs: ['s', 'a guest that was told to stop is forced off'],
};

/** sanlock's two time-outs first, then all that follows. */
export function derivedTimes(timing: Timing): readonly DerivedTime[] {
  const { ioSeconds, watchdogSeconds } = timing.profile;
  const given: DerivedTime[] = [
    { name: 'ioSeconds', value: ioSeconds, unit: 's', meaning: 'sanlock’s I/O time-out' },
    { name: 'watchdogSeconds', value: watchdogSeconds, unit: 's', meaning: 'the watchdog’s time-out' },
  ];
  const derived = Object.entries(MEANINGS).map(([name, [unit, meaning]]): DerivedTime => {
    const value = Reflect.get(timing, name);
    const number = typeof value === 'number' ? value : Number.NaN;
    return { name: name.replace(/Ms$/, 'Seconds'), value: unit === 's' ? number / 1000 : number, unit, meaning };
  });
  return [...given, ...derived];
}
