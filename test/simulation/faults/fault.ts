import type { Machines } from '../world/machine.ts';
import type { SimHost, World } from '../world/world.ts';

/** One kind of trouble. It strikes once and ends by itself; `healAll` ends what still lasts. */
export interface Fault {
  readonly name: string;
  strike(w: World, m: Machines): void;
}

/** Any host that is on, or none. */
export function someHost(w: World): SimHost | undefined {
  return w.random.pick(w.hosts.filter((host) => host.on));
}

/** More often the host with the engine VM: that is where it hurts. */
export function painfulHost(w: World): SimHost | undefined {
  const owner = w.hosts.find((host) => host.on && host.vm?.executing === true);
  return owner !== undefined && w.random.chance(0.6) ? owner : someHost(w);
}

/** A fault of one host: `begin` now, `end` after min to max seconds (also over a reboot). */
export function onHost(
  name: string,
  seconds: readonly [number, number],
  begin: (host: SimHost, w: World, m: Machines) => void,
  end: (host: SimHost, w: World, m: Machines) => void = () => undefined,
): Fault {
  return {
    name,
    strike(w, m) {
      const host = painfulHost(w);
      if (host === undefined) return;
      w.say(`fault on host ${host.id}: ${name}`);
      begin(host, w, m);
      w.during(w.random.between(seconds[0] * 1000, seconds[1] * 1000), () => end(host, w, m));
    },
  };
}

/** A fault of the whole cluster. */
export function everywhere(
  name: string,
  seconds: readonly [number, number],
  begin: (w: World, m: Machines) => void,
  end: (w: World, m: Machines) => void = () => undefined,
): Fault {
  return {
    name,
    strike(w, m) {
      w.say(`fault: ${name}`);
      begin(w, m);
      w.during(w.random.between(seconds[0] * 1000, seconds[1] * 1000), () => end(w, m));
    },
  };
}

/** The time-outs that the code lives by: faults that last exactly so long, one tick less, one more. */
export function edgeMs(w: World): number {
  const { timing } = w;
  const io = timing.profile.ioSeconds * 1000;
  const edges = [
    timing.beatMs,
    timing.freshMs,
    timing.peerDeadBeats * timing.beatMs,
    timing.confirmMs,
    timing.turnMs,
    timing.listenMs,
    timing.ownerSilentMs,
    2 * io,
    8 * io,
    timing.hostDeadMs,
    timing.guestStopMs,
    timing.referenceDeadMs,
    timing.pausedMs,
    timing.givenMs,
    timing.actionMs,
  ];
  return Math.max(1, (w.random.pick(edges) ?? io) + w.random.integer(-1, 1));
}
