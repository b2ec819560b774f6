/** Steps: see a host in maintenance, or in service, on both sides: the engine's and HA's. */
import type { HostFacts } from '../../workflows/model/host-maintenance.ts';
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import { poll, type StepContext } from '../step-context.ts';
import { engineVmPlaces } from '../vdsm/engine-vm-place.ts';
import { haStateOrSilence, haText, type HaState } from '../vdsm/ha-state.ts';
import { reachLocalMaintenance } from '../vdsm/local-maintenance.ts';
import { findRefusedMaintenance } from './host-events.ts';
import { placesText } from './inspect-host.ts';
import type { Host } from './types.ts';

type Input = StepCall & { readonly facts: HostFacts };

const POLL_MS = 250;
/** A new agent connects its storage and acquires its host id first; the engine polls every 15 s (ha-agent.md 9.1). */
const SERVICE_LIMIT_MS = 600_000;

/** Sets local maintenance again where it was lost: the engine goes on without it and only warns (event 10453). */
export function verifyInMaintenance({ clusters }: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<null>> => {
    const { signal } = context;
    const { host, engineVm } = input.facts;
    const cluster = clusters.get(input.cluster);
    const engine = cluster.engine(input.operationId, signal);
    const vdsm = cluster.hosts.ensure(host);
    const { set, notes } = await reachLocalMaintenance(vdsm, input, true, context);
    const { status } = await engine.host(host.id);
    const places = await engineVmPlaces(cluster.hosts, engineVm.id, signal, vdsm);
    const here = places.some((place) => place.host === host.name);
    if (status !== 'maintenance' || here) {
      throw new CounterpartError({
        type: 'ha/maintenance-not-held',
        kind: 'needs-operator',
        subject: `host ${host.name}`,
        what: 'it did not stay in maintenance',
        why: `it is ${status} in the engine; ${placesText(places)}`,
        remedy: 'See who activated it or moved the engine VM there meanwhile, then abort, and start anew.',
      });
    }
    const warned = await findRefusedMaintenance(engine, host.id, input.operationId);
    const told = [
      ...notes,
      ...(set ? ['HA had lost its local maintenance meanwhile: it was set again'] : []),
      ...warned,
      placesText(places),
    ];
    const summary = `engine: ${status}; HA: local maintenance, score 0`;
    return { done: 'now', summary, notes: told, value: null };
  };
}

function lacks(host: Host, ha: HaState | string, score: number): string[] {
  const seen = host.hostedEngine;
  return [
    ...(host.status === 'up' ? [] : [`the engine has it ${host.status}`]),
    ...(typeof ha === 'string' || !ha.active || ha.localMaintenance || ha.score < score ? [haText(ha)] : []),
    ...(seen?.active === true && !seen.localMaintenance && seen.score >= score
      ? []
      : [`the engine sees ${seen === undefined ? 'no hosted engine there' : haText(seen)}`]),
  ];
}

/** Both must say so: the host, and the engine, which sees it again only once it is up (engine.md 9, 11.3). */
export function verifyInService({ clusters }: Counterparts) {
  return async (context: StepContext, input: Input & { readonly score: number }): Promise<StepOutcome<null>> => {
    const { signal } = context;
    const { facts, score } = input;
    const cluster = clusters.get(input.cluster);
    const engine = cluster.engine(input.operationId, signal);
    const vdsm = cluster.hosts.ensure(facts.host);
    let missing: readonly string[] = [];
    const what = `${facts.host.name} to be up, with its HA agent active and a score of ${score} or more`;
    const ready = await poll(context, { what, everyMs: POLL_MS, limitMs: SERVICE_LIMIT_MS }, async () => {
      const [host, ha] = [
        await engine.host(facts.host.id, { allContent: true }),
        await haStateOrSilence(vdsm, signal),
      ] as const;
      missing = lacks(host, ha, score);
      return missing.length === 0 && typeof ha !== 'string' ? ha : undefined;
    });
    if (ready !== undefined) {
      const notes = ready.globalMaintenance
        ? ['Global maintenance is on: until it ends no host starts or moves the engine VM']
        : [];
      const summary = `engine: up; HA: active, score ${ready.score}, no local maintenance`;
      return { done: 'now', summary, ...(notes.length === 0 ? {} : { notes }), value: null };
    }
    throw new CounterpartError({
      type: 'ha/host-not-in-service',
      kind: 'needs-operator',
      subject: `host ${facts.host.name}`,
      what: `it did not come back into service with a score of ${score} or more`,
      why: missing.join('; '),
      remedy: `Look at ovirt-ha-agent, the network and the storage of ${facts.host.name} (hosted-engine --vm-status), then retry.`,
    });
  };
}
