/** Free space of a domain. The lab shows that of its own disk, or none while the fault `storage-full` is on. */
import { statfsSync } from 'node:fs';
import type { HostState } from '../host-state.ts';

/** Decimal strings of bytes, as VDSM sends them. */
export function diskSpace(host: HostState, dir: string): { disktotal: string; diskfree: string } {
  const { blocks, bavail, bsize } = statfsSync(dir);
  const full = host.faults.peek('storage-full') !== undefined;
  return { disktotal: String(blocks * bsize), diskfree: full ? '0' : String(bavail * bsize) };
}
