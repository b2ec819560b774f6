/**
 * A host that is gone for good: nobody can undeploy hosted engine from it. That it is without power is a person's word; what
 * can be seen of it (engine, VDSM, HA metadata) must not speak against that.
 */
import type { RemoveHostFacts } from '../../workflows/model/remove-host.ts';
import type { BoardFacts } from '../../workflows/model/hosted-engine.ts';
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { Cluster } from '../clusters.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import type { StepContext } from '../step-context.ts';
import { poolOf } from '../storage/board.ts';
import { globalMaintenanceOf } from '../storage/ha-metadata.ts';
import { findHostedEngineDomain } from '../storage/he-domain.ts';
import { slotOf } from '../storage/slot.ts';
import { callOptions } from '../storage/volumes.ts';
import { BLOCK_BYTES } from '../storage/whiteboard.ts';
import { engineVmPlaces } from '../vdsm/engine-vm-place.ts';
import { haStateOrSilence, haText } from '../vdsm/ha-state.ts';
import { readRange } from '../vdsm/image-io.ts';
import type { EngineClient } from './client.ts';
import { findOrNull } from './errors.ts';
import { hostIdOf } from './host-id.ts';
import { unmet } from './hosted-engine.ts';
import { findEngineVm, placesText } from './inspect-host.ts';
import { otherHosts } from './other-hosts.ts';
import type { Host } from './types.ts';

/** The engine has given these up by itself; a host that is `connecting` may still come back. */
const GIVEN_UP = new Set(['non_responsive', 'down', 'maintenance', 'install_failed', 'non_operational']);

function alive(name: string, why: string): CounterpartError {
  return unmet(
    'host/alive',
    `host ${name}`,
    'it is said to be gone for good, but something of it lives',
    why,
    `Take its power first, then start anew. If it is to stay or works again: bellwether host remove ${name}, without --dead.`,
  );
}

function requireGivenUp({ name, status }: Host): void {
  if (GIVEN_UP.has(status)) return;
  if (status === 'up') throw alive(name, 'it is up in the engine');
  throw new CounterpartError({
    type: 'engine/host-not-given-up',
    kind: 'retryable',
    subject: `host ${name}`,
    what: 'the engine has not given it up yet',
    why: `it is ${status}`,
    remedy: 'It is looked at again by itself: the engine gives up a silent host after a minute or more.',
  });
}

/** Through a host that sees the domain: the dead one may have been the SPM, and nobody is until the engine knows of its death. */
async function boardWithoutSpm(cluster: Cluster, call: StepCall, context: StepContext): Promise<BoardFacts> {
  const { signal } = context;
  return cluster.hosts.onAny('no host could look at the storage', signal, async (host) => {
    const found = await findHostedEngineDomain(host, undefined, signal);
    const metadata = { image: found.metadata.image, volume: found.metadata.volume };
    const volume = { domain: found.domain, ...metadata };
    const block = await readRange(host, volume, { offset: 0, length: BLOCK_BYTES }, callOptions(call, signal));
    return {
      dataCenter: { id: await poolOf(host, signal) },
      domain: { id: found.domain, metadata },
      globalMaintenanceBefore: globalMaintenanceOf(block),
    };
  });
}

/**
 * The guards of removing a dead host. @param hosts of the cluster, the dead one among them
 * @throws CounterpartError needs-operator when something of it lives or nobody else could run the engine VM
 */
export async function inspectDeadHost(
  cluster: Cluster,
  engine: EngineClient,
  { host, hosts }: { readonly host: Host; readonly hosts: readonly Host[] },
  call: StepCall,
  context: StepContext,
): Promise<StepOutcome<RemoveHostFacts>> {
  const { id, name, address, port, status } = host;
  requireGivenUp(host);
  const known = { id, name, address, ...(port === undefined ? {} : { vdsmPort: port }) };
  const ha = await haStateOrSilence(cluster.hosts.ensure(known), context.signal);
  if (typeof ha !== 'string') throw alive(name, `its VDSM answers; ${haText(ha)}`);
  const { able, unable } = otherHosts(hosts, name);
  if (able.length === 0) {
    const remedy = 'Bring one of them up, with its HA services active and a score above 0, then retry.';
    throw unmet(
      'engine-vm/no-other-host',
      `host ${name}`,
      'nobody else could run the engine VM',
      unable.join('; '),
      remedy,
    );
  }
  const board = await boardWithoutSpm(cluster, call, context);
  const hostId = await hostIdOf(engine, host);
  const slot = await slotOf(cluster, { board, hostId, except: name }, call, context);
  const before = await slot.read();
  const writer = await slot.writer();
  if (writer !== undefined)
    throw alive(name, `slot ${hostId} of the HA metadata changes; who writes it says it is ${writer}`);
  // Even a good-bye was written by somebody: what is without power writes nothing.
  if (!before.equals(await slot.read()))
    throw alive(name, `its slot ${hostId} of the HA metadata was written just now`);
  const vm = await findEngineVm(engine);
  const places = await engineVmPlaces(cluster.hosts, vm.id, context.signal);
  const value: RemoveHostFacts = {
    host: known,
    engineVm: { id: vm.id, name: vm.name },
    before: { status, localMaintenance: false, score: 0, runsEngineVm: false },
    board,
    hostId,
    deployed: true,
  };
  const summary = `${name} is ${status} in the engine, its VDSM is silent (${ha}) and nobody writes its slot ${hostId}; ${placesText(places)}; ${able.join(', ')} can run the engine VM`;
  const notes = [
    `That ${name} is without power is the word of whoever asked for this; a host that only lost its network would look the same to all but its slot`,
  ];
  return { done: 'now', summary, notes, value };
}

/** Tells the engine that the host is dead: it lets go of its VMs and of its being SPM, which nobody else may take before. */
export function giveUpDeadHost({ clusters }: Counterparts) {
  return async (
    context: StepContext,
    input: StepCall & { readonly facts: RemoveHostFacts },
  ): Promise<StepOutcome<null>> => {
    const engine = clusters.get(input.cluster).engine(input.operationId, context.signal);
    const { id, name } = input.facts.host;
    const found = await findOrNull(engine.host(id));
    if (found === null) return { done: 'before', summary: `${name} is not in the engine`, value: null };
    requireGivenUp(found);
    await engine.confirmHostDead(id);
    return {
      done: 'now',
      summary: `the engine knows that ${name} is dead: its VMs and its being SPM are given up`,
      value: null,
    };
  };
}
