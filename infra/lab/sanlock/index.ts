/** sanlock for the lab: a daemon for each simulated host, the real one where it is installed, a model of it elsewhere. */
import { closeSync, existsSync, ftruncateSync, fstatSync, openSync } from 'node:fs';
import { formatLease, formatLockspace } from './model-disk.ts';
import { startModel } from './model.ts';
import { findRealSanlock, formatReal, startReal } from './real.ts';
import type { LabSanlock, LabSanlockOptions, NamedPlace, SanlockKind } from './types.ts';

export { placesOf } from './places.ts';
export { findRealSanlock } from './real.ts';
export type { LabSanlock, LabSanlockOptions, LeasePlace, NamedPlace, SanlockKind, StorageState } from './types.ts';

const AREA_BYTES = 1024 * 1024;

export interface LeaseLayout {
  readonly kind: 'auto' | SanlockKind;
  readonly ioSeconds: number;
  readonly lockspace: NamedPlace;
  readonly leases: readonly NamedPlace[];
}

/** Both bodies of a lab must be of one kind: they can't read each other's disk. */
function kindOf(kind: 'auto' | SanlockKind): SanlockKind {
  if (kind !== 'auto') return kind;
  return findRealSanlock().available ? 'real' : 'model';
}

/** Resolves once the daemon listens. @throws Error when the real one is asked for and is not installed */
export async function startLabSanlock(options: LabSanlockOptions): Promise<LabSanlock> {
  return kindOf(options.kind) === 'real' ? await startReal(options, findRealSanlock()) : await startModel(options);
}

function makeRoom({ path, offset }: NamedPlace): void {
  const fd = openSync(path, existsSync(path) ? 'r+' : 'w+');
  try {
    const { size } = fstatSync(fd);
    if (size < offset + AREA_BYTES) ftruncateSync(fd, offset + AREA_BYTES);
  } finally {
    closeSync(fd);
  }
}

/**
 * Formats a lockspace and leases in it, each 1 MiB of an existing or new file: all of them are free afterwards.
 * @throws Error when the real tool refuses
 */
export function initLeases(layout: LeaseLayout): void {
  const { lockspace, leases, ioSeconds } = layout;
  for (const place of [lockspace, ...leases]) makeRoom(place);
  const real = findRealSanlock();
  if (kindOf(layout.kind) === 'real') {
    if (!real.available) throw new Error(real.why);
    formatReal(real.program, ioSeconds, lockspace, leases);
    return;
  }
  formatLockspace(lockspace, lockspace.name, ioSeconds);
  for (const lease of leases) formatLease({ ...lease, lockspace: lockspace.name });
}

/** Arguments and environment that make a Node program own a lease for as long as it lives (`hold-lease.ts`). */
export function holdingLease(
  socketPath: string,
  lease: NamedPlace & { readonly lockspace: string },
): { readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> } {
  return {
    args: ['--import', new URL('hold-lease.ts', import.meta.url).href],
    env: { LAB_SANLOCK_SOCKET: socketPath, LAB_LEASE: JSON.stringify(lease) },
  };
}
