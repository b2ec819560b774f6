/** What the engine says: its health page, and what its API knows of its VM and its hosts. */
import type { EngineLook, Missing } from '../../workflows/model/look.ts';
import type { Cluster } from '../clusters.ts';
import type { EngineClient } from '../engine/client.ts';
import type { Host, Vm } from '../engine/types.ts';
import { attempt, cut, type Attempt } from './attempt.ts';

const CALL_LIMIT_MS = 4000;
const LIMIT_MS = 6000;

export interface EngineWord {
  readonly look: EngineLook;
  /** Hosts of the cluster; undefined: the API does not answer. */
  readonly hosts: readonly Host[] | undefined;
  readonly vm: Vm | undefined;
  readonly missing: readonly Missing[];
}

/** The engine may have thousands of VMs: the whole list is read only as long as its own is not known by id. */
async function engineVm(engine: EngineClient, vmId: string | undefined): Promise<Vm | undefined> {
  const limit = { timeoutMs: CALL_LIMIT_MS };
  if (vmId !== undefined) {
    const known = await engine.vm(vmId, limit).catch(() => undefined);
    if (known !== undefined) return known;
  }
  const vms = await engine.vms(undefined, limit);
  return vms.find(({ origin }) => origin === 'managed_hosted_engine' || origin === 'hosted_engine');
}

async function askApi(engine: EngineClient, cluster: string, vmId: string | undefined) {
  const limit = { timeoutMs: CALL_LIMIT_MS };
  // First alone: one log-in for all of them.
  const { fullVersion } = await engine.test(limit);
  const [clusters, hosts, vm] = await Promise.all([
    engine.clusters(undefined, limit),
    engine.hosts({ ...limit, allContent: true }),
    engineVm(engine, vmId),
  ]);
  const own = clusters.find((one) => one.name === cluster);
  return { version: fullVersion, vm, hosts: hosts.filter((host) => host.clusterId === own?.id) };
}

/** One entry when both are silent for the same reason: it is one engine. */
function missingOf(page: Attempt<unknown>, api: Attempt<unknown>): Missing[] {
  const both = [page, api].flatMap((one) => (one.ok ? [] : [one.missing]));
  const [first, second] = both;
  if (first === undefined || second === undefined || why(first) !== why(second)) return both;
  return [{ ...first, what: 'engine, health page and API' }];
}

/** Without what was asked for. */
const why = (missing: Missing) => missing.why.replace(/^[^:]*: /, '');

export async function askEngine(cluster: Cluster, vmId: string | undefined, signal: AbortSignal): Promise<EngineWord> {
  const ask = (what: string) => ({ what, limitMs: LIMIT_MS, signal });
  const of = (limited: AbortSignal) => cluster.engine(`look/${cluster.name}`, limited);
  const [page, api] = await Promise.all([
    attempt(ask('health page of the engine'), (limited) => of(limited).health({ timeoutMs: CALL_LIMIT_MS })),
    attempt(ask('API of the engine'), (limited) => askApi(of(limited), cluster.name, vmId)),
  ]);
  return {
    look: {
      address: cluster.engineHost,
      ...(page.ok ? { healthy: page.value.healthy } : {}),
      health: page.ok ? cut(page.value.text) : page.missing.why,
      ...(api.ok ? { version: api.value.version } : {}),
    },
    hosts: api.ok ? api.value.hosts : undefined,
    vm: api.ok ? api.value.vm : undefined,
    missing: missingOf(page, api),
  };
}
