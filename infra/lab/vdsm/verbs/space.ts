/** Free space of a domain. The lab shows that of its own disk, or none while the fault `storage-full` is on. */
import { statfsSync } from 'node:fs';
import type { HostState } from '../host-state.ts';

const BARE_BYTES = 2 ** 40;

/** Decimal strings of bytes, as VDSM sends them. */
export function diskSpace(host: HostState, dir: string): { disktotal: string; diskfree: string } {
  const { blocks, bavail, bsize } = statfsSync(dir);
  // What a fresh install asks for must not hang on the disk under the lab.
  if (host.fixture.bare === true) {
    const none = host.faults.peek('storage-full') !== undefined;
    return { disktotal: String(BARE_BYTES), diskfree: none ? '0' : String(BARE_BYTES) };
  }
  const full = host.faults.peek('storage-full') !== undefined;
  return { disktotal: String(blocks * bsize), diskfree: full ? '0' : String(bavail * bsize) };
}
