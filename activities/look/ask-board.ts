/** The HA metadata, read through the host that is SPM; what was read last is kept for when it can't be read. */
import type { Missing } from '../../workflows/model/look.ts';
import type { VolumeRef } from '../../workflows/model/hosted-engine.ts';
import { readBoard, slotOf, usedSlots } from '../storage/ha-slots.ts';
import { findHostedEngineDomain, readConfiguration } from '../storage/he-domain.ts';
import type { Place } from '../storage/volumes.ts';
import { HOST_ID_MAX, parseGlobalBlock, parseHostBlock, type SlotReading } from '../storage/whiteboard.ts';
import type { HostWord } from './ask-hosts.ts';
import { attempt } from './attempt.ts';
import { SlotEar } from './heard.ts';

const LIMIT_MS = 6000;
/** Every slot that any agent reads (8 MB) is looked through this seldom; between, those in use and some behind them. */
const WHOLE_EVERY_MS = 60_000;
const SLOTS_BEHIND = 16;
/** Where the volumes lie changes with a new install only, which makes the reading fail; to be sure they are found anew. */
const PLACE_EVERY_MS = 600_000;

interface Found {
  readonly place: Place;
  readonly metadata: VolumeRef;
  readonly vmId: string | undefined;
  readonly memoryMiB: number | undefined;
  readonly atMs: number;
}

export interface Slot {
  readonly id: number;
  readonly reading: Exclude<SlotReading, { kind: 'empty' }>;
}

export interface Board {
  readonly atMs: number;
  /** undefined: never set, or not readable. */
  readonly globalMaintenance: boolean | undefined;
  readonly globalFault: string | undefined;
  readonly slots: readonly Slot[];
}

/** What one worker keeps of a cluster between two looks. */
export interface ClusterMemory {
  readonly ear: SlotEar;
  found: Found | undefined;
  board: Board | undefined;
  wholeAtMs: number;
  /** The slots of silent hosts were watched once: later looks go on from there. */
  watched: boolean;
  /** Of the engine VM; known on when neither engine nor configuration tell it now. */
  vmId: string | undefined;
  vmMemoryMiB: number | undefined;
}

export function newMemory(): ClusterMemory {
  return {
    ear: new SlotEar(),
    found: undefined,
    board: undefined,
    wholeAtMs: -Infinity,
    watched: false,
    vmId: undefined,
    vmMemoryMiB: undefined,
  };
}

function timestampsOf(slots: readonly Slot[]): Map<number, number> {
  return new Map(slots.flatMap(({ id, reading }) => (reading.kind === 'host' ? [[id, reading.block.hostTs]] : [])));
}

async function find(spm: HostWord, pool: string, nowMs: number, signal: AbortSignal): Promise<Found> {
  const { domain, metadata, configuration } = await findHostedEngineDomain(spm.client, undefined, signal);
  const place = { pool, domain };
  // Without its conf the VM is known by the engine's word only, which is no reason to show nothing.
  const read = await readConfiguration(spm.client, place, configuration, signal).catch(() => undefined);
  signal.throwIfAborted();
  const memory = Number(/^memSize=(\d+)$/m.exec(read?.archive.members['vm.conf'] ?? '')?.[1]);
  return {
    place,
    metadata: { image: metadata.image, volume: metadata.volume },
    vmId: read?.conf.get('vmid'),
    memoryMiB: memory > 0 ? memory : undefined,
    atMs: nowMs,
  };
}

async function read(spm: HostWord, pool: string, memory: ClusterMemory, now: () => number, signal: AbortSignal) {
  const known = memory.found;
  const usable = known !== undefined && known.place.pool === pool && now() - known.atMs < PLACE_EVERY_MS;
  const found = usable ? known : await find(spm, pool, now(), signal);
  memory.found = found;
  const whole = now() - memory.wholeAtMs > WHOLE_EVERY_MS;
  const lastId = whole ? HOST_ID_MAX : Math.min(HOST_ID_MAX, (memory.board?.slots.at(-1)?.id ?? 0) + SLOTS_BEHIND);
  const bytes = await readBoard(spm.client, found.place, found.metadata, signal, lastId);
  if (whole) memory.wholeAtMs = now();
  const { maintenance, fault } = parseGlobalBlock(bytes);
  const slots = usedSlots(bytes).flatMap((id): Slot[] => {
    const reading = parseHostBlock(slotOf(bytes, id));
    return reading.kind === 'empty' ? [] : [{ id, reading }];
  });
  memory.board = { atMs: now(), globalMaintenance: maintenance, globalFault: fault, slots };
  memory.ear.hear(timestampsOf(slots), now());
}

function noSpm(hosts: readonly HostWord[]): Missing {
  const answering = hosts.filter((host) => host.said !== undefined).map((host) => host.name);
  const why =
    answering.length === 0 ? 'no host answers' : `none of the hosts that answer (${answering.join(', ')}) is SPM`;
  const remedy =
    'The engine elects a new storage pool manager by itself within minutes, when it runs; bring up its host otherwise.';
  return { what: 'HA metadata', why, remedy };
}

/** Reads the board into `memory`. @returns what kept it from being read; undefined when it was. */
export async function askBoard(
  hosts: readonly HostWord[],
  memory: ClusterMemory,
  now: () => number,
  signal: AbortSignal,
): Promise<Missing | undefined> {
  const spm = hosts.find((host) => host.said?.spm === true);
  const pool = spm?.said?.pool;
  if (spm === undefined || pool === undefined) return noSpm(hosts);
  const answer = await attempt({ what: 'HA metadata', limitMs: LIMIT_MS, signal }, (limited) =>
    read(spm, pool, memory, now, limited),
  );
  if (answer.ok) return undefined;
  memory.found = undefined;
  return answer.missing;
}
