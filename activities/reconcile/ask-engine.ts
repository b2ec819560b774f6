/** What the engine says of its VM, its storage domain and its hosts. */
import type { StepCall } from '../../workflows/model/operation.ts';
import type { Cluster } from '../clusters.ts';
import type { EngineClient } from '../engine/client.ts';
import type { Host } from '../engine/types.ts';
import type { StepContext } from '../step-context.ts';
import type { Place } from '../storage/volumes.ts';
import type { EngineWord } from './sources.ts';

/** Hosted-engine hosts are few; a metadata volume full of rubbish must not become thousands of searches. */
const SEARCHES_MAX = 32;

interface Question {
  readonly place: Place;
  readonly vmId: string | undefined;
  /** Slots in use. */
  readonly used: readonly number[];
}

/** REST shows a host's id nowhere; a search for it finds the host (engine.md 5). */
async function hostIdsOf(engine: EngineClient, hosts: readonly Host[], used: readonly number[]) {
  const ids = new Map<string, number>();
  for (const id of used.slice(0, SEARCHES_MAX)) {
    const found = await engine.hosts({ search: `spm_id=${id}` });
    for (const host of found) if (hosts.some((own) => own.id === host.id)) ids.set(host.id, id);
  }
  return ids;
}

/** @throws EngineError when it does not answer. */
export async function askEngine(cluster: Cluster, call: StepCall, question: Question, context: StepContext) {
  const { place, vmId, used } = question;
  const engine = cluster.engine(call.operationId, context.signal);
  const own = (await engine.clusters()).find((one) => one.name === call.cluster);
  const all = await engine.hosts({ allContent: true });
  const hosts = all.filter((host) => host.clusterId === own?.id);
  const vms = await engine.vms();
  const byOrigin = vms.find((vm) => vm.origin === 'managed_hosted_engine' || vm.origin === 'hosted_engine');
  const domains = await engine.dataCenterStorageDomains(place.pool);
  const word: EngineWord = {
    hosts,
    knownHosts: all.map(({ name, address }) => ({ name, address })),
    hostIds: await hostIdsOf(engine, hosts, used),
    vm: vms.find((vm) => vm.id === vmId) ?? byOrigin,
    domain: domains.find((one) => one.id === place.domain),
  };
  return word;
}
