/** A host's own clocks: one that also runs while it sleeps and never steps, and the wall clock that people set. */
import type { SimHost, World } from './world.ts';

/** Milliseconds since its boot, by the host's own clock, at a moment of the world. */
export function bootMsAt(host: SimHost, atMs: number): number {
  const { clock } = host;
  return clock.bootMs + (atMs - clock.worldMs) * (1 + clock.drift);
}

/** When, in the world's time, the host's clock shows this. */
export function worldMsAt(host: SimHost, bootMs: number): number {
  return host.clock.worldMs + (bootMs - host.clock.bootMs) / (1 + host.clock.drift);
}

/** From now on the clock runs faster by this share; it does not step (but to the next whole millisecond). */
export function setDrift(world: World, host: SimHost, drift: number): void {
  host.clock.bootMs = Math.ceil(bootMsAt(host, world.now));
  host.clock.worldMs = world.now;
  host.clock.drift = drift;
}

export function startClock(world: World, host: SimHost): void {
  host.bootedMs = world.now;
  host.clock.bootMs = 1000;
  host.clock.worldMs = world.now;
}

/** Somebody sets the clock every ten minutes, each time wrong by up to three years. */
function wildness(host: SimHost, nowMs: number): number {
  const x = Math.imul((Math.floor(nowMs / 600_000) + 1) ^ Math.imul(host.id, 0x9e3779b1), 0x85ebca6b);
  return ((x >>> 8) / 2 ** 24 - 0.5) * 2e11;
}

export function wallMsAt(world: World, host: SimHost): number {
  return 1_700_000_000_000 + world.now + host.wallOffsetMs + (world.wildWallClocks ? wildness(host, world.now) : 0);
}
