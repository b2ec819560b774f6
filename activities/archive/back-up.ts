/** Steps: back up the configuration to S3. Entries first, each read back, the manifest last. */
import type { StorageFacts, TakenBackup } from '../../workflows/model/backup.ts';
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { BackupRef, HostedEngineFacts } from '../../workflows/model/hosted-engine.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import { sha256 } from '../ids.ts';
import type { StepContext } from '../step-context.ts';
import { engineItems, engineItemsIfAny, storageItems, type BackupItem, type Gathered } from './backup-items.ts';
import type { Archive } from './client.ts';
import type { BackupPhase } from './keys.ts';
import { backupFolder, entryKey, formatManifest, manifestKey, parseManifest } from './manifest.ts';
import type { Manifest, ManifestEntry } from './manifest.ts';

function taken(archive: Archive, key: string, bytes: Buffer, { entries, notTaken = [] }: Manifest): TakenBackup {
  return {
    bucket: archive.bucket,
    manifestKey: key,
    manifestSha256: sha256(bytes),
    objects: entries.length,
    bytes: entries.reduce((sum, entry) => sum + entry.bytes, 0),
    notTaken,
  };
}

/** A finished backup of this operation and phase, from an earlier try whose result was lost. */
async function finished(archive: Archive, folder: string): Promise<TakenBackup | undefined> {
  const key = manifestKey(folder);
  const listed = await archive.list(`${folder}/manifest`);
  if (!listed.some((object) => object.key === key)) return undefined;
  const bytes = await archive.get(key);
  return taken(archive, key, bytes, parseManifest(key, bytes));
}

async function store(
  archive: Archive,
  folder: string,
  items: readonly BackupItem[],
  context: StepContext,
): Promise<ManifestEntry[]> {
  const entries: ManifestEntry[] = [];
  for (const { name, bytes } of items) {
    context.waitsFor(`S3 to take ${name} (${bytes.length} bytes)`);
    const digest = sha256(bytes);
    const key = entryKey(folder, name, digest);
    await archive.putOnce(key, bytes, { signal: context.signal });
    const back = sha256(await archive.get(key));
    if (back !== digest) {
      throw new CounterpartError({
        type: 's3/read-back-differs',
        kind: 'retryable',
        subject: key,
        what: 'what was read back is not what was written',
        why: `SHA-256 ${back.slice(0, 12)} instead of ${digest.slice(0, 12)}`,
        remedy: 'It is tried again by itself; if it lasts, look at the S3 server.',
      });
    }
    entries.push({ name, key, bytes: bytes.length, sha256: digest });
  }
  return entries;
}

async function complete(
  archive: Archive,
  call: StepCall,
  phase: BackupPhase,
  gather: () => Promise<Gathered>,
  context: StepContext,
): Promise<StepOutcome<TakenBackup>> {
  const { operationId: operation, cluster } = call;
  const folder = backupFolder(cluster, operation, phase);
  await archive.ensureBucket();
  const before = await finished(archive, folder);
  if (before !== undefined) {
    return { done: 'before', summary: `s3://${before.bucket}/${before.manifestKey} is complete`, value: before };
  }
  const { items, notTaken } = await gather();
  const entries = await store(archive, folder, items, context);
  const takenAt = context.now().toISOString();
  const manifest: Manifest = { version: 1, operation, cluster, phase, takenAt, entries, notTaken };
  const bytes = formatManifest(manifest);
  await archive.putOnce(manifestKey(folder), bytes, { contentType: 'application/json', signal: context.signal });
  const value = taken(archive, manifestKey(folder), bytes, manifest);
  const lacks = notTaken.length === 0 ? '' : `; ${notTaken.length} items could not be taken`;
  return {
    done: 'now',
    summary: `${value.objects} objects, ${value.bytes} bytes, read back; s3://${value.bucket}/${folder}/${lacks}`,
    ...(notTaken.length === 0 ? {} : { notes: notTaken.map(({ name, why }) => `not taken: ${name}: ${why}`) }),
    value,
  };
}

type UpgradeInput = StepCall & { readonly facts: HostedEngineFacts; readonly phase: 'before' | 'after' };

/** For changes that go through the engine: without its answers there is no backup. */
export function backUp({ clusters, archive }: Counterparts) {
  return async (context: StepContext, input: UpgradeInput): Promise<StepOutcome<BackupRef>> => {
    const { facts, phase } = input;
    const cluster = clusters.get(input.cluster);
    const gather = async (): Promise<Gathered> => {
      const { items, notTaken } = await storageItems(cluster, facts, context);
      return { items: [...items, ...(await engineItems(cluster, input, facts, context))], notTaken };
    };
    return complete(archive, input, phase, gather, context);
  };
}

type Input = StepCall & { readonly facts: StorageFacts; readonly phase: 'manual' | 'before' };

/** The storage's part must be had; what the engine can't tell is named in the manifest. */
export function takeBackup({ clusters, archive }: Counterparts) {
  return (context: StepContext, input: Input): Promise<StepOutcome<TakenBackup>> => {
    const { facts, phase } = input;
    const cluster = clusters.get(input.cluster);
    const gather = async (): Promise<Gathered> => {
      const parts = [
        await storageItems(cluster, facts, context),
        await engineItemsIfAny(cluster, input, facts, context),
      ];
      return { items: parts.flatMap((part) => part.items), notTaken: parts.flatMap((part) => part.notTaken) };
    };
    return complete(archive, input, phase, gather, context);
  };
}
