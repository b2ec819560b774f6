/**
 * Steps: enter and leave global maintenance. VDSM's "Done" is not taken for granted: the flag is read back from the HA
 * metadata on storage, and every host that answers must report it (a write can be lost there, ha-agent.md 4.2).
 */
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { BoardFacts } from '../../workflows/model/hosted-engine.ts';
import type { Cluster } from '../clusters.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import { correlationOf } from '../ids.ts';
import { poll, type StepContext } from '../step-context.ts';
import { readGlobalMaintenance } from '../storage/ha-metadata.ts';

type Input = StepCall & { readonly facts: BoardFacts };

const POLL_MS = 250;
/** Hosts tell the flag with their next beat, 10 to 20 seconds later. */
const CONFIRM_LIMIT_MS = 60_000;

async function flagOnStorage(cluster: Cluster, facts: BoardFacts, context: StepContext): Promise<boolean> {
  const spm = await cluster.hosts.spm(facts.dataCenter.id, context.signal);
  const place = { pool: facts.dataCenter.id, domain: facts.domain.id };
  return readGlobalMaintenance(spm, place, facts.domain.metadata, context.signal);
}

/** Hosts whose HA agent is active and does not report the wanted mode yet. */
async function hostsBehind(cluster: Cluster, wanted: boolean, context: StepContext): Promise<string[]> {
  const hosts = await cluster.hosts.reachable(context.signal);
  const behind = await Promise.all(
    hosts.map(async (host) => {
      const { haStats } = await host.call('Host.getStats', {}, { signal: context.signal });
      return haStats?.active === true && haStats.globalMaintenance !== wanted ? [host.name] : [];
    }),
  );
  return behind.flat();
}

async function confirm(cluster: Cluster, facts: BoardFacts, wanted: boolean, context: StepContext): Promise<void> {
  const word = wanted ? 'on' : 'off';
  const onStorage = await poll(
    context,
    { what: `global maintenance ${word} in the HA metadata`, everyMs: POLL_MS, limitMs: CONFIRM_LIMIT_MS },
    async () => ((await flagOnStorage(cluster, facts, context)) === wanted ? true : undefined),
  );
  let behind: readonly string[] = [];
  const everywhere =
    onStorage &&
    (await poll(
      context,
      { what: `every host's agent to see global maintenance ${word}`, everyMs: POLL_MS, limitMs: CONFIRM_LIMIT_MS },
      async () => {
        behind = await hostsBehind(cluster, wanted, context);
        return behind.length === 0 ? true : undefined;
      },
    ));
  if (everywhere === true) return;
  throw new CounterpartError({
    type: 'ha/maintenance-not-confirmed',
    kind: 'retryable',
    subject: `cluster ${cluster.name}`,
    what: `global maintenance was set ${word} but is not seen`,
    why: onStorage ? `still otherwise on ${behind.join(', ')}` : 'the HA metadata on storage still says otherwise',
    remedy: 'It is tried again by itself; if it lasts, look at ovirt-ha-broker on the hosts.',
  });
}

async function setMode(cluster: Cluster, input: Input, wanted: boolean, context: StepContext): Promise<string> {
  return cluster.hosts.onAny('no host took the change of the maintenance mode', context.signal, async (host) => {
    const { haStats } = await host.call('Host.getStats', {}, { signal: context.signal });
    if (haStats?.configured !== true) {
      throw new CounterpartError({
        type: 'vdsm/ha-not-configured',
        // Another host may have it: the pool goes on to the next one.
        kind: 'retryable',
        subject: `host ${host.name}`,
        what: 'it can’t set the maintenance mode',
        why: 'hosted engine is not deployed there (haStats.configured is false)',
        remedy: 'Another host is asked.',
      });
    }
    await host.call(
      'Host.setHaMaintenanceMode',
      { mode: 'GLOBAL', enabled: wanted },
      { signal: context.signal, correlationId: correlationOf(input.operationId), timeoutMs: 70_000 },
    );
    return host.name;
  });
}

async function reach(
  cluster: Cluster,
  input: Input,
  wanted: boolean,
  context: StepContext,
): Promise<{ by: string | undefined }> {
  const already = (await flagOnStorage(cluster, input.facts, context)) === wanted;
  const by = already ? undefined : await setMode(cluster, input, wanted, context);
  await confirm(cluster, input.facts, wanted, context);
  return { by };
}

export function enterGlobalMaintenance({ clusters }: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<null>> => {
    const { by } = await reach(clusters.get(input.cluster), input, true, context);
    if (by === undefined) return { done: 'before', summary: 'was on already, as the HA metadata says', value: null };
    return { done: 'now', summary: `set through ${by}, seen in the HA metadata and by every host`, value: null };
  };
}

/** Leaves it unless it was on before this operation: then it is somebody else's. */
export function leaveGlobalMaintenance({ clusters }: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<null>> => {
    if (input.facts.globalMaintenanceBefore) {
      return { done: 'before', summary: 'left on: it was on before this operation', value: null };
    }
    const { by } = await reach(clusters.get(input.cluster), input, false, context);
    if (by === undefined) return { done: 'before', summary: 'was off already, as the HA metadata says', value: null };
    return { done: 'now', summary: `left through ${by}, seen in the HA metadata and by every host`, value: null };
  };
}
