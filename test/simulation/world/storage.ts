/** Readings and writings of the board under way: how long they take, and what becomes of them on a path in trouble. */
import { frozen, type SimHost, type SimProcess, type World } from './world.ts';

/** What stands still asks again so often. */
export const AGAIN_MS = 500;

/** Of the moment, not of the run's random numbers: beats that are not run must not move what comes after them. */
function jitter(world: World, host: SimHost): number {
  let x = Math.imul((world.salt + host.id * 0x9e3779b1) ^ Math.trunc(world.now), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 15), 0xc2b2ae35);
  return ((x ^ (x >>> 13)) >>> 0) / 4_294_967_296;
}

const latency = (world: World, host: SimHost) => host.latencyMs * (0.5 + jitter(world, host));

export function beginReading(
  world: World,
  host: SimHost,
  process: SimProcess,
  reading: NonNullable<SimProcess['reading']>,
): void {
  process.reading = reading;
  world.line.arm(process.readTimer, world.now + latency(world, host));
}

/** True when a board has come. A hung reading ends after the path is back, with the data of then. */
export function finishReading(world: World, host: SimHost, process: SimProcess): boolean {
  const { reading } = process;
  if (reading === undefined) return false;
  if (host.path === 'hang' || frozen(world, host)) {
    world.line.arm(process.readTimer, world.now + AGAIN_MS);
    return false;
  }
  process.reading = undefined;
  if (host.path === 'eio') return false;
  const source = host.staleReads ? world.oldSlots : world.slots;
  const slots = new Map<number, Buffer>();
  for (const id of reading.ids ?? source.keys()) {
    const slot = source.get(id);
    if (slot !== undefined) slots.set(id, slot);
  }
  process.board = { startedMs: reading.startedMs, whole: reading.ids === undefined, global: world.global, slots };
  return true;
}

export function beginWriting(world: World, host: SimHost, process: SimProcess, bytes: Buffer): void {
  if (process.writing === undefined) world.line.arm(process.writeTimer, world.now + latency(world, host));
  process.writing = bytes;
}

export function finishWriting(world: World, host: SimHost, process: SimProcess): void {
  const bytes = process.writing;
  if (bytes === undefined) return;
  if (host.path === 'hang' || frozen(world, host)) {
    world.line.arm(process.writeTimer, world.now + AGAIN_MS);
    return;
  }
  process.writing = undefined;
  if (host.path !== 'ok' || (host.loseWrites > 0 && world.random.chance(host.loseWrites))) return;
  const before = world.slots.get(host.id);
  if (before !== undefined && !host.staleReads) world.oldSlots.set(host.id, before);
  world.slots.set(host.id, bytes);
  process.written = bytes;
  world.watcher?.published(host, bytes);
}
