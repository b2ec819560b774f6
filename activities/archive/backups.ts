/** The backups of a cluster: listed, and the older ones removed. */
import type { BackupRef } from '../../workflows/model/hosted-engine.ts';
import type { BackupList, ListedBackup } from '../../workflows/model/look.ts';
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import type { StepContext } from '../step-context.ts';
import type { Archive, ArchiveCall, ListedObject } from './client.ts';
import { encodePart } from './keys.ts';
import { backupFolder, manifestKey, parseManifest } from './manifest.ts';
import { readBackup } from './read-backup.ts';

const MANIFEST = '/manifest.json';

function newestFirst(a: ListedBackup, b: ListedBackup): number {
  return a.takenAt === b.takenAt ? a.key.localeCompare(b.key) : a.takenAt < b.takenAt ? 1 : -1;
}

async function readListed(
  archive: Archive,
  key: string,
  cluster: string,
  call: ArchiveCall,
): Promise<ListedBackup | { readonly key: string; readonly why: string }> {
  try {
    const manifest = parseManifest(key, await archive.get(key, call));
    const { takenAt, operation, phase, entries, notTaken = [] } = manifest;
    const home = manifestKey(backupFolder(manifest.cluster, operation, phase));
    if (manifest.cluster !== cluster || home !== key) return { key, why: `it belongs to ${home}` };
    return {
      key,
      takenAt,
      operation,
      phase,
      items: entries.map((entry) => entry.name),
      bytes: entries.reduce((sum, entry) => sum + entry.bytes, 0),
      notTaken: notTaken.map((item) => item.name),
    };
  } catch (error) {
    if (error instanceof CounterpartError && error.facts.kind === 'needs-operator')
      return { key, why: error.facts.why };
    throw error;
  }
}

/**
 * The complete backups of a cluster, of all operations. One that can't be read is told apart and hides no other.
 * @throws CounterpartError `archive/unavailable`, `archive/access-denied`, `archive/no-bucket`
 */
export async function listBackups(archive: Archive, cluster: string, call: ArchiveCall = {}): Promise<BackupList> {
  const keys = (await archive.list(`${encodePart(cluster)}/`, call)).map((object) => object.key);
  const read = [];
  for (const key of keys) if (key.endsWith(MANIFEST)) read.push(await readListed(archive, key, cluster, call));
  const backups = read.flatMap((one) => ('why' in one ? [] : [one]));
  return { backups: backups.toSorted(newestFirst), damaged: read.flatMap((one) => ('why' in one ? [one] : [])) };
}

/** The manifest first: what follows is then no backup any more, and can't be taken for a whole one. */
async function removeFolder(archive: Archive, folder: string, { signal }: StepContext): Promise<number> {
  const objects = await archive.list(`${folder}/`, { signal });
  const manifest = manifestKey(folder);
  const first = objects.filter((object) => object.key === manifest);
  const rest = objects.filter((object) => object.key !== manifest);
  for (const { key } of [...first, ...rest]) await archive.remove(key, { signal });
  return objects.length;
}

/** Undo of a backup: what was put into S3, complete or not. */
export function discardBackup({ archive }: Counterparts) {
  return async (context: StepContext, input: StepCall): Promise<StepOutcome<null>> => {
    const removed = await removeFolder(archive, backupFolder(input.cluster, input.operationId, 'manual'), context);
    if (removed === 0) return { done: 'before', summary: 'nothing was stored', value: null };
    return { done: 'now', summary: `${removed} objects removed`, value: null };
  };
}

const isOurs = (operation: string) => operation.startsWith('backup/');

/** Half a backup of an operation that ended long ago: nobody will complete it. */
const LEFT_OVER_MS = 24 * 3_600_000;

/** Folders of `backup` operations without a manifest: left behind when a removal or a worker broke off. */
function leftOvers(objects: readonly ListedObject[], cluster: string, own: string, nowMs: number): string[] {
  const prefix = `${encodePart(cluster)}/${encodePart('backup/')}`;
  const folders = new Map<string, ListedObject[]>();
  for (const object of objects) {
    const folder = object.key.slice(0, object.key.lastIndexOf('/'));
    if (!folder.startsWith(prefix) || !folder.endsWith('/manual') || folder === own) continue;
    folders.set(folder, [...(folders.get(folder) ?? []), object]);
  }
  return [...folders].flatMap(([folder, found]) => {
    const complete = found.some((object) => object.key === manifestKey(folder));
    const young = found.some((object) => nowMs - object.modifiedMs < LEFT_OVER_MS);
    return complete || young ? [] : [folder];
  });
}

type Input = StepCall & { readonly keep: number; readonly backup: BackupRef };

/**
 * Retention: of the backups that `backup` operations of this cluster made, the `keep` newest stay, this one among them.
 * Those of other operations (taken around a change) and of other clusters are never touched, nor is what can't be read.
 */
export function removeOldBackups({ archive }: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<readonly string[]>> => {
    const { signal } = context;
    // Nothing may go before the new one is known to be whole.
    await (await readBackup(archive, input.backup)).verify();
    const { backups, damaged } = await listBackups(archive, input.cluster, { signal });
    const others = backups.filter(
      ({ key, operation, phase }) => phase === 'manual' && isOurs(operation) && key !== input.backup.manifestKey,
    );
    const removed: string[] = [];
    for (const { key } of others.slice(input.keep - 1)) {
      context.waitsFor(`S3 to remove ${key}`);
      await removeFolder(archive, key.slice(0, -MANIFEST.length), context);
      removed.push(key);
    }
    const own = input.backup.manifestKey.slice(0, -MANIFEST.length);
    const objects = await archive.list(`${encodePart(input.cluster)}/`, { signal });
    const rests = leftOvers(objects, input.cluster, own, context.now().getTime());
    for (const folder of rests) await removeFolder(archive, folder, context);
    return {
      done: removed.length + rests.length === 0 ? 'before' : 'now',
      summary: `${removed.length} older backups removed, ${Math.min(others.length + 1, input.keep)} kept`,
      notes: [
        ...removed.map((key) => `removed: ${key}`),
        ...rests.map((folder) => `removed: rest of an incomplete backup in ${folder}/`),
        ...damaged.map(({ key, why }) => `left alone, can’t be read: ${key}: ${why}`),
      ],
      value: removed,
    };
  };
}
