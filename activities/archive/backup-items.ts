/** What a backup consists of: what lies on the hosted-engine domain, and what the engine says. */
import type { NotTaken, StorageFacts } from '../../workflows/model/backup.ts';
import type { StepCall } from '../../workflows/model/operation.ts';
import type { Cluster } from '../clusters.ts';
import type { EngineClient } from '../engine/client.ts';
import { ifEngineAnswers } from '../engine/if-engine-answers.ts';
import type { Vm } from '../engine/types.ts';
import type { StepContext } from '../step-context.ts';
import { CONFIGURATION_BYTES, readConfigurationArchive } from '../storage/configuration-archive.ts';
import { readWhiteboard } from '../storage/ha-metadata.ts';
import { parseOvfStoreDescription } from '../storage/ovf-store-archive.ts';
import { findOvfStores, OVF_STORE_BYTES } from '../storage/ovf-store.ts';
import { readUpTo, readVolume, type FoundVolume, type Place } from '../storage/volumes.ts';
import type { VdsmClient } from '../vdsm/client.ts';

/** Where it is known, the engine VM's id; else the engine's own word tells which VM it is. */
export type BackedUp = StorageFacts & { readonly vm?: { readonly id: string } };

export interface BackupItem {
  readonly name: string;
  readonly bytes: Buffer;
}

export interface Gathered {
  readonly items: readonly BackupItem[];
  readonly notTaken: readonly NotTaken[];
}

/** Names of the items, for whoever reads a backup. */
export const ITEMS = {
  configuration: 'configuration.tar',
  vmConf: 'vm.conf',
  hostedEngineConf: 'hosted-engine.conf',
  haMetadata: 'ha-metadata.bin',
  engineOvf: 'engine-vm.ovf',
  ovfStoreDescription: (volume: string) => `ovf-store-${volume}.json`,
  ovfStoreContent: (volume: string) => `ovf-store-${volume}.tar`,
} as const;

function json(name: string, value: unknown): BackupItem {
  return { name, bytes: Buffer.from(`${JSON.stringify(value, null, 2)}\n`, 'utf8') };
}

/** The archive as it lies there even when it can't be read: a person may still get something out of it. */
async function configurationItems(spm: VdsmClient, place: Place, facts: BackedUp, signal: AbortSignal) {
  const bytes = await readUpTo(spm, place, facts.domain.configuration, CONFIGURATION_BYTES, signal);
  const archive = await readConfigurationArchive(bytes);
  const whole = { name: ITEMS.configuration, bytes };
  const members = [ITEMS.vmConf, ITEMS.hostedEngineConf] as const;
  if (!archive.ok) {
    const why = `the configuration volume can’t be read as an archive: ${archive.problem}`;
    return { items: [whole], notTaken: members.map((name) => ({ name, why })) };
  }
  const texts = members.map((name) => ({ name, bytes: Buffer.from(archive.members[name], 'utf8') }));
  return { items: [whole, ...texts], notTaken: [] };
}

/** One OVF_STORE copy: its description always, its content where the description says how much of it counts. */
async function copyItems(spm: VdsmClient, place: Place, volume: FoundVolume, signal: AbortSignal): Promise<Gathered> {
  const description = {
    name: ITEMS.ovfStoreDescription(volume.volume),
    bytes: Buffer.from(volume.description, 'utf8'),
  };
  const name = ITEMS.ovfStoreContent(volume.volume);
  const size = parseOvfStoreDescription(volume.description)?.size ?? 0;
  if (size < 1 || size > OVF_STORE_BYTES) {
    const why = size < 1 ? 'the copy is empty, or somebody is writing it' : `its size is said to be ${size}`;
    return { items: [description], notTaken: [{ name, why }] };
  }
  return { items: [description, { name, bytes: await readVolume(spm, place, volume, size, signal) }], notTaken: [] };
}

/** What lies on the hosted-engine domain: configuration volume, HA metadata, OVF_STORE copies with their descriptions. */
export async function storageItems(cluster: Cluster, facts: BackedUp, context: StepContext): Promise<Gathered> {
  const { signal } = context;
  const spm = await cluster.hosts.spm(facts.dataCenter.id, signal);
  const place = { pool: facts.dataCenter.id, domain: facts.domain.id };
  context.waitsFor(`${spm.name} to hand out the configuration and the HA metadata`);
  const parts: Gathered[] = [await configurationItems(spm, place, facts, signal)];
  const slots = { name: ITEMS.haMetadata, bytes: await readWhiteboard(spm, place, facts.domain.metadata, signal) };
  parts.push({ items: [slots], notTaken: [] });
  for (const volume of await findOvfStores(spm, facts.domain.id, signal)) {
    parts.push(await copyItems(spm, place, volume, signal));
  }
  return { items: parts.flatMap((part) => part.items), notTaken: parts.flatMap((part) => part.notTaken) };
}

function isEngineVm(vm: Vm, facts: BackedUp): boolean {
  if (facts.vm !== undefined) return vm.id === facts.vm.id;
  return vm.origin === 'managed_hosted_engine' || vm.origin === 'hosted_engine';
}

const ENGINE_ITEMS = ['engine-vm.json', 'engine-hosts.json', 'engine-storage-domains.json'] as const;

async function askEngine(engine: EngineClient, facts: BackedUp): Promise<BackupItem[]> {
  const [vmItem, hostsItem, domainsItem] = ENGINE_ITEMS;
  const known = (await engine.vms()).find((candidate) => isEngineVm(candidate, facts));
  const vm = known === undefined ? undefined : await engine.vm(known.id, { allContent: true });
  const ovf = vm?.ovf?.trim() ? [{ name: ITEMS.engineOvf, bytes: Buffer.from(vm.ovf, 'utf8') }] : [];
  return [
    json(vmItem, known ?? null),
    ...ovf,
    json(hostsItem, await engine.hosts({ allContent: true })),
    json(domainsItem, await engine.dataCenterStorageDomains(facts.dataCenter.id)),
  ];
}

/** The engine's own view. @throws EngineError when it does not answer. */
export function engineItems(cluster: Cluster, call: StepCall, facts: BackedUp, context: StepContext) {
  return askEngine(cluster.engine(call.operationId, context.signal), facts);
}

/** The engine's own view, or what is missing without it: a backup is needed most when the engine is down. */
export async function engineItemsIfAny(
  cluster: Cluster,
  call: StepCall,
  facts: BackedUp,
  context: StepContext,
): Promise<Gathered> {
  const answer = await ifEngineAnswers(context, 'tell what it knows of its VM', () =>
    engineItems(cluster, call, facts, context),
  );
  if (answer.ok) return { items: answer.value, notTaken: [] };
  const names = [...ENGINE_ITEMS, ITEMS.engineOvf];
  return { items: [], notTaken: names.map((name) => ({ name, why: answer.why })) };
}
