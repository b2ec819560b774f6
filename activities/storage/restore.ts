/** Steps of a restore: check the backup, compare it with the present, put items back, take that back. */
import type { BackupRef } from '../../workflows/model/hosted-engine.ts';
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { RestorableItem } from '../../workflows/model/requests.ts';
import type { ItemDifference, RestoreActivities, VerifiedBackup } from '../../workflows/model/restore.ts';
import { backupFolder, manifestKey, parseManifest, type Manifest } from '../archive/manifest.ts';
import { readBackup } from '../archive/read-backup.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import { sha256 } from '../ids.ts';
import type { StepContext } from '../step-context.ts';
import {
  compareConfiguration,
  presentConfiguration,
  putConfigurationBack,
  restoreConfigurationItem,
} from './restore-configuration.ts';
import { requireSameHostedEngine, unusable, type Difference, type RestorePlace } from './restore-item.ts';
import { compareOvf, putOvfBack, restoreOvf } from './restore-ovf.ts';
import { compareSlots, putSlotsBack, restoreSlots } from './restore-slots.ts';

type InputOf<Name extends keyof RestoreActivities> = Parameters<RestoreActivities[Name]>[0];

/** A line each could be a whole file: what people and histories get to see is bounded. */
const LINES_MAX = 60;

/** What must be in a backup for the item to be restored from it. */
const NEEDS: Readonly<Record<RestorableItem, string>> = {
  ovf: 'configuration.tar',
  'vm.conf': 'configuration.tar',
  'hosted-engine.conf': 'configuration.tar',
  'configuration-archive': 'configuration.tar',
  'ha-slots': 'ha-metadata.bin',
};

function requireOwn(key: string, { cluster, operation, phase }: Manifest, wanted: string): void {
  const home = manifestKey(backupFolder(cluster, operation, phase));
  if (cluster === wanted && home === key) return;
  throw new CounterpartError({
    type: 'restore/other-cluster',
    kind: 'needs-operator',
    subject: key,
    what: `it is no backup of cluster ${wanted}`,
    why: cluster === wanted ? `its place is ${home}` : `it was taken of cluster ${cluster}`,
    remedy: 'Abort, and start anew with the key of a backup of this cluster (bellwether backup list).',
  });
}

export function verifyBackup({ archive }: Counterparts) {
  return async (context: StepContext, input: InputOf<'verifyBackup'>): Promise<StepOutcome<VerifiedBackup>> => {
    const key = input.backup;
    const bytes = await archive.get(key, { signal: context.signal });
    const manifest = parseManifest(key, bytes);
    requireOwn(key, manifest, input.cluster);
    const ref = {
      bucket: archive.bucket,
      manifestKey: key,
      manifestSha256: sha256(bytes),
      objects: manifest.entries.length,
    };
    context.waitsFor(`S3 to hand out ${ref.objects} objects`);
    await (await readBackup(archive, ref)).verify();
    for (const item of input.items) {
      const has = manifest.entries.some((entry) => entry.name === NEEDS[item]);
      if (!has) throw unusable(item, `the backup does not hold ${NEEDS[item]}`);
    }
    const { takenAt, operation } = manifest;
    const summary = `${ref.objects} objects of ${takenAt}, taken by ${operation}: every checksum is right`;
    return { done: 'now', summary, value: { ...ref, takenAt } };
  };
}

async function placeOf(
  { clusters, archive }: Counterparts,
  context: StepContext,
  input: StepCall & { readonly facts: RestorePlace['facts']; readonly from: BackupRef },
): Promise<RestorePlace & { readonly vmId: string }> {
  const { facts } = input;
  const spm = await clusters.get(input.cluster).hosts.spm(facts.dataCenter.id, context.signal);
  const place = { pool: facts.dataCenter.id, domain: facts.domain.id };
  const { operationId, cluster, startedAt } = input;
  const at = { spm, place, facts, call: { operationId, cluster, startedAt }, context };
  const from = await readBackup(archive, input.from);
  return { ...at, from, vmId: await requireSameHostedEngine(from, facts, await presentConfiguration(at)) };
}

function compareItem(at: RestorePlace & { readonly vmId: string }, item: RestorableItem): Promise<Difference> {
  if (item === 'ovf') return compareOvf(at, at.vmId);
  if (item === 'ha-slots') return compareSlots(at);
  return compareConfiguration(at, item);
}

function bounded(lines: readonly string[]): readonly string[] {
  if (lines.length <= LINES_MAX) return lines;
  return [...lines.slice(0, LINES_MAX), `and ${lines.length - LINES_MAX} more`];
}

function notRestored(left: readonly ItemDifference[]): CounterpartError {
  return new CounterpartError({
    type: 'restore/not-verified',
    kind: 'retryable',
    subject: left.map((one) => one.item).join(', '),
    what: 'it was restored, and is not as in the backup',
    why: left.flatMap(({ item, lines }) => lines.slice(0, 3).map((line) => `${item}: ${line}`)).join('; '),
    remedy:
      'It is looked at again by itself; if it lasts, somebody else writes it (the engine, a host): retry or abort.',
  });
}

export function compareWithBackup(counterparts: Counterparts) {
  return async (
    context: StepContext,
    input: InputOf<'compareWithBackup'>,
  ): Promise<StepOutcome<readonly ItemDifference[]>> => {
    const at = await placeOf(counterparts, context, input);
    const found: ItemDifference[] = [];
    for (const item of input.items) {
      const { lines, notes } = await compareItem(at, item);
      found.push({ item, lines: bounded(lines), notes: bounded(notes) });
    }
    const different = found.filter(({ lines }) => lines.length > 0);
    if (input.expectSame === true && different.length > 0) throw notRestored(different);
    const same = `${found.length} items are as in the backup`;
    const differ = `${different.map(({ item }) => item).join(', ')} differ${different.length === 1 ? 's' : ''}`;
    return {
      done: 'now',
      summary: different.length === 0 ? same : differ,
      notes: found.flatMap(({ item, lines, notes }) => [...lines, ...notes].map((line) => `${item}: ${line}`)),
      value: found,
    };
  };
}

function outcome(written: boolean, now: string, before: string): StepOutcome<null> {
  return written ? { done: 'now', summary: now, value: null } : { done: 'before', summary: before, value: null };
}

export function restoreItem(counterparts: Counterparts) {
  return async (context: StepContext, input: InputOf<'restoreItem'>): Promise<StepOutcome<null>> => {
    const { item } = input;
    const at = await placeOf(counterparts, context, input);
    const write = async () => {
      if (item === 'ovf') return restoreOvf(at, at.vmId);
      if (item === 'ha-slots') return restoreSlots(at);
      return restoreConfigurationItem(at, item, await readBackup(counterparts.archive, input.before));
    };
    return outcome(await write(), `${item} written through ${at.spm.name} and read back`, `${item} is so already`);
  };
}

export function putItemBack(counterparts: Counterparts) {
  return async (context: StepContext, input: InputOf<'putItemBack'>): Promise<StepOutcome<null>> => {
    const { item } = input;
    const at = await placeOf(counterparts, context, input);
    const before = await readBackup(counterparts.archive, input.before);
    const write = () => {
      if (item === 'ovf') return putOvfBack(at, at.vmId, before);
      if (item === 'ha-slots') return putSlotsBack(at, before);
      return putConfigurationBack(at, before);
    };
    return outcome(await write(), `${item} is as it was, from the backup taken before`, `${item} was not touched`);
  };
}
