/** Steps: the first host into the engine, which deploys it; and its HA services, which that deployment starts. */
import type { StepOutcome } from '../../workflows/model/operation.ts';
import type { UpgradeFacts } from '../../workflows/model/upgrade.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import { poll, type StepContext } from '../step-context.ts';
import { callOptions } from '../storage/volumes.ts';
import { firstHost, type Planned } from '../vdsm/first-host.ts';
import type { EngineClient } from './client.ts';
import { findHost, loginOf } from './deploy-host.ts';
import { lastEventIndex } from './host-events.ts';
import { awaitInstalled } from './host-install.ts';
import { isAble, unmet } from './hosted-engine.ts';
import type { Host } from './types.ts';

type WithFacts = Planned & { readonly facts: UpgradeFacts };

const POLL_MS = 250;
const SCORE_LIMIT_MS = 10 * 60_000;

/** Adds it, or lets the engine try again with one that failed before. */
async function ask({ secrets }: Counterparts, engine: EngineClient, input: WithFacts): Promise<Host> {
  const { name, address, vdsmPort, access = { kind: 'public-key' } } = input.answers.host;
  const known = await findHost(engine, input.answers.host.name);
  const how = { login: await loginOf(secrets, access), activate: true, reboot: false };
  if (known === undefined) {
    const port = vdsmPort === undefined ? {} : { port: vdsmPort };
    return engine.addHost({ name, address, ...port, cluster: input.facts.cluster.id, ...how });
  }
  if (known.status === 'install_failed') await engine.installHost(known.id, how);
  else if (known.status === 'non_operational' || known.status === 'maintenance') await engine.activateHost(known.id);
  return known;
}

/** Without a password the engine's key must be on the host, and nobody had it before the engine was there. */
function withKeyHint(error: unknown, { answers }: Planned): unknown {
  if (!(error instanceof CounterpartError) || answers.host.access?.kind === 'password') return error;
  if (error.facts.kind !== 'needs-operator') return error;
  const key = `https://${answers.fqdn}/ovirt-engine/services/pki-resource?resource=engine-certificate&format=OPENSSH-PUBKEY`;
  return new CounterpartError({
    ...error.facts,
    remedy: `${error.facts.remedy} The engine’s key must be in root’s authorized_keys on the host: ${key}`,
  });
}

export function addFirstHost(counterparts: Counterparts) {
  return async (context: StepContext, input: WithFacts): Promise<StepOutcome<null>> => {
    const engine = counterparts.clusters.get(input.cluster).engine(input.operationId, context.signal);
    const { name } = input.answers.host;
    const before = await findHost(engine, input.answers.host.name);
    if (before?.status === 'up') return { done: 'before', summary: `${name} is up`, value: null };
    const eventsFrom = await lastEventIndex(engine);
    try {
      const { id } = await ask(counterparts, engine, input);
      const isDone = (host: Host) => host.status === 'up';
      await awaitInstalled(
        engine,
        { host: { id, name }, eventsFrom, what: `the deployment of ${name}`, isDone },
        context,
      );
    } catch (error) {
      throw withKeyHint(error, input);
    }
    return { done: 'now', summary: `${name} is up in cluster ${input.facts.cluster.name}`, value: null };
  };
}

/**
 * Compensation: with local maintenance the agent neither starts the VM nor touches storage (ha-agent.md 2.6). The files
 * that the deployment left on the host can be removed only there.
 */
export function quietHighAvailability(counterparts: Counterparts) {
  return async (context: StepContext, input: Planned): Promise<StepOutcome<null>> => {
    const { signal } = context;
    const host = firstHost(counterparts, input);
    const { haStats } = await host.call('Host.getStats', {}, { signal });
    if (haStats?.configured !== true)
      return { done: 'before', summary: 'hosted engine is not deployed on the host', value: null };
    await host.call('Host.setHaMaintenanceMode', { mode: 'LOCAL', enabled: true }, callOptions(input, signal));
    const rest =
      'systemctl disable --now ovirt-ha-agent ovirt-ha-broker; rm /etc/ovirt-hosted-engine/hosted-engine.conf /var/lib/ovirt-hosted-engine-ha/installed-*';
    return {
      done: 'now',
      summary: `${host.name} is in local HA maintenance; before another install run on it: ${rest}`,
      value: null,
    };
  };
}

async function leaveMaintenance(counterparts: Counterparts, input: Planned, signal: AbortSignal): Promise<string> {
  const host = firstHost(counterparts, input);
  const { haStats } = await host.call('Host.getStats', {}, { signal });
  if (haStats?.configured !== true) return 'hosted engine is not deployed on the host';
  if (haStats.globalMaintenance)
    await host.call('Host.setHaMaintenanceMode', { mode: 'GLOBAL', enabled: false }, callOptions(input, signal));
  if (haStats.localMaintenance)
    await host.call('Host.setHaMaintenanceMode', { mode: 'LOCAL', enabled: false }, callOptions(input, signal));
  if (!haStats.active) return 'its HA agent does not write to the HA metadata';
  return haStats.score > 0 && !haStats.globalMaintenance && !haStats.localMaintenance
    ? 'well'
    : `its score is ${haStats.score}`;
}

export function awaitHighAvailability(counterparts: Counterparts) {
  return async (context: StepContext, input: WithFacts): Promise<StepOutcome<null>> => {
    const { signal } = context;
    const engine = counterparts.clusters.get(input.cluster).engine(input.operationId, signal);
    const { name } = input.answers.host;
    let last = '';
    const what = `the HA services of ${name} to have a score above 0, seen by the engine too`;
    const score = await poll(context, { what, everyMs: POLL_MS, limitMs: SCORE_LIMIT_MS }, async () => {
      last = await leaveMaintenance(counterparts, input, signal);
      if (last !== 'well') return undefined;
      const host = await findHost(engine, input.answers.host.name);
      const seen = host?.hostedEngine;
      if (host !== undefined && seen !== undefined && isAble(host) && !seen.globalMaintenance && !seen.localMaintenance)
        return seen.score;
      last = `the engine sees it ${host?.status ?? 'nowhere'} with score ${seen?.score ?? 'none'}`;
      return undefined;
    });
    if (score !== undefined)
      return { done: 'now', summary: `${name} has score ${score}, out of maintenance`, value: null };
    throw unmet(
      'ha/no-score',
      `host ${name}`,
      `its HA services are not up after ${SCORE_LIMIT_MS / 60_000} minutes`,
      last,
      'Look at systemctl status ovirt-ha-agent ovirt-ha-broker and /var/log/ovirt-hosted-engine-ha on the host, repair them, then retry.',
    );
  };
}
