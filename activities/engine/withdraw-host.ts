/** Compensation of adding a host: no hosted engine there, its slot empty, and out of the engine if it was not in it before. */
import type { AddHostFacts } from '../../workflows/model/add-host.ts';
import type { HostFacts } from '../../workflows/model/host-maintenance.ts';
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { Counterparts } from '../counterparts.ts';
import { poll, type StepContext } from '../step-context.ts';
import { haState, haStateOrSilence } from '../vdsm/ha-state.ts';
import type { VdsmClient } from '../vdsm/client.ts';
import type { EngineClient } from './client.ts';
import { findHost } from './deploy-host.ts';
import { hostIdOf } from './host-id.ts';
import { isInstalling } from './host-install.ts';
import { enterEngineMaintenance } from './host-maintenance.ts';
import { clearSlotOf, dropFromEngine, undeploy } from './undeploy-host.ts';
import type { Host } from './types.ts';

type Input = StepCall & { readonly facts: AddHostFacts };

const POLL_MS = 1000;
/** The engine can't be stopped in an installation. */
const SETTLE_LIMIT_MS = 50 * 60_000;

async function atRest(engine: EngineClient, name: string, context: StepContext): Promise<Host | undefined> {
  const what = `the engine to be done with the installation of ${name}`;
  const rested = await poll(context, { what, everyMs: POLL_MS, limitMs: SETTLE_LIMIT_MS }, async () => {
    const host = await findHost(engine, name);
    if (host === undefined) return 'none' as const;
    return isInstalling(host) ? undefined : host;
  });
  return rested === 'none' ? undefined : rested;
}

/** Where the installation failed, hosted engine may be there or not, and the host may be silent for good. */
async function isDeployed(vdsm: VdsmClient, host: Host, signal: AbortSignal): Promise<boolean> {
  if (host.status !== 'install_failed') return (await haState(vdsm, signal)).configured;
  const state = await haStateOrSilence(vdsm, signal);
  return typeof state !== 'string' && state.configured;
}

export function withdrawHost(counterparts: Counterparts) {
  const enterMaintenance = enterEngineMaintenance(counterparts);
  return async (context: StepContext, input: Input): Promise<StepOutcome<null>> => {
    const { facts } = input;
    const { name } = facts.host;
    const cluster = counterparts.clusters.get(input.cluster);
    const engine = cluster.engine(input.operationId, context.signal);
    const found = await atRest(engine, name, context);
    if (found === undefined) return { done: 'before', summary: `the engine does not know ${name}`, value: null };
    const host = { ...facts.host, id: found.id };
    const leaving = { board: facts.board, hostId: await hostIdOf(engine, found), host };
    const deployed = await isDeployed(cluster.hosts.ensure(host), found, context.signal);
    const added = facts.known === undefined;
    if (deployed || (added && found.status !== 'install_failed')) {
      const before = { status: found.status, localMaintenance: false, score: 0 };
      const known: HostFacts = { host, engineVm: facts.engineVm, before };
      await enterMaintenance(context, { ...input, facts: known, reason: `taken back: ${input.operationId}` });
    }
    if (deployed) {
      await undeploy(cluster, engine, leaving, context);
      await clearSlotOf(cluster, leaving, input, context);
    }
    if (added) await dropFromEngine(cluster, engine, host);
    const undone = deployed
      ? `hosted engine was taken from ${name}, its slot is empty`
      : `hosted engine is not on ${name}`;
    return { done: 'now', summary: added ? `${undone}; it is out of the engine` : undone, value: null };
  };
}
