/** The engine's hosts over VDSM: verbs through the client, OVF_STORE through the data stream (vdsm.md 10, 11). */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { rmSync, writeFileSync } from 'node:fs';

import { VdsmClient } from '../../../activities/vdsm/client.ts';
import { getVolume, putVolume } from '../../../activities/vdsm/data-stream.ts';
import { isCode } from '../../../activities/vdsm/errors.ts';
import { runTask } from '../../../activities/vdsm/tasks.ts';
import type { DiskType, VdsmVerbs } from '../../../activities/vdsm/verbs.ts';
import type { LabFixture } from '../fixture.ts';
import { labMachines, labPaths, mountFolder } from '../fixture.ts';
import { installUpdates, offeredUpdates, orderReboot } from '../packages.ts';
import { lockspaceOf } from './work/lockspace.ts';
import { runPostTasks, type PostTask } from './work/post-tasks.ts';
import {
  formatOvfStoreDescription,
  hostedEngineConf,
  packTar,
  parseOvfStoreDescription,
  unpackTar,
} from '../storage/index.ts';
import type {
  FoundDomain,
  HostGateway,
  HostRef,
  HostStats,
  NewVolume,
  OvfStore,
  StorageConnection,
  TarEntry,
  VolumeFacts,
} from './gateway.ts';

type Client = Pick<VdsmClient, 'call' | 'name' | 'peer'>;
type VolumeInfo = VdsmVerbs['Volume.getInfo']['result'];

/** Wall milliseconds: a poll must not outlast a few rounds of monitoring. */
const STATS_TIMEOUT_MS = 5_000;
/** The engine's `vdsTimeout` (180 s) and a shorter one for what only looks, in lab time; wall milliseconds at least. */
const LOOK_TIMEOUT_MS = 60_000;
const ACT_TIMEOUT_MS = 180_000;
const LEAST_TIMEOUT_MS = 8_000;
const TASK_POLL_MS = 200;
const MIGRATION_POLL_MS = 50;
/** After the loss of the SPM another host takes over within this, wall milliseconds. */
const SPM_WAIT_MS = 15_000;
const SPM_POLL_MS = 300;
const BLANK = '00000000-0000-0000-0000-000000000000';
const DISK_TYPES: readonly DiskType[] = ['DATA', 'OVFS', 'HEVD', 'HESD', 'HEMD', 'HECI'];
const DOMAIN_TYPES = { nfs: 'NFS', glusterfs: 'GLUSTERFS', posixfs: 'POSIXFS', localfs: 'LOCALFS' } as const;

export class VdsmGateway implements HostGateway {
  readonly #fixture: LabFixture;
  readonly #postTasks: readonly PostTask[];
  readonly #clients = new Map<string, VdsmClient>();
  readonly #memory = new Map<string, number>();
  /** Where the SPM was last: asked first. */
  #spmName: string | undefined;

  /** @param postTasks what the engine VM's disk has for the end of each host's deployment */
  constructor(fixture: LabFixture, postTasks: readonly PostTask[] = []) {
    this.#fixture = fixture;
    this.#postTasks = postTasks;
    // All hosts of the lab are known from the start: any of them may be the SPM that the first command needs.
    for (const { name, address, vdsmPort } of fixture.hosts) {
      if (vdsmPort > 0) this.#client({ name, address, port: vdsmPort });
    }
  }

  #client(host: Pick<HostRef, 'name' | 'address' | 'port'>): VdsmClient {
    const at = `${host.address}:${host.port}`;
    const known = this.#clients.get(at);
    if (known !== undefined) return known;
    const { ca, clientCert, clientKey } = labPaths(this.#fixture.dir);
    const client = new VdsmClient({
      name: host.name,
      address: host.address,
      port: host.port,
      ca,
      cert: clientCert,
      key: clientKey,
      callTimeoutMs: Math.max(LEAST_TIMEOUT_MS, LOOK_TIMEOUT_MS / this.#fixture.speed),
      slowCallTimeoutMs: Math.max(LEAST_TIMEOUT_MS, ACT_TIMEOUT_MS / this.#fixture.speed),
    });
    this.#clients.set(at, client);
    return client;
  }

  /** The pool's SPM among the lab's hosts; storage commands work only there (vdsm.md 9). */
  async #spm(poolId: string): Promise<VdsmClient> {
    const end = Date.now() + SPM_WAIT_MS;
    for (;;) {
      const all = [...this.#clients.values()].sort(
        (a, b) => Number(b.name === this.#spmName) - Number(a.name === this.#spmName),
      );
      for (const client of all) {
        if (await isSpm(client, poolId)) {
          this.#spmName = client.name;
          return client;
        }
      }
      if (Date.now() > end) throw new Error('no host is storage pool manager');
      await new Promise((resolve) => setTimeout(resolve, SPM_POLL_MS));
    }
  }

  async hostStats(host: HostRef): Promise<HostStats> {
    const client = this.#client(host);
    const limit = { timeoutMs: STATS_TIMEOUT_MS };
    const [stats, vms, spm, memoryBytes] = await Promise.all([
      client.call('Host.getStats', {}, limit),
      client.call('Host.getVMList', {}, limit),
      isSpm(client, this.#fixture.dataCenter.id),
      this.#memoryOf(client),
    ]);
    const score = stats.haStats?.score ?? stats.haScore ?? 0;
    return {
      memoryBytes,
      spm,
      vms: vms.filter((vm) => vm.status !== 'Down').map((vm) => ({ id: vm.vmId, status: vm.status })),
      ha: {
        configured: stats.haStats?.configured ?? stats.haScore !== undefined,
        active: stats.haStats?.active ?? score > 0,
        score,
        globalMaintenance: stats.haStats?.globalMaintenance ?? false,
        localMaintenance: stats.haStats?.localMaintenance ?? false,
      },
    };
  }

  /** Capabilities are slow and this one does not change: asked once. */
  async #memoryOf(client: VdsmClient): Promise<number> {
    const known = this.#memory.get(client.name);
    if (known !== undefined) return known;
    const { memSize = 0 } = await client.call('Host.getCapabilities', {}, { timeoutMs: STATS_TIMEOUT_MS });
    const bytes = memSize * 1024 * 1024;
    this.#memory.set(client.name, bytes);
    return bytes;
  }

  async setHaMaintenance(host: HostRef, mode: 'GLOBAL' | 'LOCAL', enabled: boolean): Promise<void> {
    await this.#client(host).call('Host.setHaMaintenanceMode', { mode, enabled });
  }

  /** What the deploy role leaves on a host: its hosted-engine.conf (engine.md 11.2). A lab host's `/etc` is its folder. */
  async deployHostedEngine(host: HostRef, action: 'deploy' | 'undeploy'): Promise<void> {
    const known = labMachines(this.#fixture).find((one) => one.address === host.address && one.vdsmPort === host.port);
    if (known === undefined) throw new Error(`${host.name} is none of the lab's hosts`);
    const file = `${labPaths(this.#fixture.dir).hostDir(known.name)}/hosted-engine.conf`;
    if (action === 'deploy') writeFileSync(file, hostedEngineConf(this.#fixture, host.spmId));
    else rmSync(file, { force: true });
  }

  /** The host's folder stands for its disk, and writing there for what the engine does over SSH. */
  #folder(host: HostRef): string {
    const known = labMachines(this.#fixture).find((one) => one.address === host.address && one.vdsmPort === host.port);
    if (known === undefined) throw new Error(`${host.name} is none of the lab's hosts`);
    return labPaths(this.#fixture.dir).hostDir(known.name);
  }

  async afterHostDeploy(host: HostRef): Promise<void> {
    const dir = this.#folder(host);
    const lockspace = () => lockspaceOf(labPaths(this.#fixture.dir).storageRoot, `${dir}/hosted-engine.conf`);
    runPostTasks(this.#postTasks, { address: host.address, dir, lockspace });
  }

  /** As the engine makes a data center's pool; each part may be there from a try that was broken off. */
  async createPool(host: HostRef, storagepoolID: string, storagedomainID: string): Promise<void> {
    const client = this.#client(host);
    const { pool } = await client.call('StorageDomain.getInfo', { storagedomainID });
    const master = { storagepoolID, masterSdUUID: storagedomainID, masterVersion: 1 };
    if (!pool.includes(storagepoolID)) {
      await client.call('StoragePool.create', { ...master, name: 'Default', domainList: [storagedomainID] });
    }
    const domainDict = { [storagedomainID]: 'active' } as const;
    await client.call('StoragePool.connect', { ...master, hostID: host.spmId, domainDict });
    if (await isSpm(client, storagepoolID)) return;
    await runTask(client, await client.call('StoragePool.spmStart', { storagepoolID }), {
      verb: 'spmStart',
      pollMs: TASK_POLL_MS,
    });
  }

  async moveSpm(from: HostRef, to: HostRef, storagepoolID: string): Promise<void> {
    const client = this.#client(to);
    const end = Date.now() + SPM_WAIT_MS;
    // An answer that is lost on the way must not leave the pool without one.
    while (!(await isSpm(client, storagepoolID))) {
      if (Date.now() > end) throw new Error(`${to.name} did not become storage pool manager`);
      try {
        if (await isSpm(this.#client(from), storagepoolID))
          await this.#client(from).call('StoragePool.spmStop', { storagepoolID });
        const task = await client.call('StoragePool.spmStart', { storagepoolID });
        await runTask(client, task, { verb: 'spmStart', pollMs: TASK_POLL_MS });
      } catch {
        await new Promise((resolve) => setTimeout(resolve, SPM_POLL_MS));
      }
    }
    this.#spmName = to.name;
  }

  async updatesOffered(host: HostRef): Promise<boolean> {
    return offeredUpdates(this.#folder(host)).length > 0;
  }

  async installUpdates(host: HostRef): Promise<void> {
    installUpdates(this.#folder(host));
  }

  async reboot(host: HostRef): Promise<void> {
    orderReboot(this.#folder(host));
  }

  /** As the engine does it: it follows the source, and makes it forget the VM that left (vdsm.md 8). */
  async migrateVm(vmID: string, from: HostRef, to: HostRef): Promise<void> {
    const source = this.#client(from);
    await source.call('VM.migrate', { vmID, params: { dst: `${to.address}:${to.port}`, method: 'online' } });
    const end = Date.now() + ACT_TIMEOUT_MS;
    while (Date.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, MIGRATION_POLL_MS));
      // A host that does not answer for a moment is asked again: the migration goes on all the same.
      const status = await source.call('VM.getStats', { vmID }).then(
        (stats) => stats.status,
        (error: unknown) => (isCode(error, 1) ? 'gone' : undefined),
      );
      if (status === 'gone') return;
      if (status === 'Down') await source.call('VM.destroy', { vmID }).catch(() => undefined);
      else if (status !== undefined && status !== 'Migration Source')
        throw new Error(`the VM is ${status} on ${from.name} again`);
    }
    throw new Error(`nobody knows how the migration from ${from.name} ended`);
  }

  async connectStorage(host: HostRef, connection: StorageConnection): Promise<void> {
    await this.#server(host, connection, 'StoragePool.connectStorageServer');
  }

  async disconnectStorage(host: HostRef, connection: StorageConnection): Promise<void> {
    await this.#server(host, connection, 'StoragePool.disconnectStorageServer');
  }

  async #server(
    host: HostRef,
    { id, type, address, path }: StorageConnection,
    verb: 'StoragePool.connectStorageServer' | 'StoragePool.disconnectStorageServer',
  ): Promise<void> {
    const [result] = await this.#client(host).call(verb, {
      domainType: DOMAIN_TYPES[type],
      connectionParams: [{ id, connection: `${address}:${path}` }],
    });
    if (result !== undefined && result.status !== 0)
      throw new Error(`storage server ${address}:${path}: error ${result.status}`);
  }

  async listDomains(host: HostRef, { address, path }: StorageConnection): Promise<readonly FoundDomain[]> {
    const client = this.#client(host);
    const ids = await client.call('Host.getStorageDomains', {});
    const infos = await Promise.all(
      ids.map((storagedomainID) => client.call('StorageDomain.getInfo', { storagedomainID })),
    );
    return infos
      .filter((info) => info.remotePath === `${address}:${path}`)
      .map((info) => ({
        id: info.uuid,
        name: info.name,
        format: `v${info.version}`,
        pools: info.pool.filter((one) => one !== '' && one !== BLANK),
      }));
  }

  async createDomain(
    host: HostRef,
    { type, address, path }: StorageConnection,
    domain: { id: string; name: string; format: string },
  ): Promise<void> {
    await this.#client(host).call('StorageDomain.create', {
      storagedomainID: domain.id,
      domainType: DOMAIN_TYPES[type],
      typeArgs: `${address}:${path}`,
      name: domain.name,
      domainClass: 'Data',
      version: Number(domain.format.slice(1)),
    });
  }

  async domainStats(host: HostRef, storagedomainID: string): Promise<{ total: number; free: number }> {
    const { disktotal, diskfree } = await this.#client(host).call('StorageDomain.getStats', { storagedomainID });
    return { total: disktotal, free: diskfree };
  }

  /** Attaching what is attached already is done, so that an engine killed half way can go on. */
  async attachDomain(host: HostRef, storagepoolID: string, storagedomainID: string): Promise<void> {
    const { pool } = await this.#client(host).call('StorageDomain.getInfo', { storagedomainID });
    if (pool.includes(storagepoolID)) return;
    await (await this.#spm(storagepoolID)).call('StorageDomain.attach', { storagedomainID, storagepoolID });
  }

  async activateDomain(_host: HostRef, storagepoolID: string, storagedomainID: string): Promise<void> {
    await (await this.#spm(storagepoolID)).call('StorageDomain.activate', { storagedomainID, storagepoolID });
  }

  async deactivateDomain(_host: HostRef, storagepoolID: string, storagedomainID: string): Promise<void> {
    const out = await this.#outOfPool(storagepoolID, storagedomainID);
    await (await this.#spm(storagepoolID)).call('StorageDomain.deactivate', out);
  }

  async detachDomain(_host: HostRef, storagepoolID: string, storagedomainID: string): Promise<void> {
    const out = await this.#outOfPool(storagepoolID, storagedomainID);
    await (await this.#spm(storagepoolID)).call('StorageDomain.detach', out);
  }

  async #outOfPool(storagepoolID: string, storagedomainID: string) {
    const { info } = await (await this.#spm(storagepoolID)).call('StoragePool.getInfo', { storagepoolID });
    return {
      storagepoolID,
      storagedomainID,
      masterSdUUID: info.master_uuid ?? BLANK,
      masterVersion: info.master_ver ?? 0,
    };
  }

  /** The client has no verb for it: the lab's hosts share one folder, and the domain's part of it is removed. */
  async formatDomain(_host: HostRef, { address, path }: StorageConnection, domainId: string): Promise<void> {
    if (!/^[\da-f-]{36}$/.test(domainId)) throw new Error(`${domainId} is no domain id`);
    const mount = `${labPaths(this.#fixture.dir).storageRoot}/${mountFolder({ server: address, path })}`;
    await rm(`${mount}/${domainId}`, { recursive: true, force: true });
  }

  async #infos(client: Client, storagedomainID: string): Promise<readonly VolumeInfo[]> {
    const images = await client.call('StorageDomain.getImages', { storagedomainID });
    const infos: VolumeInfo[] = [];
    // One after the other: a host has eight workers for all its clients.
    for (const imageID of images) {
      const ids = { storagedomainID, imageID, storagepoolID: BLANK };
      for (const volumeID of await client.call('StorageDomain.getVolumes', ids)) {
        try {
          infos.push(await client.call('Volume.getInfo', { ...ids, volumeID }));
        } catch (error) {
          // Removed since it was listed; any other failure must not pass for "not there" (vdsm.md 11).
          if (!isCode(error, 201)) throw error;
        }
      }
    }
    return infos;
  }

  async listVolumes(host: HostRef, _poolId: string, domainId: string): Promise<readonly VolumeFacts[]> {
    return (await this.#infos(this.#client(host), domainId)).map((info) => ({
      image: info.image,
      volume: info.uuid,
      capacity: info.capacity,
      actualSize: info.truesize,
      format: info.format === 'COW' ? 'cow' : 'raw',
      sparse: info.type === 'SPARSE',
      diskType: info.disktype,
      description: info.description,
      legal: info.legality !== 'ILLEGAL' && info.status !== 'ILLEGAL',
    }));
  }

  async readOvfStores(host: HostRef, poolId: string, domainId: string): Promise<readonly OvfStore[]> {
    const stores: OvfStore[] = [];
    for (const info of await this.#infos(this.#client(host), domainId)) {
      const description = parseOvfStoreDescription(info.description);
      if (description === undefined) continue;
      const { updated, size, lastUpdated } = description;
      const entries =
        updated && size !== undefined && size > 0 ? await this.#read(poolId, domainId, info, size) : undefined;
      stores.push({
        image: info.image,
        volume: info.uuid,
        updated: entries !== undefined,
        lastUpdated: lastUpdated?.getTime() ?? 0,
        entries: entries ?? [],
      });
    }
    return stores;
  }

  /** Undefined when the bytes are no archive: such a copy is as good as none. */
  async #read(pool: string, domain: string, info: VolumeInfo, size: number): Promise<readonly TarEntry[] | undefined> {
    const spm = await this.#spm(pool);
    const bytes = await getVolume(spm.peer, { pool, domain, image: info.image, volume: info.uuid }, size);
    try {
      return [...(await unpackTar(bytes))].map(([name, content]) => ({ name, text: content.toString('utf8') }));
    } catch {
      return undefined;
    }
  }

  /** Updated=false, content, Updated=true with the size; the older copy first, the next only after it worked. */
  async writeOvfStores(host: HostRef, pool: string, domainId: string, entries: readonly TarEntry[]): Promise<void> {
    const infos = await this.#infos(this.#client(host), domainId);
    const stores = infos
      .flatMap((info) => {
        const description = parseOvfStoreDescription(info.description);
        return description === undefined ? [] : [{ info, at: description.lastUpdated?.getTime() ?? 0 }];
      })
      .sort((a, b) => a.at - b.at);
    if (stores.length === 0) throw new Error(`domain ${domainId} has no OVF_STORE`);
    const date = new Date();
    const tar = await packTar(new Map(entries.map((entry) => [entry.name, entry.text])), date);
    const spm = await this.#spm(pool);
    for (const { info } of stores) {
      const ids = { storagepoolID: pool, storagedomainID: domainId, imageID: info.image, volumeID: info.uuid };
      const describe = async (updated: boolean) => {
        const facts = updated ? { size: tar.length, lastUpdated: date } : {};
        await spm.call('Volume.setDescription', {
          ...ids,
          description: formatOvfStoreDescription({ domainId, updated, ...facts }),
        });
      };
      await describe(false);
      const { taskId } = await putVolume(
        spm.peer,
        { pool, domain: domainId, image: info.image, volume: info.uuid },
        tar,
      );
      if (taskId !== undefined) await runTask(spm, taskId, { verb: 'PUT', pollMs: TASK_POLL_MS });
      await describe(true);
    }
  }

  async createVolume(_host: HostRef, storagepoolID: string, storagedomainID: string, volume: NewVolume): Promise<void> {
    const spm = await this.#spm(storagepoolID);
    const task = await spm.call('Volume.create', {
      storagepoolID,
      storagedomainID,
      imageID: volume.image,
      volumeID: volume.volume,
      size: volume.capacity,
      volFormat: volume.format === 'cow' ? 'COW' : 'RAW',
      preallocate: volume.sparse ? 'SPARSE' : 'PREALLOCATED',
      diskType: DISK_TYPES.find((one) => one === volume.diskType) ?? 'DATA',
      desc: volume.description,
    });
    await runTask(spm, task, { verb: 'Volume.create', pollMs: TASK_POLL_MS, correlationId: randomUUID() });
  }

  async deleteImage(_host: HostRef, storagepoolID: string, storagedomainID: string, imageID: string): Promise<void> {
    const spm = await this.#spm(storagepoolID);
    const task = await spm.call('Image.delete', { storagepoolID, storagedomainID, imageID });
    await runTask(spm, task, { verb: 'Image.delete', pollMs: TASK_POLL_MS });
  }

  async close(): Promise<void> {
    await Promise.allSettled([...this.#clients.values()].map((client) => client.close()));
  }
}

async function isSpm(client: Client, storagepoolID: string): Promise<boolean> {
  try {
    const { spmStatus } = await client.call(
      'StoragePool.getSpmStatus',
      { storagepoolID },
      { timeoutMs: STATS_TIMEOUT_MS },
    );
    return spmStatus === 'SPM';
  } catch {
    // Not connected to the pool, or not reachable: not the SPM either way.
    return false;
  }
}
