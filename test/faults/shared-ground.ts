/** The ground that all tests on labs share (`global-setup.ts`), as they see it. */
import { readFileSync } from 'node:fs';
import { inject } from 'vitest';
import type { Ground } from './ground.ts';

/** Whoever ends a server of it opens a ground of their own. */
const everybodys = () => Promise.reject(new Error('this server is shared with other tests'));

/** Clusters' names are unique among all tests on it: they name workflows, task queues and backups. */
export function sharedGround(): Ground {
  const { temporal, s3, bundleFile } = inject('ground');
  return {
    platform: {
      temporal,
      s3: { embedded: { ...s3, crash: everybodys, stop: everybodys } },
      stop: everybodys,
    },
    bundle: { code: readFileSync(bundleFile, 'utf8') },
    bundleFile,
  };
}
