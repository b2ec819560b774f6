/** Where a hosted engine's lockspaces and the lease of its VM lie. */
import { join } from 'node:path';
import { labPaths, mountFolder, type LabFixture } from '../fixture.ts';

const LOCKSPACE_HE = 'hosted-engine';

export function placesOf(fixture: LabFixture, lockspacePath: string) {
  const mount = join(labPaths(fixture.dir).storageRoot, mountFolder(fixture.heDomain), fixture.heDomain.id);
  const { image, volume } = fixture.heDisks.vm;
  return {
    disk: join(mount, 'images', image, volume),
    domain: { name: fixture.heDomain.id, path: join(mount, 'dom_md', 'ids'), offset: 0 },
    lease: {
      lockspace: fixture.heDomain.id,
      name: volume,
      path: `${join(mount, 'images', image, volume)}.lease`,
      offset: 0,
    },
    board: { name: LOCKSPACE_HE, path: lockspacePath, offset: 0 },
  };
}
