/** Steps: the hosted-engine storage domain, made through VDSM while there is no engine yet, and removed again. */
import type { StepOutcome } from '../../workflows/model/operation.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import type { StepContext } from '../step-context.ts';
import { callOptions } from '../storage/volumes.ts';
import type { VdsmClient } from './client.ts';
import {
  connectExport,
  disconnectExport,
  domainsOn,
  domainTypeOf,
  firstHost,
  poolOf,
  remotePathOf,
  type Planned,
} from './first-host.ts';
import { destroyPool } from './pools.ts';

const GIB = 2 ** 30;
const DOMAIN_FORMAT = 5;
/** Beside the disk: OVF_STOREs, lockspace, metadata, configuration, and what the engine leaves free (engine.md 14, 18). */
const EXTRA_GIB = 10;

async function isThere(host: VdsmClient, { answers, plan }: Planned, signal: AbortSignal): Promise<boolean> {
  return (await domainsOn(host, answers.storage, signal)).some(({ id }) => id === plan.domain);
}

async function format(host: VdsmClient, input: Planned, signal: AbortSignal): Promise<void> {
  await host.call('StorageDomain.format', { storagedomainID: input.plan.domain }, callOptions(input, signal));
}

/** VDSM tells the space of a domain only: too little shows when it is made, and takes it away again. */
async function requireSpace(host: VdsmClient, input: Planned, signal: AbortSignal): Promise<number> {
  const { answers, plan } = input;
  const needed = answers.vm.diskGiB + EXTRA_GIB;
  const { diskfree } = await host.call('StorageDomain.getStats', { storagedomainID: plan.domain }, { signal });
  const free = Math.floor(diskfree / GIB);
  if (free >= needed) return free;
  await format(host, input, signal);
  throw new CounterpartError({
    type: 'storage/too-small',
    kind: 'needs-operator',
    subject: remotePathOf(answers.storage),
    what: 'there is not enough space on it',
    why: `${free} GiB are free, ${needed} are needed (disk ${answers.vm.diskGiB}, the rest ${EXTRA_GIB})`,
    remedy: 'Free or add space, then retry; or abort and ask for a smaller disk. The domain was removed again.',
  });
}

export function createHostedEngineDomain(counterparts: Counterparts) {
  return async (context: StepContext, input: Planned): Promise<StepOutcome<null>> => {
    const { answers, plan } = input;
    const { signal } = context;
    const host = firstHost(counterparts, input);
    await connectExport(host, answers.storage, signal);
    const before = await isThere(host, input, signal);
    if (!before) {
      const create = {
        storagedomainID: plan.domain,
        domainType: domainTypeOf(answers.storage),
        typeArgs: remotePathOf(answers.storage),
        name: answers.storage.domainName,
        domainClass: 'Data',
        version: DOMAIN_FORMAT,
      } as const;
      await host.call('StorageDomain.create', create, callOptions(input, signal));
    }
    const free = await requireSpace(host, input, signal);
    const summary = `${answers.storage.domainName} (${plan.domain}) on ${remotePathOf(answers.storage)}, ${free} GiB free`;
    return { done: before ? 'before' : 'now', summary, value: null };
  };
}

/** The domain must be nobody's when the engine imports it, and the host free for the data center's pool. */
export function releasePool(counterparts: Counterparts) {
  return async (context: StepContext, input: Planned): Promise<StepOutcome<null>> => {
    const host = firstHost(counterparts, input);
    await connectExport(host, input.answers.storage, context.signal);
    await destroyPool(host, input, poolOf(input.plan), context.signal);
    return { done: 'now', summary: `${host.name} is in no pool; the domain is attached to none`, value: null };
  };
}

/** Compensation. Only the domain of this operation's own id is touched, whatever else may lie there by now. */
export function removeHostedEngineDomain(counterparts: Counterparts) {
  return async (context: StepContext, input: Planned): Promise<StepOutcome<null>> => {
    const { answers, plan } = input;
    const { signal } = context;
    const host = firstHost(counterparts, input);
    await connectExport(host, answers.storage, signal);
    const there = await isThere(host, input, signal);
    if (there) {
      await destroyPool(host, input, poolOf(plan), signal);
      await format(host, input, signal);
    }
    await disconnectExport(host, answers.storage, signal);
    if (!there) return { done: 'before', summary: 'there was none of this operation', value: null };
    return { done: 'now', summary: `${plan.domain} removed from ${remotePathOf(answers.storage)}`, value: null };
  };
}
