/** Asks every source once. A source that does not answer is a fact, not a failure; only the storage must be readable. */
import type { StepCall } from '../../workflows/model/operation.ts';
import type { Counterparts } from '../counterparts.ts';
import { ifEngineAnswers } from '../engine/if-engine-answers.ts';
import { CounterpartError } from '../errors.ts';
import { describeOvf } from '../ovf/read-ovf.ts';
import type { StepContext } from '../step-context.ts';
import { CONFIGURATION_BYTES, readConfigurationArchive } from '../storage/configuration-archive.ts';
import { globalMaintenanceOf } from '../storage/ha-metadata.ts';
import { liveSlots, readBoard, slotOf, usedSlots } from '../storage/ha-slots.ts';
import { readHostedEngineConf } from '../storage/hosted-engine-conf.ts';
import { inspectStorage } from '../storage/inspect-storage.ts';
import { findOvfStores, readCopy } from '../storage/ovf-store.ts';
import { readUpTo, type Place } from '../storage/volumes.ts';
import { parseHostBlock } from '../storage/whiteboard.ts';
import type { VdsmClient } from '../vdsm/client.ts';
import { BLANK_UUID } from '../vdsm/verbs.ts';
import { askEngine } from './ask-engine.ts';
import type { CopyWord, HostWord, SlotWord, Sources, StorageWord } from './sources.ts';
import { isSlotOf } from './sources.ts';

const TRIES = 3;
const PAUSE_MS = 500;
const CALL_LIMIT_MS = 10_000;
/** A host that is down costs this much a try, and is not tried anew after `CALL_LIMIT_MS`. */
const PROBE_LIMIT_MS = 5000;

const SILENT = {
  configured: false,
  active: false,
  score: 0,
  localMaintenance: false,
  globalMaintenance: false,
  vmStatus: undefined,
  domainValid: undefined,
  spmId: undefined,
};

async function askOnce(
  host: VdsmClient,
  place: Place,
  vmId: string | undefined,
  signal: AbortSignal,
): Promise<HostWord> {
  await host.call('Host.ping2', {}, { timeoutMs: PROBE_LIMIT_MS, signal });
  const limit = { timeoutMs: CALL_LIMIT_MS, signal };
  const { haStats } = await host.call('Host.getStats', {}, limit);
  const vms = await host.call('Host.getVMList', {}, limit);
  const vitals = await host.call('Host.getStorageRepoStats', { domains: [place.domain] }, limit);
  const spm = await host.call('StoragePool.getSpmStatus', { storagepoolID: place.pool }, limit).catch(() => undefined);
  const vm = vms.find((one) => one.vmId === vmId && one.status !== 'Down');
  return {
    name: host.name,
    address: host.peer.address,
    configured: haStats?.configured ?? false,
    active: haStats?.active ?? false,
    score: haStats?.score ?? 0,
    localMaintenance: haStats?.localMaintenance ?? false,
    globalMaintenance: haStats?.globalMaintenance ?? false,
    vmStatus: vm?.status,
    domainValid: vitals[place.domain]?.valid,
    spmId: spm?.spmStatus === 'SPM' ? spm.spmId : undefined,
  };
}

async function askHost(
  host: VdsmClient,
  place: Place,
  vmId: string | undefined,
  context: StepContext,
): Promise<HostWord> {
  const givenUpAt = context.now().getTime() + CALL_LIMIT_MS;
  for (let tries = 1; ; tries += 1) {
    try {
      return await askOnce(host, place, vmId, context.signal);
    } catch (error) {
      context.signal.throwIfAborted();
      if (!(error instanceof CounterpartError)) throw error;
      if (tries >= TRIES || context.now().getTime() >= givenUpAt)
        return { ...SILENT, name: host.name, address: host.peer.address, silent: error.facts.why };
    }
    await context.sleep(PAUSE_MS);
  }
}

async function readCopies(
  spm: VdsmClient,
  place: Place,
  vmId: string | undefined,
  signal: AbortSignal,
): Promise<CopyWord[]> {
  const words: CopyWord[] = [];
  for (const volume of await findOvfStores(spm, place.domain, signal)) {
    const copy = await readCopy(spm, place, volume, signal);
    const at = copy.description?.lastUpdated?.toISOString();
    const base = { volume: volume.volume, ...(at === undefined ? {} : { lastUpdated: at }) };
    const text = vmId === undefined ? undefined : copy.ovfs?.get(vmId);
    const described = text === undefined ? undefined : describeOvf(text);
    if (described?.ok === true) words.push({ ...base, ovf: described.description });
    else
      words.push({
        ...base,
        fault: copy.fault ?? (described === undefined ? 'it does not hold the engine VM' : 'its OVF can’t be read'),
      });
  }
  return words;
}

async function leaseOwners(spm: VdsmClient, place: Place, conf: ReadonlyMap<string, string>, signal: AbortSignal) {
  const [image, volume] = [conf.get('vm_disk_id'), conf.get('vm_disk_vol_id')];
  if (image === undefined || volume === undefined) return [];
  const ids = { volumeID: volume, imageID: image, storagedomainID: place.domain, storagepoolID: BLANK_UUID };
  const info = await spm.call('Volume.getInfo', ids, { signal });
  return info.lease?.owners ?? [];
}

async function askStorage(
  spm: VdsmClient,
  place: Place,
  configuration: Parameters<typeof readUpTo>[2],
  signal: AbortSignal,
): Promise<StorageWord> {
  const archive = await readConfigurationArchive(
    await readUpTo(spm, place, configuration, CONFIGURATION_BYTES, signal),
  );
  const conf = archive.ok ? readHostedEngineConf(archive.members['hosted-engine.conf']) : new Map<string, string>();
  const vmId = conf.get('vmid');
  return {
    copies: await readCopies(spm, place, vmId, signal),
    vmId,
    sharedHostId: conf.get('host_id'),
    leaseOwners: await leaseOwners(spm, place, conf, signal),
  };
}

/** Every slot in use; those that no known and deployed host answers for are watched for a sign of life. */
async function askSlots(
  board: Buffer,
  answeredFor: (hostname: string) => boolean,
  read: (lastId: number) => Promise<Buffer>,
  context: StepContext,
): Promise<SlotWord[]> {
  const words = usedSlots(board).flatMap((id): SlotWord[] => {
    const reading = parseHostBlock(slotOf(board, id));
    return reading.kind === 'empty' ? [] : [{ id, reading }];
  });
  const names = words.map(({ reading }) => (reading.kind === 'host' ? reading.block.hostname : ''));
  const doubtful = words.filter(({ reading }, index) => {
    if (reading.kind !== 'host') return false;
    const { hostname } = reading.block;
    return !answeredFor(hostname) || names.indexOf(hostname) !== index || names.lastIndexOf(hostname) !== index;
  });
  if (doubtful.length === 0) return words;
  const live = await liveSlots(
    context,
    doubtful.map(({ id }) => id),
    read,
  );
  return words.map((word) => (doubtful.includes(word) ? { ...word, live: live.has(word.id) } : word));
}

export async function gather(counterparts: Counterparts, context: StepContext, call: StepCall): Promise<Sources> {
  const { signal } = context;
  const cluster = counterparts.clusters.get(call.cluster);
  const { value: facts } = await inspectStorage(counterparts)(context, call);
  const place = { pool: facts.dataCenter.id, domain: facts.domain.id };
  const spm = await cluster.hosts.spm(place.pool, signal);
  const storage = await askStorage(spm, place, facts.domain.configuration, signal);
  const read = (lastId?: number) => readBoard(spm, place, facts.domain.metadata, signal, lastId);
  const board = await read();
  const used = usedSlots(board);
  const question = { place, vmId: storage.vmId, used };
  const answer = await ifEngineAnswers(context, 'tell what it knows', () =>
    askEngine(cluster, call, question, context),
  );
  const hosts = await Promise.all(cluster.hosts.clients.map((host) => askHost(host, place, storage.vmId, context)));
  // A host that is silent may still write its slot, so it answers for it, too.
  const answering = [
    ...hosts.filter((host) => host.configured || host.silent !== undefined),
    ...(answer.ok ? answer.value.hosts.filter((host) => !hosts.some((own) => own.name === host.name)) : []),
  ];
  const answeredFor = (hostname: string) => answering.some((host) => isSlotOf(hostname, host));
  return {
    facts,
    engine: answer.ok ? answer.value : answer.why,
    hosts,
    globalMaintenance: globalMaintenanceOf(board),
    // Read anew: scores and statuses are compared with what VDSM said just now.
    slots: await askSlots(await read(used.at(-1) ?? 1), answeredFor, read, context),
    storage,
  };
}
