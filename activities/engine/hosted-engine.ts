/** Looks at a hosted engine as a whole, engine, storage and hosts: the first step of an operation. */
import type { HostedEngineFacts } from '../../workflows/model/hosted-engine.ts';
import type { StepCall } from '../../workflows/model/operation.ts';
import type { Cluster } from '../clusters.ts';
import { CounterpartError } from '../errors.ts';
import type { StepContext } from '../step-context.ts';
import { readGlobalMaintenance } from '../storage/ha-metadata.ts';
import { findHostedEngineDomain, parseStorage, readConfiguration } from '../storage/he-domain.ts';
import type { VdsmClient } from '../vdsm/client.ts';
import type { EngineClient } from './client.ts';
import type { Host, StorageDomain, Vm } from './types.ts';

/** What a person has to bring about before the operation can go on. */
export function unmet(type: string, subject: string, what: string, why: string, remedy: string): CounterpartError {
  return new CounterpartError({ type, kind: 'needs-operator', subject, what, why, remedy });
}

/** The cluster and its data center; both must be in a state in which the engine can import. */
async function inspectDataCenter(engine: EngineClient, clusterName: string) {
  const cluster = (await engine.clusters()).find((candidate) => candidate.name === clusterName);
  if (cluster === undefined) {
    throw unmet(
      'engine/no-such-cluster',
      `cluster ${clusterName}`,
      'the engine does not know it',
      'no cluster of that name',
      'Name the cluster as the engine does, then start anew.',
    );
  }
  const dataCenter = (await engine.dataCenters()).find((candidate) => candidate.id === cluster.dataCenterId);
  if (dataCenter?.status !== 'up') {
    throw unmet(
      'engine/data-center-not-up',
      `data center ${dataCenter?.name ?? String(cluster.dataCenterId)}`,
      'it is not up',
      `its status is ${dataCenter?.status ?? 'unknown'}`,
      'Bring the data center up (a host up, the master data domain active; it needs a data domain of its own, not the hosted-engine one), then retry.',
    );
  }
  const domains = await engine.dataCenterStorageDomains(dataCenter.id);
  const master = domains.find((domain) => domain.master);
  if (master?.status !== 'active') {
    throw unmet(
      'engine/master-domain-not-active',
      `data center ${dataCenter.name}`,
      'its master data domain is not active',
      master === undefined ? 'it has no master data domain' : `${master.name} is ${master.status ?? 'unknown'}`,
      'Add or activate the master data domain, then retry.',
    );
  }
  return { cluster, dataCenter, domains };
}

/** The cluster's hosts with what the engine knows of their HA agents. */
async function hostsOf(engine: EngineClient, clusterId: string): Promise<Host[]> {
  return (await engine.hosts({ allContent: true })).filter((host) => host.clusterId === clusterId);
}

/** Whether the host could run the engine VM now, as far as the engine knows. */
export function isAble(host: Host): boolean {
  return host.status === 'up' && host.hostedEngine?.active === true && host.hostedEngine.score > 0;
}

async function inspectStorage(
  cluster: Cluster,
  spm: VdsmClient,
  pool: string,
  wanted: string | undefined,
  context: StepContext,
) {
  const { signal } = context;
  const found = await cluster.hosts.onAny('no host could look at the storage', signal, (host) =>
    findHostedEngineDomain(host, wanted, signal),
  );
  const place = { pool, domain: found.domain };
  const { conf } = await readConfiguration(spm, place, found.configuration, signal);
  const storage = parseStorage(conf);
  const maintenance = await readGlobalMaintenance(spm, place, found.metadata, signal);
  return { found, storage, maintenance };
}

export interface HostedEngineLook {
  readonly facts: HostedEngineFacts;
  /** Storage domains of the data center. */
  readonly domains: readonly StorageDomain[];
  readonly vms: readonly Vm[];
  /** Hosts of the cluster. */
  readonly hosts: readonly Host[];
  /** Names of the hosts that could run the engine VM now. */
  readonly able: readonly string[];
}

/**
 * @param wanted what a given vm.conf says of the domain and the VM's name
 * @throws CounterpartError needs-operator when data center, master domain or hosted-engine domain are not as they must be.
 */
export async function lookAtHostedEngine(
  cluster: Cluster,
  call: StepCall,
  context: StepContext,
  wanted: { readonly domain?: string; readonly name?: string } = {},
): Promise<HostedEngineLook> {
  const engine = cluster.engine(call.operationId, context.signal);
  const api = await engine.test();
  const { cluster: named, dataCenter, domains } = await inspectDataCenter(engine, call.cluster);
  const hosts = await hostsOf(engine, named.id);
  const spm = await cluster.hosts.spm(dataCenter.id, context.signal);
  const { found, storage, maintenance } = await inspectStorage(cluster, spm, dataCenter.id, wanted.domain, context);
  const vms = await engine.vms();
  const vm = vms.find((candidate) => candidate.id === storage.vmId);
  const facts: HostedEngineFacts = {
    dataCenter: { id: dataCenter.id, name: dataCenter.name },
    cluster: { id: named.id, name: named.name, compatibility: `${named.version.major}.${named.version.minor}` },
    engineVersion: api.fullVersion,
    vm: { id: storage.vmId, name: vm?.name ?? wanted.name ?? 'HostedEngine', origin: vm?.origin ?? 'unknown' },
    domain: {
      id: found.domain,
      type: storage.type,
      address: storage.address,
      path: storage.path,
      metadata: { image: found.metadata.image, volume: found.metadata.volume },
      configuration: { image: found.configuration.image, volume: found.configuration.volume },
    },
    globalMaintenanceBefore: maintenance,
  };
  return { facts, domains, vms, hosts, able: hosts.filter(isAble).map((host) => host.name) };
}

/** @throws CounterpartError needs-operator when nobody could run the engine VM. */
export function requireAbleHost({ able, hosts }: Pick<HostedEngineLook, 'able' | 'hosts'>): void {
  if (able.length > 0) return;
  const states = hosts.map((host) => `${host.name} ${host.status}, score ${host.hostedEngine?.score ?? 'none'}`);
  throw unmet(
    'engine/no-hosted-engine-host',
    'hosts',
    'no host is up with an active HA agent and a score above 0',
    states.join('; ') || 'the cluster has no host',
    'Bring up a hosted-engine host and its ovirt-ha-agent, then retry.',
  );
}
