/**
 * What lies on the shared storage of a modelled sanlock, and one host's path to it.
 *
 * Host slots are sectors of the lockspace's file, one writer each, as on a real disk. A lease is a row of small files beside
 * its place, one per version: a version is made by a hard link, which exactly one host can do, as one alone wins the real
 * one's ballot. Old versions stay: a host that slept would make one anew. No lock is needed, so none is left behind by a host that is killed.
 */
import {
  closeSync,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { z } from 'zod';
import type { ModelTime } from './model-time.ts';
import type { LeasePlace, StorageState } from './types.ts';
import { RV } from './wire.ts';

const SECTOR = 512;
/** The real one has 2000. */
export const HOSTS_MAX = 64;

/** A number of sanlock's, thrown. */
export class Refused extends Error {
  readonly result: number;

  constructor(result: number) {
    super(`sanlock result ${result}`);
    this.result = result;
  }
}

const slotSchema = z.object({
  space: z.string(),
  host: z.string(),
  generation: z.number(),
  /** 0: free. */
  timestamp: z.number(),
  io: z.number(),
});
const leaseSchema = z.object({ space: z.string(), name: z.string() });
const versionSchema = z.object({ owner: z.number(), generation: z.number(), timestamp: z.number() });

export type Slot = z.infer<typeof slotSchema>;
export interface LeaseVersion extends z.infer<typeof versionSchema> {
  readonly version: number;
}

export interface LeaseName extends LeasePlace {
  readonly lockspace: string;
  readonly name: string;
}

function parse<T>(schema: z.ZodType<T>, bytes: Buffer): T {
  const end = bytes.indexOf(0);
  try {
    return schema.parse(JSON.parse(bytes.toString('utf8', 0, end < 0 ? bytes.length : end)));
  } catch {
    throw new Refused(RV.LEADER_MAGIC);
  }
}

function open(path: string, flags: string): number {
  try {
    return openSync(path, flags);
  } catch {
    throw new Refused(RV.ENODEV);
  }
}

function read(path: string, offset: number, length: number): Buffer {
  const fd = open(path, 'r');
  try {
    const bytes = Buffer.alloc(length);
    readSync(fd, bytes, 0, length, offset);
    return bytes;
  } finally {
    closeSync(fd);
  }
}

function writeSector(path: string, offset: number, value: unknown): void {
  const bytes = Buffer.alloc(SECTOR);
  bytes.write(JSON.stringify(value));
  const fd = open(path, 'r+');
  try {
    writeSync(fd, bytes, 0, SECTOR, offset);
  } finally {
    closeSync(fd);
  }
}

const versionsDir = ({ path, offset }: LeasePlace) => `${path}.lease-${offset}`;
const versionFile = (place: LeasePlace, version: number) => `${versionsDir(place)}/${version}`;

/** As `sanlock direct init`: whoever held something there holds nothing now. */
export function formatLockspace(place: LeasePlace, space: string, io: number): void {
  if (!existsSync(place.path)) writeFileSync(place.path, '');
  for (let id = 1; id <= HOSTS_MAX; id += 1)
    writeSector(place.path, place.offset + (id - 1) * SECTOR, { space, host: '', generation: 0, timestamp: 0, io });
}

export function formatLease(lease: LeaseName): void {
  if (!existsSync(lease.path)) writeFileSync(lease.path, '');
  rmSync(versionsDir(lease), { recursive: true, force: true });
  mkdirSync(versionsDir(lease), { recursive: true });
  writeFileSync(versionFile(lease, 1), JSON.stringify({ owner: 0, generation: 0, timestamp: 0 }));
  writeSector(lease.path, lease.offset, { space: lease.lockspace, name: lease.name });
}

let temporary = 0;

/** One host's path to the storage. All calls throw `Refused`, or `Killed` once the daemon is. */
export class ModelDisk {
  readonly #time: ModelTime;
  #state: StorageState = 'ok';
  readonly #bells = new Set<() => void>();

  constructor(time: ModelTime) {
    this.#time = time;
  }

  storage(state: StorageState): void {
    this.#state = state;
    for (const ring of this.#bells) ring();
  }

  /** Sector 0 is host id 1's. */
  async readSlots(place: LeasePlace, space: string, io: number): Promise<readonly Slot[]> {
    await this.#reach(io);
    const bytes = read(place.path, place.offset, HOSTS_MAX * SECTOR);
    const slots = Array.from({ length: HOSTS_MAX }, (_, i) =>
      parse(slotSchema, bytes.subarray(i * SECTOR, (i + 1) * SECTOR)),
    );
    if (slots.some((slot) => slot.space !== space)) throw new Refused(RV.LEADER_LOCKSPACE);
    return slots;
  }

  async readSlot(place: LeasePlace, space: string, id: number, io: number): Promise<Slot> {
    const slot = (await this.readSlots(place, space, io))[id - 1];
    if (slot === undefined) throw new Refused(RV.INVALID_HOSTID);
    return slot;
  }

  async writeSlot(place: LeasePlace, id: number, slot: Slot): Promise<void> {
    await this.#reach(slot.io);
    writeSector(place.path, place.offset + (id - 1) * SECTOR, slot);
  }

  async readLease(lease: LeaseName, io: number): Promise<LeaseVersion> {
    await this.#reach(io);
    const { space, name } = parse(leaseSchema, read(lease.path, lease.offset, SECTOR));
    if (space !== lease.lockspace) throw new Refused(RV.LEADER_LOCKSPACE);
    if (name !== lease.name) throw new Refused(RV.LEADER_RESOURCE);
    const numbers = readdirSync(versionsDir(lease)).map(Number);
    const version = Math.max(...numbers.filter((n) => Number.isInteger(n)));
    return { version, ...versionSchema.parse(JSON.parse(readFileSync(versionFile(lease, version), 'utf8'))) };
  }

  /** @returns false when another host was quicker */
  async writeLease(lease: LeaseName, next: LeaseVersion, io: number): Promise<boolean> {
    await this.#reach(io);
    const { version, ...content } = next;
    temporary += 1;
    const draft = `${versionsDir(lease)}/draft-${process.pid}-${temporary}`;
    writeFileSync(draft, JSON.stringify(content));
    try {
      linkSync(draft, versionFile(lease, version));
    } catch {
      return false;
    } finally {
      rmSync(draft, { force: true });
    }
    return true;
  }

  /** The storage answers, or fails, or does not within sanlock's time. */
  async #reach(io: number): Promise<void> {
    await this.#time.running();
    if (this.#state === 'hang') await this.#time.wait(this.#bells, io);
    if (this.#state === 'hang') throw new Refused(RV.AIO_TIMEOUT);
    if (this.#state === 'error') throw new Refused(RV.EIO);
  }
}
