/** Step: the preconditions. Looks at everything the upgrade needs before anything is touched. */
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { UpgradeFacts } from '../../workflows/model/upgrade.ts';
import type { Cluster } from '../clusters.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import { braceText } from '../ovf/brace.ts';
import { parseVmConf } from '../ovf/vm-conf.ts';
import type { StepContext } from '../step-context.ts';
import { readGlobalMaintenance } from '../storage/ha-metadata.ts';
import { findHostedEngineDomain, parseStorage, readConfiguration } from '../storage/he-domain.ts';
import type { VdsmClient } from '../vdsm/client.ts';
import type { EngineClient } from './client.ts';

type Input = StepCall & { readonly vmConf?: string };

function unmet(type: string, subject: string, what: string, why: string, remedy: string): CounterpartError {
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

async function inspectHosts(engine: EngineClient, clusterId: string): Promise<string[]> {
  const hosts = (await engine.hosts({ allContent: true })).filter((host) => host.clusterId === clusterId);
  const able = hosts.filter(
    (host) => host.status === 'up' && host.hostedEngine?.active === true && host.hostedEngine.score > 0,
  );
  if (able.length === 0) {
    const states = hosts.map((host) => `${host.name} ${host.status}, score ${host.hostedEngine?.score ?? 'none'}`);
    throw unmet(
      'engine/no-hosted-engine-host',
      'hosts',
      'no host is up with an active HA agent and a score above 0',
      states.join('; ') || 'the cluster has no host',
      'Bring up a hosted-engine host and its ovirt-ha-agent, then retry.',
    );
  }
  return able.map((host) => host.name);
}

async function inspectVm(engine: EngineClient, vmId: string, vmName: string) {
  const vms = await engine.vms();
  const vm = vms.find((candidate) => candidate.id === vmId);
  const namesake = vms.find((candidate) => candidate.name === vmName && candidate.id !== vmId);
  if (vm === undefined && namesake !== undefined) {
    throw unmet(
      'engine/vm-name-taken',
      `VM ${vmName}`,
      'the engine has another VM of that name',
      `its id is ${namesake.id}, the hosts run ${vmId}`,
      'Rename or remove that VM in the engine, then retry.',
    );
  }
  return vm;
}

function vmConfIdentity(text: string | undefined): { domain?: string; name?: string } {
  if (text === undefined) return {};
  const parsed = parseVmConf(text);
  if (!parsed.ok) {
    const [first] = parsed.problems;
    throw unmet(
      'ovf/bad-vm-conf',
      'vm.conf of the request',
      'it can’t be read',
      `${parsed.problems.length} problems, the first in line ${first?.line ?? 1}: ${first?.what ?? ''}`,
      'Correct the file (bellwether convert FILE lists every problem), then start anew.',
    );
  }
  const disk = parsed.conf.devices.find(
    (device) => braceText(device, 'type') === 'disk' && braceText(device, 'device') !== 'cdrom',
  );
  const domain = disk === undefined ? undefined : braceText(disk, 'domainID');
  return {
    ...(domain === undefined ? {} : { domain }),
    name: parsed.conf.vmName,
  };
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

export function inspectUpgrade({ clusters }: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<UpgradeFacts>> => {
    const cluster = clusters.get(input.cluster);
    const engine = cluster.engine(input.operationId, context.signal);
    const given = vmConfIdentity(input.vmConf);
    const api = await engine.test();
    const { cluster: named, dataCenter, domains } = await inspectDataCenter(engine, input.cluster);
    const able = await inspectHosts(engine, named.id);
    const spm = await cluster.hosts.spm(dataCenter.id, context.signal);
    const { found, storage, maintenance } = await inspectStorage(cluster, spm, dataCenter.id, given.domain, context);
    const name = given.name ?? 'HostedEngine';
    const vm = await inspectVm(engine, storage.vmId, name);
    const managed = vm?.origin === 'managed_hosted_engine';
    const facts: UpgradeFacts = {
      dataCenter: { id: dataCenter.id, name: dataCenter.name },
      cluster: { id: named.id, name: named.name, compatibility: `${named.version.major}.${named.version.minor}` },
      engineVersion: api.fullVersion,
      vm: { id: storage.vmId, name: vm?.name ?? name, origin: vm?.origin ?? 'unknown' },
      alreadyManaged: managed,
      domain: {
        id: found.domain,
        type: storage.type,
        address: storage.address,
        path: storage.path,
        metadata: { image: found.metadata.image, volume: found.metadata.volume },
        configuration: { image: found.configuration.image, volume: found.configuration.volume },
      },
      globalMaintenanceBefore: maintenance,
      domainKnownBefore: domains.some((domain) => domain.id === found.domain),
    };
    const state = managed ? 'managed already' : `not managed yet (origin ${facts.vm.origin})`;
    return {
      done: 'now',
      summary: `data center ${dataCenter.name} is up; engine VM ${facts.vm.name} is ${state}; able hosts: ${able.join(', ')}`,
      value: facts,
    };
  };
}
