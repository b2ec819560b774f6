/** Connects the hosted-engine domain as the reference's broker does at its start (ha-agent.md 9.7), and finds what lies where. */
import type { VdsmClient } from '../../../../activities/vdsm/client.ts';
import { BLANK_UUID } from '../../../../activities/vdsm/verbs.ts';
import type { HostedEngineFacts, VolumePlace } from '../../config/hosted-engine.ts';

export interface StoragePlaces {
  /** The board. */
  readonly metadata: string;
  /** Of the `hosted-engine` lockspace. */
  readonly lockspace: string;
  /** The lease of the engine VM's disk. */
  readonly lease: { readonly name: string; readonly path: string; readonly offset: number };
}

function ids(facts: HostedEngineFacts, { image, volume }: VolumePlace) {
  return { storagepoolID: BLANK_UUID, storagedomainID: facts.domain, imageID: image, volumeID: volume };
}

/** @throws CounterpartError of VDSM; Error when a part is missing. Everything in it may be repeated. */
export async function connectStorage(
  client: VdsmClient,
  facts: HostedEngineFacts,
  signal: AbortSignal,
): Promise<StoragePlaces> {
  if (facts.storage !== undefined) {
    const answers = await client.call('StoragePool.connectStorageServer', facts.storage, { signal });
    // Several iSCSI paths: one is enough.
    if (!answers.some(({ status }) => status === 0)) {
      throw new Error(`VDSM could not connect the storage (status ${answers.map(({ status }) => status).join(', ')})`);
    }
  }
  await client.call('StorageDomain.getStats', { storagedomainID: facts.domain }, { signal });
  const monitored = await client.call('Host.getStorageRepoStats', {}, { signal });
  if (monitored[facts.domain] === undefined) {
    await client.call('Host.startMonitoringDomain', { sdUUID: facts.domain, hostID: facts.hostId }, { signal });
  }
  const metadata = await client.call('Image.prepare', ids(facts, facts.metadata), { signal });
  const lockspace = await client.call('Image.prepare', ids(facts, facts.lockspace), { signal });
  const { lease } = await client.call('Volume.getInfo', ids(facts, facts.disk), { signal });
  const path = lease?.path;
  if (path === undefined) throw new Error(`VDSM names no lease of the engine VM’s disk ${facts.disk.volume}`);
  return {
    metadata: metadata.path,
    lockspace: lockspace.path,
    lease: { name: facts.disk.volume, path, offset: lease?.offset ?? 0 },
  };
}
