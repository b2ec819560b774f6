/** Steps: data center and cluster of a fresh engine, and the first data domain that brings the data center up. */
import type { InstallAnswers } from '../../workflows/model/requests.ts';
import type { StepOutcome } from '../../workflows/model/operation.ts';
import type { UpgradeFacts } from '../../workflows/model/upgrade.ts';
import type { Counterparts } from '../counterparts.ts';
import type { CounterpartError } from '../errors.ts';
import { poll, type StepContext } from '../step-context.ts';
import { callOptions } from '../storage/volumes.ts';
import {
  connectExport,
  disconnectExport,
  domainsOn,
  firstHost,
  remotePathOf,
  type Planned,
} from '../vdsm/first-host.ts';
import { FIRST_HOST_ID } from '../storage/install-configuration.ts';
import { destroyVm } from '../vdsm/install-vm.ts';
import { destroyPool } from '../vdsm/pools.ts';
import type { EngineClient } from './client.ts';
import { unmet } from './hosted-engine.ts';
import type { Cluster, DataCenter } from './types.ts';

const POLL_MS = 250;
const UP_LIMIT_MS = 600_000;

type WithFacts = Planned & { readonly facts: UpgradeFacts };

async function ensureDataCenter(engine: EngineClient, { dataCenter: name }: InstallAnswers): Promise<DataCenter> {
  const find = async () => (await engine.dataCenters()).find((one) => one.name === name);
  return (await find()) ?? (await engine.addDataCenter(name));
}

/** A cluster's name is the engine's, not the data center's: one elsewhere can't be used (engine.md 8.1). */
async function ensureCluster(engine: EngineClient, name: string, { id, name: home }: DataCenter): Promise<Cluster> {
  const found = (await engine.clusters()).find((one) => one.name === name);
  if (found === undefined) return engine.addCluster(name, id);
  if (found.dataCenterId === id) return found;
  throw unmet(
    'engine/cluster-elsewhere',
    `cluster ${name}`,
    `it is not in data center ${home}`,
    'the engine has a cluster of that name in another one',
    'Start anew with the data center that the cluster is in; abort takes everything back.',
  );
}

/** What the rest of the install shares with an upgrade. */
export function prepareDataCenter({ clusters }: Counterparts) {
  return async (context: StepContext, input: Planned): Promise<StepOutcome<UpgradeFacts>> => {
    const { answers, plan } = input;
    const engine = clusters.get(input.cluster).engine(input.operationId, context.signal);
    const { fullVersion } = await engine.test();
    const dataCenter = await ensureDataCenter(engine, answers);
    const cluster = await ensureCluster(engine, input.cluster, dataCenter);
    const { type, address, path, domainName: name, mountOptions } = answers.storage;
    const facts: UpgradeFacts = {
      dataCenter: { id: dataCenter.id, name: dataCenter.name },
      cluster: {
        id: cluster.id,
        name: cluster.name,
        compatibility: `${cluster.version.major}.${cluster.version.minor}`,
      },
      engineVersion: fullVersion,
      vm: { id: plan.vm, name: answers.vm.name, origin: 'unknown' },
      domain: {
        id: plan.domain,
        name,
        type,
        address,
        path,
        ...(mountOptions === undefined ? {} : { mountOptions }),
        metadata: plan.metadata,
        configuration: plan.configuration,
      },
      globalMaintenanceBefore: false,
      alreadyManaged: false,
      domainKnownBefore: false,
    };
    const summary = `engine ${fullVersion}; cluster ${cluster.name} in data center ${dataCenter.name}`;
    return { done: 'now', summary, value: facts };
  };
}

async function isUp(engine: EngineClient, { dataCenter }: UpgradeFacts): Promise<boolean> {
  const found = (await engine.dataCenters()).find((one) => one.id === dataCenter.id);
  if (found?.status !== 'up') return false;
  return (await engine.dataCenterStorageDomains(dataCenter.id)).some((one) => one.master && one.status === 'active');
}

function askForDomain({ answers, facts }: WithFacts): CounterpartError {
  return unmet(
    'engine/no-master-domain',
    `data center ${facts.dataCenter.name}`,
    'it needs a data domain of its own before the hosted-engine domain can be imported',
    'the request names none (masterDomain), and the engine has none',
    `In the engine (${answers.fqdn}): Storage, Domains, New Domain; data center ${facts.dataCenter.name}, domain function Data, host ${answers.host.name}, any storage but ${remotePathOf(answers.storage)}. When it is active, retry: the step looks again.`,
  );
}

/** Creates and attaches the domain that the answers name; each part may be there from a try whose answer was lost. */
async function addMaster(engine: EngineClient, input: WithFacts): Promise<void> {
  const { answers, facts } = input;
  const { masterDomain } = answers;
  if (masterDomain === undefined) throw askForDomain(input);
  const { name, type, address, path } = masterDomain;
  const known = (await engine.storageDomains()).find((one) => one.name === name);
  const request = { name, host: answers.host.name, storageType: type, address, path };
  const domain = known ?? (await engine.importFileStorageDomain(request));
  const attached = (await engine.dataCenterStorageDomains(facts.dataCenter.id)).find((one) => one.id === domain.id);
  if (attached === undefined) await engine.attachStorageDomain(facts.dataCenter.id, domain.id);
  else if (attached.status === 'inactive' || attached.status === 'maintenance')
    await engine.activateStorageDomain(facts.dataCenter.id, domain.id);
}

export function ensureMasterDomain({ clusters }: Counterparts) {
  return async (context: StepContext, input: WithFacts): Promise<StepOutcome<null>> => {
    const { facts } = input;
    const engine = clusters.get(input.cluster).engine(input.operationId, context.signal);
    const { name } = facts.dataCenter;
    if (await isUp(engine, facts)) {
      return { done: 'before', summary: `data center ${name} is up with a master data domain`, value: null };
    }
    await addMaster(engine, input);
    const what = `data center ${name} to come up`;
    const up = await poll(context, { what, everyMs: POLL_MS, limitMs: UP_LIMIT_MS }, async () =>
      (await isUp(engine, facts)) ? true : undefined,
    );
    if (up === true)
      return { done: 'now', summary: `data center ${name} is up on ${input.answers.masterDomain?.name}`, value: null };
    const events = await engine.events({ search: 'severity>=warning', max: 5 });
    throw unmet(
      'engine/data-center-not-up',
      `data center ${name}`,
      `it did not come up in ${UP_LIMIT_MS / 60_000} minutes`,
      events.map((event) => `${event.code} ${event.description}`).join('; ') || 'the engine tells no reason',
      'Look at the data domain in the engine, repair it, then retry.',
    );
  };
}

/**
 * Compensation: the engine is stopped first, since it would go on using what is taken away. A data domain is removed
 * only where the answers named an export: that one was empty before (preflight), so what lies there is this operation's.
 */
export function removeMasterDomain(counterparts: Counterparts) {
  return async (context: StepContext, input: WithFacts): Promise<StepOutcome<null>> => {
    const { signal } = context;
    const { answers, facts } = input;
    const host = firstHost(counterparts, input);
    await destroyVm(host, input, signal);
    const pool = facts.dataCenter.id;
    const connected = await host.call('Host.getConnectedStoragePools', {}, { signal });
    const at = answers.masterDomain;
    if (at === undefined) {
      if (!connected.includes(pool)) return { done: 'before', summary: 'there was none', value: null };
      await host.call('StoragePool.spmStop', { storagepoolID: pool }, callOptions(input, signal));
      const ids = { storagepoolID: pool, hostID: FIRST_HOST_ID };
      await host.call('StoragePool.disconnect', ids, callOptions(input, signal));
      const summary = 'the data domain was not of this operation and stays; the host let go of its pool';
      return { done: 'now', summary, value: null };
    }
    await connectExport(host, at, signal);
    const made = await domainsOn(host, at, signal);
    for (const { id: master } of made) {
      await destroyPool(host, input, { pool, master, hostId: FIRST_HOST_ID }, signal);
      await host.call('StorageDomain.format', { storagedomainID: master }, callOptions(input, signal));
    }
    await disconnectExport(host, at, signal);
    if (made.length === 0) return { done: 'before', summary: 'there was none', value: null };
    return { done: 'now', summary: `${at.name} removed from ${remotePathOf(at)}`, value: null };
  };
}
