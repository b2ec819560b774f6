/** Step: back up the configuration to S3, before and after the change. Entries first, the manifest last. */
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { BackupRef, HostedEngineFacts } from '../../workflows/model/hosted-engine.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import { sha256 } from '../ids.ts';
import type { StepContext } from '../step-context.ts';
import { readWhiteboard } from '../storage/ha-metadata.ts';
import { readConfiguration } from '../storage/he-domain.ts';
import { findOvfStores } from '../storage/ovf-store.ts';
import { parseOvfStoreDescription } from '../storage/ovf-store-archive.ts';
import { readVolume } from '../storage/volumes.ts';
import type { Archive } from './client.ts';
import { backupFolder, entryKey, formatManifest, manifestKey, parseManifest, type ManifestEntry } from './manifest.ts';

type Input = StepCall & { readonly facts: HostedEngineFacts; readonly phase: 'before' | 'after' };

interface Item {
  readonly name: string;
  readonly bytes: Buffer;
}

function json(name: string, value: unknown): Item {
  return { name, bytes: Buffer.from(`${JSON.stringify(value, null, 2)}\n`, 'utf8') };
}

/** What lies on the hosted-engine domain: configuration volume, HA metadata, OVF_STORE copies with their descriptions. */
async function storageItems(counterparts: Counterparts, input: Input, context: StepContext): Promise<Item[]> {
  const { facts } = input;
  const { signal } = context;
  const spm = await counterparts.clusters.get(input.cluster).hosts.spm(facts.dataCenter.id, signal);
  const place = { pool: facts.dataCenter.id, domain: facts.domain.id };
  context.waitsFor(`${spm.name} to hand out the configuration and the HA metadata`);
  const { bytes, archive } = await readConfiguration(spm, place, facts.domain.configuration, signal);
  const items: Item[] = [
    { name: 'configuration.tar', bytes },
    { name: 'vm.conf', bytes: Buffer.from(archive.members['vm.conf'], 'utf8') },
    { name: 'ha-metadata.bin', bytes: await readWhiteboard(spm, place, facts.domain.metadata, signal) },
  ];
  for (const volume of await findOvfStores(spm, facts.domain.id, signal)) {
    items.push({ name: `ovf-store-${volume.volume}.json`, bytes: Buffer.from(volume.description, 'utf8') });
    const size = parseOvfStoreDescription(volume.description)?.size ?? 0;
    if (size > 0) {
      items.push({ name: `ovf-store-${volume.volume}.tar`, bytes: await readVolume(spm, place, volume, size, signal) });
    }
  }
  return items;
}

/** The engine's own view of what the upgrade changes. */
async function engineItems(counterparts: Counterparts, input: Input, context: StepContext): Promise<Item[]> {
  const { facts } = input;
  const engine = counterparts.clusters.get(input.cluster).engine(input.operationId, context.signal);
  const vm = (await engine.vms()).find((candidate) => candidate.id === facts.vm.id);
  return [
    json('engine-vm.json', vm ?? null),
    json('engine-hosts.json', await engine.hosts({ allContent: true })),
    json('engine-storage-domains.json', await engine.dataCenterStorageDomains(facts.dataCenter.id)),
  ];
}

/** A finished backup of this operation and phase, from an earlier try whose result was lost. */
async function finished(archive: Archive, folder: string): Promise<BackupRef | undefined> {
  const key = manifestKey(folder);
  const listed = await archive.list(`${folder}/manifest`);
  if (!listed.some((object) => object.key === key)) return undefined;
  const bytes = await archive.get(key);
  const { entries } = parseManifest(key, bytes);
  return { bucket: archive.bucket, manifestKey: key, manifestSha256: sha256(bytes), objects: entries.length };
}

async function store(
  archive: Archive,
  folder: string,
  items: readonly Item[],
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

export function backUp(counterparts: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<BackupRef>> => {
    const { archive } = counterparts;
    const { operationId, cluster, phase } = input;
    const folder = backupFolder(cluster, operationId, phase);
    await archive.ensureBucket();
    const before = await finished(archive, folder);
    if (before !== undefined) {
      return { done: 'before', summary: `s3://${before.bucket}/${before.manifestKey} is complete`, value: before };
    }
    const items = [
      ...(await storageItems(counterparts, input, context)),
      ...(await engineItems(counterparts, input, context)),
    ];
    const entries = await store(archive, folder, items, context);
    const takenAt = context.now().toISOString();
    const bytes = formatManifest({ version: 1, operation: operationId, cluster, phase, takenAt, entries });
    await archive.putOnce(manifestKey(folder), bytes, { contentType: 'application/json', signal: context.signal });
    const value = {
      bucket: archive.bucket,
      manifestKey: manifestKey(folder),
      manifestSha256: sha256(bytes),
      objects: entries.length,
    };
    const total = entries.reduce((sum, entry) => sum + entry.bytes, 0);
    return {
      done: 'now',
      summary: `${entries.length} objects, ${total} bytes, read back; s3://${value.bucket}/${folder}/`,
      value,
    };
  };
}
