/** Steps: look at a host before it goes into maintenance or comes out of it. Nothing is changed. */
import { isInEngineMaintenance, type HostFacts } from '../../workflows/model/host-maintenance.ts';
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { Cluster } from '../clusters.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import { poll, type StepContext } from '../step-context.ts';
import type { VdsmClient } from '../vdsm/client.ts';
import { engineVmPlaces, type EngineVmPlace } from '../vdsm/engine-vm-place.ts';
import { haState, haText, type HaState } from '../vdsm/ha-state.ts';
import type { EngineClient } from './client.ts';
import { unmet } from './hosted-engine.ts';
import { otherHosts } from './other-hosts.ts';
import type { Host, Vm } from './types.ts';

type Input = StepCall & { readonly host: string };

/** The cluster's hosts, with what the engine knows of their HA agents. */
export async function clusterHosts(engine: EngineClient, clusterName: string): Promise<Host[]> {
  const cluster = (await engine.clusters()).find(({ name }) => name === clusterName);
  if (cluster === undefined) {
    const remedy = 'Name the cluster as the engine does, then start anew.';
    throw unmet(
      'engine/no-such-cluster',
      `cluster ${clusterName}`,
      'the engine does not know it',
      'no cluster of that name',
      remedy,
    );
  }
  return (await engine.hosts({ allContent: true })).filter((host) => host.clusterId === cluster.id);
}

/** @throws CounterpartError needs-operator when the cluster has no host of that name. */
export function hostNamed(hosts: readonly Host[], name: string, cluster: string): Host {
  const found = hosts.find((host) => host.name === name);
  if (found !== undefined) return found;
  const known = hosts.map((host) => host.name).join(', ') || 'none';
  throw unmet(
    'engine/no-such-host',
    `host ${name}`,
    `cluster ${cluster} has no host of that name`,
    `its hosts are ${known}`,
    'Name the host as the engine does, then start anew.',
  );
}

/** @throws CounterpartError needs-operator when the engine knows no hosted-engine VM. */
export async function findEngineVm(engine: EngineClient): Promise<Vm> {
  const found = (await engine.vms()).find(({ origin }) => origin?.endsWith('hosted_engine') === true);
  if (found !== undefined) return found;
  throw unmet(
    'engine-vm/unknown',
    'engine VM',
    'the engine does not know its own VM',
    'no VM of origin hosted_engine or managed_hosted_engine',
    'Upgrade the hosted engine first, so that the engine knows its VM, then retry.',
  );
}

/** @throws CounterpartError needs-operator when hosted engine is not deployed there; retryable when its services are silent. */
async function requireDeployed(host: VdsmClient, signal: AbortSignal): Promise<HaState> {
  const state = await haState(host, signal);
  if (state.configured) return state;
  const { hostedEngineDeployed } = await host.call('Host.getCapabilities', {}, { signal });
  if (hostedEngineDeployed === true) {
    throw new CounterpartError({
      type: 'ha/services-silent',
      kind: 'retryable',
      subject: `host ${host.name}`,
      what: 'its local HA maintenance can’t be read',
      why: 'hosted engine is deployed there, but its HA services do not answer VDSM',
      remedy: `It is tried again by itself; if it lasts, start ovirt-ha-broker and ovirt-ha-agent on ${host.name}.`,
    });
  }
  throw unmet(
    'ha/not-deployed',
    `host ${host.name}`,
    'it is no hosted-engine host',
    'hosted engine is not deployed there (hostedEngineDeployed is false)',
    'Use the engine’s own maintenance for it: there is no HA side to keep in step.',
  );
}

const POLL_MS = 250;
/** The engine polls its hosts every 15 s. */
const SEEN_LIMIT_MS = 20_000;

/** As `clusterHosts`, and gives an engine that has just started the time to ask each host of its HA agent. */
export async function hostsOnceSeen(engine: EngineClient, clusterName: string, context: StepContext): Promise<Host[]> {
  let hosts: Host[] = [];
  const what = 'the engine to see the HA agents of its hosts';
  await poll(context, { what, everyMs: POLL_MS, limitMs: SEEN_LIMIT_MS }, async () => {
    hosts = await clusterHosts(engine, clusterName);
    return hosts.every(({ status, hostedEngine }) => status !== 'up' || hostedEngine !== undefined) ? true : undefined;
  });
  return hosts;
}

export interface HostLook {
  readonly facts: HostFacts;
  readonly host: Host;
  readonly ha: HaState;
  readonly hosts: readonly Host[];
  readonly places: readonly EngineVmPlace[];
}

export async function lookAtHost(cluster: Cluster, input: Input, context: StepContext): Promise<HostLook> {
  const { signal } = context;
  const engine = cluster.engine(input.operationId, signal);
  const hosts = await hostsOnceSeen(engine, input.cluster, context);
  const host = hostNamed(hosts, input.host, input.cluster);
  const vm = await findEngineVm(engine);
  const { id, name, address, port } = host;
  const known = { id, name, address, ...(port === undefined ? {} : { vdsmPort: port }) };
  const vdsm = cluster.hosts.ensure(known);
  const ha = await requireDeployed(vdsm, signal);
  const places = await engineVmPlaces(cluster.hosts, vm.id, signal, vdsm);
  const runsEngineVm = places.some((place) => place.host === name);
  const facts: HostFacts = {
    host: known,
    engineVm: { id: vm.id, name: vm.name },
    before: { status: host.status, localMaintenance: ha.localMaintenance, score: ha.score, runsEngineVm },
  };
  return { facts, host, ha, hosts, places };
}

export function placesText(places: readonly EngineVmPlace[]): string {
  return places.length === 0
    ? 'no host that answers runs the engine VM'
    : places.map(({ host, status }) => `the engine VM is ${status} on ${host}`).join(' and ');
}

/**
 * Whether the engine VM can be spared its host.
 * @returns notes
 * @throws CounterpartError needs-operator when it runs there and can't go anywhere else
 */
export function requireElsewhere({ facts, host, hosts, places }: HostLook): string[] {
  const { able, unable } = otherHosts(hosts, host.name);
  const here = places.some((place) => place.host === host.name);
  if (!here && able.length > 0) return [];
  const others = unable.join('; ') || 'the cluster has no other host';
  if (!here) return [`While ${host.name} is away no other host could take the engine VM over: ${others}`];
  if (host.status === 'maintenance') {
    throw unmet(
      'engine-vm/on-host-in-maintenance',
      `host ${host.name}`,
      'the engine VM runs on it although the engine has it in maintenance',
      'the engine does not look after a host in maintenance, so it can’t move the VM from there',
      `Bring ${host.name} back into service first (bellwether leave-host-maintenance), then retry.`,
    );
  }
  if (able.length > 0) return [];
  throw unmet(
    'engine-vm/no-other-host',
    `host ${host.name}`,
    `engine VM ${facts.engineVm.name} runs on it, and no other host could run it`,
    others,
    'Bring one of them up, with its ovirt-ha-agent active and a score above 0, then retry.',
  );
}

function stateText({ facts, ha }: HostLook): string {
  const { host, before } = facts;
  const half =
    isInEngineMaintenance(before.status) === ha.localMaintenance ? '' : ': half in maintenance, which is repaired';
  return `${host.name} is ${before.status} in the engine; ${haText(ha)}${half}`;
}

export function inspectHostToEnter({ clusters }: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<HostFacts>> => {
    const look = await lookAtHost(clusters.get(input.cluster), input, context);
    const notes = [
      ...requireElsewhere(look),
      ...(look.ha.globalMaintenance ? ['Global maintenance is on; it is left as it is'] : []),
    ];
    const summary = `${stateText(look)}; ${placesText(look.places)}`;
    return { done: 'now', summary, ...(notes.length === 0 ? {} : { notes }), value: look.facts };
  };
}

export function inspectHostToLeave({ clusters }: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<HostFacts>> => {
    const look = await lookAtHost(clusters.get(input.cluster), input, context);
    return { done: 'now', summary: stateText(look), value: look.facts };
  };
}
