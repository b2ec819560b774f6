/**
 * Steps: the guards of removing a host, which the engine's API has not: only its web page warns (engine.md 8.2, 17). And,
 * in the end, whether nothing is left behind.
 */
import type { SshAccess } from '../../workflows/model/host-worker.ts';
import type { RemoveHostFacts } from '../../workflows/model/remove-host.ts';
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { Cluster } from '../clusters.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import type { StepContext } from '../step-context.ts';
import { inspectBoard } from '../storage/board.ts';
import { parseAnnouncement } from '../storage/announcement.ts';
import { slotOf } from '../storage/slot.ts';
import { parseHostBlock } from '../storage/whiteboard.ts';
import { engineVmPlaces } from '../vdsm/engine-vm-place.ts';
import { haState, haText, type HaState } from '../vdsm/ha-state.ts';
import type { VdsmClient } from '../vdsm/client.ts';
import { inspectDeadHost } from './dead-host.ts';
import { findHost } from './deploy-host.ts';
import { hostIdOf } from './host-id.ts';
import { unmet } from './hosted-engine.ts';
import { clusterHosts, findEngineVm, placesText } from './inspect-host.ts';
import { otherHosts } from './other-hosts.ts';
import type { Host } from './types.ts';

type Input = StepCall & { readonly host: string; readonly dead?: boolean; readonly ssh?: SshAccess };
type VerifyInput = StepCall & { readonly facts: RemoveHostFacts; readonly fromEngine: boolean };

/** The engine installs and undeploys only what it reaches. */
const REACHED = new Set(['up', 'maintenance', 'preparing_for_maintenance', 'install_failed', 'non_operational']);

function requireReached(host: Host): void {
  if (REACHED.has(host.status)) return;
  throw unmet(
    'engine/host-not-reached',
    `host ${host.name}`,
    'hosted engine can’t be taken from it now',
    `it is ${host.status} in the engine, so nobody knows whether its HA agent still runs`,
    `Bring it up, then retry. If it is gone for good: make sure that it stays without power, abort, and start anew: bellwether host remove ${host.name} --from-engine --dead.`,
  );
}

/** Silent HA services look like none: the capabilities tell them apart (vdsm.md 7). */
async function isDeployed(vdsm: VdsmClient, ha: HaState, signal: AbortSignal): Promise<boolean> {
  if (ha.configured) return true;
  const { hostedEngineDeployed } = await vdsm.call('Host.getCapabilities', {}, { signal });
  return hostedEngineDeployed === true;
}

/** Never the last one, and never without another that can take the engine VM now. */
function requireOthers(hosts: readonly Host[], name: string): readonly string[] {
  const deployed = hosts.filter((host) => host.name !== name && host.hostedEngine?.configured === true);
  if (deployed.length === 0) {
    throw unmet(
      'engine/last-hosted-engine-host',
      `host ${name}`,
      'it is the last hosted-engine host',
      'no other host of the cluster has hosted engine deployed: nobody could run the engine VM any more',
      'Add another host first (bellwether host add), then start anew.',
    );
  }
  const { able, unable } = otherHosts(hosts, name);
  if (able.length > 0) return able;
  throw unmet(
    'engine-vm/no-other-host',
    `host ${name}`,
    'without it no host could run the engine VM',
    unable.join('; '),
    'Bring one of them up, with its ovirt-ha-agent active and a score above 0, then retry.',
  );
}

/** Whether our worker speaks for the host. The engine, which undeploys it, knows the reference's services only. */
async function requireWayIn(
  cluster: Cluster,
  input: Input,
  facts: RemoveHostFacts,
  context: StepContext,
): Promise<boolean> {
  const { name } = facts.host;
  const slot = await slotOf(cluster, { board: facts.board, hostId: facts.hostId, except: name }, input, context);
  const reading = parseHostBlock(await slot.read());
  const ours =
    reading.kind === 'host' && !reading.block.stopped && parseAnnouncement(reading.block.extra) !== undefined;
  if (!ours || input.ssh !== undefined) return ours;
  throw unmet(
    'host/worker-serves',
    `host ${name}`,
    'Bellwether’s worker serves it, and the request names nothing with which it could be taken away',
    'the engine undeploys ovirt-ha-agent and ovirt-ha-broker only',
    `Abort, and start anew with --ssh-key-secret or --password-secret. Or on ${name}: systemctl disable --now bellwether-host; systemctl enable --now ovirt-ha-broker ovirt-ha-agent; then retry.`,
  );
}

export function inspectLeavingHost(counterparts: Counterparts) {
  const lookAtBoard = inspectBoard(counterparts);
  return async (context: StepContext, input: Input): Promise<StepOutcome<RemoveHostFacts | null>> => {
    const { signal } = context;
    const cluster = counterparts.clusters.get(input.cluster);
    const engine = cluster.engine(input.operationId, signal);
    const hosts = await clusterHosts(engine, input.cluster);
    const host = hosts.find(({ name }) => name === input.host);
    if (host === undefined) {
      const elsewhere = await findHost(engine, input.host);
      if (elsewhere === undefined)
        return { done: 'before', summary: `the engine does not know ${input.host}`, value: null };
      const why = `the request names cluster ${input.cluster}`;
      throw unmet(
        'engine/host-clash',
        `host ${input.host}`,
        'it is in another cluster',
        why,
        'Name its cluster, then start anew.',
      );
    }
    if (input.dead === true) return inspectDeadHost(cluster, engine, { host, hosts }, input, context);
    requireReached(host);
    const { id, name, address, port } = host;
    const known = { id, name, address, ...(port === undefined ? {} : { vdsmPort: port }) };
    const vdsm = cluster.hosts.ensure(known);
    const ha = await haState(vdsm, signal);
    const deployed = await isDeployed(vdsm, ha, signal);
    const able = deployed ? requireOthers(hosts, name) : [];
    const vm = await findEngineVm(engine);
    const { value: board } = await lookAtBoard(context, input);
    const places = await engineVmPlaces(cluster.hosts, vm.id, signal);
    const value: RemoveHostFacts = {
      host: known,
      engineVm: { id: vm.id, name: vm.name },
      before: {
        status: host.status,
        localMaintenance: ha.localMaintenance,
        score: ha.score,
        runsEngineVm: places.some((place) => place.host === name),
      },
      board,
      hostId: await hostIdOf(engine, host),
      deployed,
    };
    const ours = deployed && (await requireWayIn(cluster, input, value, context));
    const others = deployed ? `; ${able.join(', ')} can run the engine VM instead` : '';
    const by = ours ? ' (Bellwether’s worker)' : '';
    const state = deployed ? `${haText(ha)}${by}` : 'hosted engine is not deployed there';
    const notes = board.globalMaintenanceBefore ? ['Global maintenance is on; it is left as it is'] : undefined;
    const summary = `${name} is ${host.status} in the engine; ${state}; ${placesText(places)}${others}`;
    return {
      done: 'now',
      summary,
      ...(notes === undefined ? {} : { notes }),
      value: { ...value, ...(ours ? { ours } : {}) },
    };
  };
}

interface Finding {
  readonly ok: boolean;
  readonly text: string;
}

async function findings(cluster: Cluster, input: VerifyInput, context: StepContext): Promise<Finding[]> {
  const { facts, fromEngine } = input;
  const { host, hostId, board, engineVm } = facts;
  const engine = cluster.engine(input.operationId, context.signal);
  const hosts = await clusterHosts(engine, input.cluster);
  const found = hosts.find(({ id }) => id === host.id);
  const { able, unable } = otherHosts(hosts, host.name);
  const slot = await slotOf(cluster, { board, hostId, except: host.name }, input, context);
  const empty = (await slot.read()).every((byte) => byte === 0);
  const places = await engineVmPlaces(cluster.hosts, engineVm.id, context.signal);
  const here = fromEngine
    ? { ok: found === undefined, text: `engine: ${host.name} is ${found === undefined ? 'not there' : found.status}` }
    : {
        ok: found !== undefined && found.hostedEngine?.configured !== true,
        text: `engine: ${host.name} is ${found?.status ?? 'not there'}, hosted engine is ${found?.hostedEngine?.configured === true ? 'still' : 'not'} configured`,
      };
  const stale = facts.before.status === 'maintenance' && !fromEngine;
  return [
    // The engine does not look at a host in maintenance: what it says of its HA agent is old (engine.md 11.3).
    { ...here, ok: here.ok || stale },
    { ok: empty, text: `storage: slot ${hostId} of the HA metadata is ${empty ? 'empty' : 'not empty'}` },
    {
      ok: able.length > 0,
      text: `engine: ${able.join(', ') || `nobody (${unable.join('; ')})`} can run the engine VM`,
    },
    { ok: places.length === 1, text: `hosts: ${placesText(places)}` },
  ];
}

export function verifyHostRemoved({ clusters }: Counterparts) {
  return async (context: StepContext, input: VerifyInput): Promise<StepOutcome<readonly string[]>> => {
    const seen = await findings(clusters.get(input.cluster), input, context);
    const wrong = seen.filter((finding) => !finding.ok);
    const lines = seen.map((finding) => finding.text);
    if (wrong.length === 0)
      return { done: 'now', summary: `${lines.length} findings, all as they should be`, notes: lines, value: lines };
    throw new CounterpartError({
      type: 'host/removal-not-verified',
      kind: 'retryable',
      subject: `host ${input.facts.host.name}`,
      what: 'its removal does not hold from outside',
      why: wrong.map((finding) => finding.text).join('; '),
      remedy: 'It is looked at again by itself; repair what is named if it lasts, then retry.',
    });
  };
}
