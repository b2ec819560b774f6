/**
 * Step: the engine installs a host with hosted engine (engine.md 8.2). A host of that name is never added twice: whatever
 * became of an earlier try, the next one looks for it by its name and goes on from there.
 */
import type { AddHostFacts, DeployedHost } from '../../workflows/model/add-host.ts';
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { HostAccess } from '../../workflows/model/requests.ts';
import type { Cluster } from '../clusters.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import type { Secrets } from '../secrets.ts';
import type { StepContext } from '../step-context.ts';
import { slotOf } from '../storage/slot.ts';
import { haState, haStateOrSilence } from '../vdsm/ha-state.ts';
import type { EngineClient } from './client.ts';
import { hostIdOf } from './host-id.ts';
import { awaitInstalled, isInstalling } from './host-install.ts';
import { unmet } from './hosted-engine.ts';
import type { HostLogin } from './requests.ts';
import type { Host } from './types.ts';

type Input = StepCall & { readonly facts: AddHostFacts; readonly access: HostAccess; readonly sshPort?: number };

/** The engine's host of that name; undefined: none. */
export async function findHost(engine: EngineClient, name: string): Promise<Host | undefined> {
  return (await engine.hosts({ allContent: true })).find((host) => host.name === name);
}

/** @throws CounterpartError needs-operator when the password's secret can't be read */
export async function loginOf(secrets: Secrets, access: HostAccess): Promise<HostLogin> {
  return access.kind === 'public-key'
    ? { publicKey: true }
    : { rootPassword: await secrets.read(access.passwordSecret) };
}

/** A host that is up must answer; of any other silence says nothing. */
async function isDeployed(cluster: Cluster, { facts }: Input, found: Host, signal: AbortSignal): Promise<boolean> {
  const vdsm = cluster.hosts.ensure(facts.host);
  const state = found.status === 'up' ? await haState(vdsm, signal) : await haStateOrSilence(vdsm, signal);
  return typeof state !== 'string' && state.configured;
}

interface Started {
  readonly host: Host;
  readonly how: 'added' | 'installed again' | 'found under way' | 'found installed';
}

/** Begins the installation unless it is under way or done. One that failed is begun anew: that is what a retry means. */
async function start(
  cluster: Cluster,
  engine: EngineClient,
  secrets: Secrets,
  input: Input,
  signal: AbortSignal,
): Promise<Started> {
  const { facts, access, sshPort } = input;
  const { name, address, vdsmPort } = facts.host;
  const login = await loginOf(secrets, access);
  const found = await findHost(engine, name);
  if (found === undefined) {
    const port = {
      ...(vdsmPort === undefined ? {} : { port: vdsmPort }),
      ...(sshPort === undefined ? {} : { sshPort }),
    };
    const request = { name, address, cluster: facts.cluster.id, login, ...port, hostedEngine: 'deploy' } as const;
    return { host: await engine.addHost(request), how: 'added' };
  }
  if (isInstalling(found)) return { host: found, how: 'found under way' };
  if (found.status !== 'install_failed' && (await isDeployed(cluster, input, found, signal)))
    return { host: found, how: 'found installed' };
  if (found.status === 'up' || found.status === 'non_operational') {
    // Installed by somebody without hosted engine, or given up by the engine: it must be out of service first.
    throw unmet(
      'engine/host-in-service',
      `host ${name}`,
      'it can’t be installed now',
      `it is ${found.status} in the engine, without hosted engine`,
      'Move it to maintenance in the engine, then retry.',
    );
  }
  await engine.installHost(found.id, { login, hostedEngine: 'deploy', activate: true });
  return { host: found, how: 'installed again' };
}

/**
 * Before its agent starts: the slot of the host's id must be nobody else's. A host that was removed without undeploying
 * leaves its id to the next one and goes on writing (engine.md 8.2).
 * @returns notes
 */
async function claimSlot(
  cluster: Cluster,
  input: Input,
  host: Host,
  hostId: number,
  context: StepContext,
): Promise<string[]> {
  const own = cluster.hosts.ensure(input.facts.host);
  const isOwn = async () => {
    const state = await haStateOrSilence(own, context.signal);
    return typeof state !== 'string' && state.active;
  };
  if (await isOwn()) return [];
  const slot = await slotOf(cluster, { board: input.facts.board, hostId, except: host.name }, input, context);
  const writer = await slot.writer();
  if (writer === undefined) {
    const left = await slot.clear();
    return left === undefined ? [] : [`Slot ${hostId} of the HA metadata held a row that ${left} left; it was emptied`];
  }
  if (await isOwn()) return [];
  throw new CounterpartError({
    type: 'ha/host-id-in-use',
    kind: 'needs-operator',
    subject: `host ${host.name}`,
    what: `another HA agent uses its host id ${hostId}`,
    why: `${writer} writes slot ${hostId} of the HA metadata, although the engine gave that id to ${host.name}`,
    remedy: `Stop the HA services on ${writer} (systemctl disable --now ovirt-ha-agent ovirt-ha-broker) and remove its /etc/ovirt-hosted-engine/hosted-engine.conf, then retry.`,
  });
}

export function deployHost({ clusters, secrets }: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<DeployedHost>> => {
    const { facts } = input;
    const cluster = clusters.get(input.cluster);
    const engine = cluster.engine(input.operationId, context.signal);
    const { host, how } = await start(cluster, engine, secrets, input, context.signal);
    const hostId = await hostIdOf(engine, host);
    const notes = await claimSlot(cluster, input, host, hostId, context);
    const what = `the installation of ${host.name}`;
    const isDone = ({ status }: Host) => status === 'up';
    await awaitInstalled(engine, { host, eventsFrom: facts.eventsFrom, what, isDone }, context);
    const done = how === 'found installed' ? 'before' : 'now';
    const summary = `${host.name} was ${how}; the engine is done with it, host id ${hostId}`;
    return { done, summary, ...(notes.length === 0 ? {} : { notes }), value: { id: host.id, hostId } };
  };
}
