/** Step: the engine installs a host's updates and reboots it; the host is in maintenance all the while (engine.md 8.2). */
import type { HostFacts } from '../../workflows/model/host-maintenance.ts';
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import { poll, type StepContext } from '../step-context.ts';
import { haStateOrSilence } from '../vdsm/ha-state.ts';
import type { EngineClient } from './client.ts';
import { hostEvents, lastEventIndex, recentTrouble } from './host-events.ts';
import type { Host } from './types.ts';

type Input = StepCall & { readonly facts: HostFacts };

const POLL_MS = 250;
const CHECK_LIMIT_MS = 600_000;
/** Packages, then the engine's fixed wait of 10 minutes for the reboot. */
const UPDATE_LIMIT_MS = 4_200_000;
/** From the engine's word that the host is back to a VDSM that answers. */
const BOOT_LIMIT_MS = 1_200_000;

/** Codes of the events at the end of a look for updates. */
const CHECK_DONE = 885;
const CHECK_FAILED = new Map([
  [839, 'the look for updates failed'],
  [887, 'the engine does not look for updates of a host in this status'],
]);

function notChecked(host: HostFacts['host'], why: string, kind: 'retryable' | 'needs-operator'): CounterpartError {
  return new CounterpartError({
    type: 'engine/updates-not-checked',
    kind,
    subject: `host ${host.name}`,
    what: 'the engine could not tell whether it has updates',
    why,
    remedy: `Look at the repositories of ${host.name} and at the engine’s log of the check, then retry.`,
  });
}

/** Lets the engine look, unless it knows of updates already. Safe to repeat. */
export async function checkForUpdate(engine: EngineClient, facts: HostFacts, context: StepContext): Promise<boolean> {
  const { host } = facts;
  if ((await engine.host(host.id)).updateAvailable) return true;
  const from = await lastEventIndex(engine);
  await engine.checkHostForUpdate(host.id);
  const what = `the engine to look for updates of ${host.name}`;
  const end = await poll(context, { what, everyMs: POLL_MS, limitMs: CHECK_LIMIT_MS }, async () => {
    const events = await hostEvents(engine, host.id, from);
    return events.find(({ code }) => code === CHECK_DONE || CHECK_FAILED.has(code));
  });
  if (end === undefined) throw notChecked(host, 'it did not end within 10 minutes', 'retryable');
  const failed = CHECK_FAILED.get(end.code);
  if (failed !== undefined) throw notChecked(host, `${failed}: ${end.description}`, 'needs-operator');
  return (await engine.host(host.id)).updateAvailable;
}

const UNDER_WAY = new Set(['installing', 'reboot', 'initializing', 'connecting', 'unassigned']);

async function updateFailed(engine: EngineClient, input: Input, host: Host): Promise<CounterpartError> {
  const events = await recentTrouble(engine, host.id, input.operationId);
  return new CounterpartError({
    type: 'engine/host-update-failed',
    kind: 'needs-operator',
    subject: `host ${input.facts.host.name}`,
    what: 'its update failed',
    why: [`its status is ${host.status}`, ...events].join('; '),
    remedy:
      'Read the newest log in /var/log/ovirt-engine/host-deploy on the engine, repair the host, then retry: it is updated again.',
  });
}

/** After a failed update the engine takes no other one before the host is in maintenance again. */
async function backToMaintenance(engine: EngineClient, host: Host, context: StepContext): Promise<void> {
  await engine.deactivateHost(host.id, { reason: 'its update failed and is tried again' });
  const what = `${host.name} to go to maintenance again`;
  await poll(context, { what, everyMs: POLL_MS, limitMs: CHECK_LIMIT_MS }, async () =>
    (await engine.host(host.id)).status === 'maintenance' ? true : undefined,
  );
}

/** @returns whether the update was begun now: an earlier try may have begun or ended it */
async function awaitUpdate(engine: EngineClient, input: Input, context: StepContext): Promise<boolean> {
  const { id, name } = input.facts.host;
  let host = await engine.host(id);
  if (!host.updateAvailable && !UNDER_WAY.has(host.status) && host.status !== 'install_failed') return false;
  if (host.status === 'install_failed') await backToMaintenance(engine, host, context);
  let asked = false;
  const what = `the engine to update and reboot ${name}`;
  const done = await poll(context, { what, everyMs: POLL_MS, limitMs: UPDATE_LIMIT_MS }, async () => {
    host = await engine.host(id);
    if (UNDER_WAY.has(host.status)) return undefined;
    if (!host.updateAvailable && host.status !== 'install_failed') return true;
    if (asked) return false;
    asked = true;
    await engine.upgradeHost(id);
    return undefined;
  });
  if (done !== true) throw await updateFailed(engine, input, host);
  return true;
}

export function updateHost({ clusters }: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<null>> => {
    const { host } = input.facts;
    const cluster = clusters.get(input.cluster);
    const engine = cluster.engine(input.operationId, context.signal);
    const updated = await awaitUpdate(engine, input, context);
    // The engine only waits a fixed time for the reboot: whether the host came back is asked of the host.
    const vdsm = cluster.hosts.ensure(host);
    let silence = '';
    const what = `${host.name} to come back from its reboot`;
    const back = await poll(context, { what, everyMs: POLL_MS, limitMs: BOOT_LIMIT_MS }, async () => {
      const state = await haStateOrSilence(vdsm, context.signal);
      silence = typeof state === 'string' ? state : 'its HA services do not answer VDSM';
      return typeof state !== 'string' && state.configured ? true : undefined;
    });
    if (back === undefined) {
      throw new CounterpartError({
        type: 'vdsm/host-not-back',
        kind: 'needs-operator',
        subject: `host ${host.name}`,
        what: 'it was updated and did not come back from its reboot',
        why: silence,
        remedy: `Look at the console of ${host.name} and bring it up, then retry. The other hosts are not touched meanwhile.`,
      });
    }
    const summary = `${host.name} has its updates and answers again`;
    return { done: updated ? 'now' : 'before', summary, value: null };
  };
}
