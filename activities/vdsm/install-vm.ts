/** Steps: start the engine VM as an HA agent would (vdsm.md 8), and take it away again. */
import type { StepOutcome } from '../../workflows/model/operation.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import { firstBootPayload } from '../guest/cloud-init.ts';
import { poll, type StepContext } from '../step-context.ts';
import { engineVmParts, FIRST_HOST_ID } from '../storage/install-configuration.ts';
import { callOptions } from '../storage/volumes.ts';
import type { VdsmClient } from './client.ts';
import { engineVmXml } from './engine-vm-xml.ts';
import { isCode } from './errors.ts';
import { connectExport, firstHost, type Planned } from './first-host.ts';
import type { VdsmVerbs } from './verbs.ts';

const POLL_MS = 250;
/** A host id of a new lockspace takes half a minute, after an unclean end minutes (vdsm.md 10). */
const HOST_ID_LIMIT_MS = 300_000;
const RUNNING_LIMIT_MS = 120_000;
const NO_SUCH_VM = 1;
const VM_EXISTS = 4;
const MEMBER_OF_POOL = 900;
const STARTED = new Set(['Powering up', 'Up']);

export type VmState = VdsmVerbs['VM.getStats']['result'];

/** Undefined when the host does not know the VM. */
export async function vmState(host: VdsmClient, vmID: string, signal: AbortSignal): Promise<VmState | undefined> {
  try {
    return await host.call('VM.getStats', { vmID }, { signal });
  } catch (error) {
    if (isCode(error, NO_SUCH_VM)) return undefined;
    throw error;
  }
}

/** The disk's lease can be taken only by a host that holds its id in the domain. */
async function holdHostId(host: VdsmClient, input: Planned, context: StepContext): Promise<void> {
  const { signal } = context;
  const { domain } = input.plan;
  await host.call('Host.startMonitoringDomain', { sdUUID: domain, hostID: FIRST_HOST_ID }, { signal });
  const what = `${host.name} to take host id ${FIRST_HOST_ID} in the domain`;
  const held = await poll(context, { what, everyMs: POLL_MS, limitMs: HOST_ID_LIMIT_MS }, async () => {
    const stats = await host.call('Host.getStorageRepoStats', { domains: [domain] }, { signal });
    return stats[domain]?.acquired === true ? true : undefined;
  });
  if (held === true) return;
  throw new CounterpartError({
    type: 'vdsm/no-host-id',
    kind: 'needs-operator',
    subject: `host ${host.name}`,
    what: `it did not get host id ${FIRST_HOST_ID} in the storage domain`,
    why: `sanlock has not given it after ${HOST_ID_LIMIT_MS / 60_000} minutes`,
    remedy: 'Look at /var/log/sanlock.log and at the storage on the host, then retry.',
  });
}

async function create(
  counterparts: Counterparts,
  host: VdsmClient,
  input: Planned,
  signal: AbortSignal,
): Promise<void> {
  const { answers, plan, startedAt } = input;
  const { secrets, clusters } = counterparts;
  const adminPassword = await secrets.read(answers.adminPasswordSecret);
  const rootPassword = await secrets.read(answers.appliancePasswordSecret);
  const { engineUser } = clusters.get(input.cluster);
  const payload = firstBootPayload(answers, plan, { adminPassword, rootPassword }, { startedAt, engineUser });
  const xml = engineVmXml(engineVmParts(answers, plan), payload);
  await host
    .call('VM.create', { vmID: plan.vm, vmParams: { xml } }, callOptions(input, signal))
    .catch((error: unknown) => {
      if (!isCode(error, VM_EXISTS)) throw error;
    });
}

/**
 * Lets the VM run on the host: one that is Down is cleared away first. @returns false when it ran already
 * @throws CounterpartError needs-operator when it does not come up
 */
export async function ensureRunning(
  counterparts: Counterparts,
  input: Planned,
  context: StepContext,
): Promise<boolean> {
  const { signal } = context;
  const host = firstHost(counterparts, input);
  const vmID = input.plan.vm;
  const before = await vmState(host, vmID, signal);
  if (before !== undefined && before.status !== 'Down') return false;
  if (before !== undefined) await host.call('VM.destroy', { vmID }, callOptions(input, signal));
  await connectExport(host, input.answers.storage, signal);
  await holdHostId(host, input, context);
  await create(counterparts, host, input, signal);
  let last: VmState | undefined;
  const what = `the engine VM to run on ${host.name}`;
  const running = await poll(context, { what, everyMs: POLL_MS, limitMs: RUNNING_LIMIT_MS }, async () => {
    last = await vmState(host, vmID, signal);
    if (last === undefined || last.status === 'Down') return false;
    return STARTED.has(last.status) ? true : undefined;
  });
  if (running === true) return true;
  throw new CounterpartError({
    type: 'vdsm/engine-vm-not-started',
    kind: 'needs-operator',
    subject: `VM ${input.answers.vm.name}`,
    what: `it does not start on ${host.name}`,
    why: last?.exitMessage || `its status is ${last?.status ?? 'unknown: VDSM forgot it'}`,
    remedy: 'Look at vdsm.log and /var/log/libvirt/qemu on the host, remove the cause, then retry.',
  });
}

export function startEngineVm(counterparts: Counterparts) {
  return async (context: StepContext, input: Planned): Promise<StepOutcome<null>> => {
    const started = await ensureRunning(counterparts, input, context);
    const { vm, host } = input.answers;
    const summary = `${vm.name} (${input.plan.vm}) runs on ${host.name}`;
    return { done: started ? 'now' : 'before', summary, value: null };
  };
}

/** Destroys the VM if it is there, and gives the host id back. @returns whether there was one */
export async function destroyVm(host: VdsmClient, input: Planned, signal: AbortSignal): Promise<boolean> {
  const { vm, domain } = input.plan;
  const there = (await vmState(host, vm, signal)) !== undefined;
  if (there) await host.call('VM.destroy', { vmID: vm }, callOptions(input, signal));
  await host.call('Host.stopMonitoringDomain', { sdUUID: domain }, { signal }).catch((error: unknown) => {
    if (!isCode(error, MEMBER_OF_POOL)) throw error;
  });
  return there;
}

export function stopEngineVm(counterparts: Counterparts) {
  return async (context: StepContext, input: Planned): Promise<StepOutcome<null>> => {
    const there = await destroyVm(firstHost(counterparts, input), input, context.signal);
    if (!there) return { done: 'before', summary: 'it does not run', value: null };
    return { done: 'now', summary: `destroyed on ${input.answers.host.name}`, value: null };
  };
}
