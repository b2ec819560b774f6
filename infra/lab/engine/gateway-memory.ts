/** Hosts and storage that exist only in memory: for trying the engine's rules without any host. */
import type {
  FoundDomain,
  HaStats,
  HostGateway,
  HostRef,
  HostStats,
  NewVolume,
  OvfStore,
  StorageConnection,
  TarEntry,
  VolumeFacts,
} from './gateway.ts';

export interface MemoryHost {
  /** False: every call to it fails. */
  reachable: boolean;
  ha: HaStats;
  memoryBytes: number;
  vms: { id: string; status: string }[];
}

export interface MemoryDomain extends FoundDomain {
  /** `server:path` */
  readonly at: string;
  pools: string[];
  volumes: VolumeFacts[];
  stores: OvfStore[];
}

export class MemoryGateway implements HostGateway {
  readonly hosts = new Map<string, MemoryHost>();
  readonly domains = new Map<string, MemoryDomain>();
  /** Names of hosts whose repositories have updates. */
  readonly offered = new Set<string>();
  /** Names of methods that fail once with this message. */
  readonly failing = new Map<string, string>();

  #enter(method: string, host: HostRef): MemoryHost {
    const message = this.failing.get(method);
    if (message !== undefined) {
      this.failing.delete(method);
      throw new Error(message);
    }
    const found = this.hosts.get(host.name);
    if (found?.reachable !== true) throw new Error(`${host.name} does not answer`);
    return found;
  }

  #domain(method: string, host: HostRef, id: string): MemoryDomain {
    this.#enter(method, host);
    const found = this.domains.get(id);
    if (found === undefined) throw new Error(`Storage domain does not exist: ('${id}',)`);
    return found;
  }

  async hostStats(host: HostRef): Promise<HostStats> {
    const { ha, memoryBytes, vms } = this.#enter('hostStats', host);
    return { ha, memoryBytes, spm: [...this.hosts.keys()][0] === host.name, vms: vms.map((vm) => ({ ...vm })) };
  }

  async setHaMaintenance(host: HostRef, mode: 'GLOBAL' | 'LOCAL', enabled: boolean): Promise<void> {
    const target = this.#enter('setHaMaintenance', host);
    if (mode === 'LOCAL') target.ha = { ...target.ha, localMaintenance: enabled, score: enabled ? 0 : 3400 };
    else for (const one of this.hosts.values()) one.ha = { ...one.ha, globalMaintenance: enabled };
  }

  async deployHostedEngine(host: HostRef, action: 'deploy' | 'undeploy'): Promise<void> {
    const target = this.#enter('deployHostedEngine', host);
    const on = action === 'deploy';
    target.ha = { configured: on, active: on, score: on ? 3400 : 0, globalMaintenance: false, localMaintenance: false };
  }

  async afterHostDeploy(host: HostRef): Promise<void> {
    this.#enter('afterHostDeploy', host);
  }

  async createPool(host: HostRef, poolId: string, domainId: string): Promise<void> {
    this.#enter('createPool', host);
    await this.attachDomain(host, poolId, domainId);
  }

  async moveSpm(from: HostRef): Promise<void> {
    this.#enter('moveSpm', from);
  }

  async updatesOffered(host: HostRef): Promise<boolean> {
    this.#enter('updatesOffered', host);
    return this.offered.has(host.name);
  }

  async installUpdates(host: HostRef): Promise<void> {
    this.#enter('installUpdates', host);
    this.offered.delete(host.name);
  }

  async reboot(host: HostRef): Promise<void> {
    this.#enter('reboot', host);
  }

  async migrateVm(vmId: string, from: HostRef, to: HostRef): Promise<void> {
    const [source, target] = [this.#enter('migrateVm', from), this.#enter('migrateVm', to)];
    target.vms.push(...source.vms.filter((vm) => vm.id === vmId));
    source.vms = source.vms.filter((vm) => vm.id !== vmId);
  }

  async connectStorage(host: HostRef): Promise<void> {
    this.#enter('connectStorage', host);
  }

  async disconnectStorage(host: HostRef): Promise<void> {
    this.#enter('disconnectStorage', host);
  }

  async listDomains(host: HostRef, connection: StorageConnection): Promise<readonly FoundDomain[]> {
    this.#enter('listDomains', host);
    return [...this.domains.values()].filter((one) => one.at === `${connection.address}:${connection.path}`);
  }

  async createDomain(
    host: HostRef,
    connection: StorageConnection,
    domain: { id: string; name: string; format: string },
  ): Promise<void> {
    this.#enter('createDomain', host);
    this.domains.set(domain.id, {
      ...domain,
      at: `${connection.address}:${connection.path}`,
      pools: [],
      volumes: [],
      stores: [],
    });
  }

  async domainStats(host: HostRef, domainId: string): Promise<{ total: number; free: number }> {
    this.#domain('domainStats', host, domainId);
    return { total: 200 * 1024 ** 3, free: 120 * 1024 ** 3 };
  }

  async attachDomain(host: HostRef, poolId: string, domainId: string): Promise<void> {
    this.#domain('attachDomain', host, domainId).pools.push(poolId);
  }

  async activateDomain(host: HostRef, _poolId: string, domainId: string): Promise<void> {
    this.#domain('activateDomain', host, domainId);
  }

  async deactivateDomain(host: HostRef, _poolId: string, domainId: string): Promise<void> {
    this.#domain('deactivateDomain', host, domainId);
  }

  async detachDomain(host: HostRef, poolId: string, domainId: string): Promise<void> {
    const domain = this.#domain('detachDomain', host, domainId);
    domain.pools = domain.pools.filter((one) => one !== poolId);
  }

  async formatDomain(host: HostRef, _connection: StorageConnection, domainId: string): Promise<void> {
    this.#domain('formatDomain', host, domainId);
    this.domains.delete(domainId);
  }

  async listVolumes(host: HostRef, _poolId: string, domainId: string): Promise<readonly VolumeFacts[]> {
    return this.#domain('listVolumes', host, domainId).volumes;
  }

  async readOvfStores(host: HostRef, _poolId: string, domainId: string): Promise<readonly OvfStore[]> {
    return this.#domain('readOvfStores', host, domainId).stores;
  }

  async writeOvfStores(host: HostRef, _poolId: string, domainId: string, entries: readonly TarEntry[]): Promise<void> {
    const domain = this.#domain('writeOvfStores', host, domainId);
    if (domain.stores.length === 0) throw new Error('the domain has no OVF_STORE');
    domain.stores = domain.stores.map((store) => ({ ...store, updated: true, lastUpdated: Date.now(), entries }));
  }

  async createVolume(host: HostRef, _poolId: string, domainId: string, volume: NewVolume): Promise<void> {
    const domain = this.#domain('createVolume', host, domainId);
    domain.volumes.push({ ...volume, actualSize: volume.sparse ? 0 : volume.capacity, legal: true });
    if (volume.diskType === 'OVFS') {
      domain.stores.push({ image: volume.image, volume: volume.volume, updated: false, lastUpdated: 0, entries: [] });
    }
  }

  async deleteImage(host: HostRef, _poolId: string, domainId: string, image: string): Promise<void> {
    const domain = this.#domain('deleteImage', host, domainId);
    domain.volumes = domain.volumes.filter((one) => one.image !== image);
  }

  async close(): Promise<void> {}
}
