/** Where a host's hosted-engine.conf says that the lockspace volume is. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readHostedEngineConf } from '../../../../activities/storage/hosted-engine-conf.ts';
import { mountFolder } from '../../fixture.ts';

/** Undefined when the file is not there or does not tell. */
export function lockspaceOf(storageRoot: string, file: string): string | undefined {
  if (!existsSync(file)) return undefined;
  const conf = readHostedEngineConf(readFileSync(file, 'utf8'));
  const [, server, path] = /^(.+?):(\/.*)$/.exec(conf.get('storage') ?? '') ?? [];
  const [domain, image, volume] = ['sdUUID', 'lockspace_image_UUID', 'lockspace_volume_UUID'].map((key) =>
    conf.get(key),
  );
  if (server === undefined || path === undefined || domain === undefined) return undefined;
  return join(storageRoot, mountFolder({ server, path }), domain, 'images', image ?? '', volume ?? '');
}
