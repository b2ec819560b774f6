/** Step: look at everything that adding a host needs, before anything is touched. */
import type { AddHostFacts } from '../../workflows/model/add-host.ts';
import type { HostFacts } from '../../workflows/model/host-maintenance.ts';
import type { HostedEngineFacts } from '../../workflows/model/hosted-engine.ts';
import type { SshAccess } from '../../workflows/model/host-worker.ts';
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { HostAccess } from '../../workflows/model/requests.ts';
import type { Cluster } from '../clusters.ts';
import type { Counterparts } from '../counterparts.ts';
import { preflightWorker } from '../host-worker/preflight.ts';
import type { StepContext } from '../step-context.ts';
import { haState, haStateOrSilence, haText } from '../vdsm/ha-state.ts';
import type { EngineClient } from './client.ts';
import { lastEventIndex } from './host-events.ts';
import { lookAtHostedEngine, unmet, type HostedEngineLook } from './hosted-engine.ts';
import type { Host } from './types.ts';

interface Wanted {
  readonly host: string;
  readonly address: string;
  readonly vdsmPort?: number;
}

type Input = StepCall &
  Wanted & { readonly access: HostAccess; readonly agent: 'reference' | 'bellwether'; readonly ssh?: SshAccess };

/** The engine warns above it (event 526, engine.md 18). */
const HOSTS_RECOMMENDED = 7;
const VDSM_PORT = 54_321;
/** States of a host that the engine knows from which it can be installed, some by way of maintenance. */
const USABLE = new Set(['up', 'maintenance', 'preparing_for_maintenance', 'install_failed', 'non_operational']);

/** Only a managed engine VM in the same data center can get another host (engine.md 8.2). */
async function requireManagedVm(engine: EngineClient, { facts, vms }: HostedEngineLook): Promise<void> {
  const { vm, dataCenter } = facts;
  if (vm.origin !== 'managed_hosted_engine') {
    throw unmet(
      'engine/vm-not-managed',
      `engine VM ${vm.name}`,
      'the engine does not manage it, so it deploys no further host',
      `its origin is ${vm.origin}`,
      'Upgrade the hosted engine first (bellwether upgrade), then start anew.',
    );
  }
  const clusterId = vms.find(({ id }) => id === vm.id)?.clusterId;
  const home = (await engine.clusters()).find(({ id }) => id === clusterId);
  if (home?.dataCenterId === dataCenter.id) return;
  throw unmet(
    'engine/host-in-another-dc',
    `cluster ${facts.cluster.name}`,
    'its hosts can’t run the engine VM',
    `it belongs to data center ${dataCenter.name}, the engine VM to cluster ${home?.name ?? 'unknown'} in another one`,
    'Name a cluster of the engine VM’s data center, then start anew.',
  );
}

function isAt(host: Host, { address, vdsmPort = VDSM_PORT }: Wanted): boolean {
  return host.address === address && (host.port ?? VDSM_PORT) === vdsmPort;
}

/** The engine's host of that name, if it is the one that is meant. @throws CounterpartError when names or addresses clash */
function knownHost(hosts: readonly Host[], wanted: Wanted, cluster: HostedEngineFacts['cluster']): Host | undefined {
  const clash = (what: string, why: string, remedy: string) =>
    unmet('engine/host-clash', `host ${wanted.host}`, what, why, remedy);
  const named = hosts.find((host) => host.name === wanted.host);
  const there = hosts.find((host) => isAt(host, wanted));
  if (named !== undefined && !isAt(named, wanted)) {
    const at = `${named.address}:${named.port ?? VDSM_PORT}`;
    throw clash('the engine has another host of that name', `it is at ${at}`, 'Choose another name, or its address.');
  }
  if (named === undefined && there !== undefined) {
    const why = `${there.name} is at ${wanted.address}`;
    throw clash('the engine has a host at that address', why, `Start anew with the name ${there.name}.`);
  }
  if (named !== undefined && named.clusterId !== cluster.id) {
    const why = `the request names ${cluster.name}`;
    throw clash('the engine has it in another cluster', why, 'Name that cluster, or move the host, then start anew.');
  }
  if (named !== undefined && !USABLE.has(named.status)) {
    const why = `it is ${named.status}`;
    throw clash('it can’t be installed in this state', why, 'Bring it up or into maintenance, then retry.');
  }
  return named;
}

/** As the host itself says; a host that is silent and not up is installed anew. */
async function inspectKnown(cluster: Cluster, host: Host, vm: HostFacts['engineVm'], signal: AbortSignal) {
  const { id, name, address, port } = host;
  const at = { id, name, address, ...(port === undefined ? {} : { vdsmPort: port }) };
  const vdsm = cluster.hosts.ensure(at);
  const ha = host.status === 'up' ? await haState(vdsm, signal) : await haStateOrSilence(vdsm, signal);
  const told = typeof ha === 'string' ? undefined : ha;
  const before = {
    status: host.status,
    localMaintenance: told?.localMaintenance ?? false,
    score: told?.score ?? 0,
  };
  const known: HostFacts = { host: at, engineVm: vm, before };
  // Where a former installation failed half way the whole of it is done again.
  const deployed = told?.configured === true && host.status !== 'install_failed';
  return { known, deployed, text: haText(ha) };
}

function notesOf(hosts: readonly Host[], known: Host | undefined): string[] {
  const deployed = hosts.filter((host) => host.hostedEngine?.configured === true && host !== known).length;
  if (deployed < HOSTS_RECOMMENDED) return [];
  return [
    `There are ${deployed} hosted-engine hosts already; more than ${HOSTS_RECOMMENDED} are not recommended (event 526)`,
  ];
}

export function inspectNewHost(counterparts: Counterparts) {
  const { clusters, secrets } = counterparts;
  return async (context: StepContext, input: Input): Promise<StepOutcome<AddHostFacts>> => {
    // Only whether it can be read: what it says is used where the engine is told.
    if (input.access.kind === 'password') await secrets.read(input.access.passwordSecret);
    const cluster = clusters.get(input.cluster);
    const engine = cluster.engine(input.operationId, context.signal);
    const look = await lookAtHostedEngine(cluster, input, context);
    await requireManagedVm(engine, look);
    const hosts = await engine.hosts({ allContent: true });
    const { facts } = look;
    const found = knownHost(hosts, input, facts.cluster);
    const engineVm = { id: facts.vm.id, name: facts.vm.name };
    const inspected = found === undefined ? undefined : await inspectKnown(cluster, found, engineVm, context.signal);
    const { host: name, address, vdsmPort, agent, ssh = { access: input.access } } = input;
    const candidate = { name, address, host: found, ssh };
    const worker = agent === 'bellwether' ? [await preflightWorker(counterparts, candidate, context)] : [];
    const value: AddHostFacts = {
      board: {
        dataCenter: { id: facts.dataCenter.id },
        domain: { id: facts.domain.id, metadata: facts.domain.metadata },
        globalMaintenanceBefore: facts.globalMaintenanceBefore,
      },
      cluster: { id: facts.cluster.id, name: facts.cluster.name },
      engineVm,
      host: { name, address, ...(vdsmPort === undefined ? {} : { vdsmPort }) },
      ...(inspected === undefined ? {} : { known: inspected.known }),
      deployed: inspected?.deployed === true,
      eventsFrom: await lastEventIndex(engine),
    };
    const state =
      found === undefined ? 'the engine does not know it yet' : `the engine has it ${found.status}; ${inspected?.text}`;
    const notes = [...worker, ...notesOf(hosts, found)];
    return { done: 'now', summary: `${name}: ${state}`, ...(notes.length === 0 ? {} : { notes }), value };
  };
}
