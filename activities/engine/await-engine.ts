/** Step: wait until engine-setup in the guest is through: the health page says so several times in a row (engine.md 19.4). */
import type { StepOutcome } from '../../workflows/model/operation.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import { poll, type StepContext } from '../step-context.ts';
import { firstHost, type Planned } from '../vdsm/first-host.ts';
import { ensureRunning, vmState } from '../vdsm/install-vm.ts';

const POLL_MS = 500;
const GOODS_IN_A_ROW = 5;
const LIMIT_MS = 90 * 60_000;
/** A guest that ends by itself again and again is not setting anything up. */
const STARTS_MAX = 3;

/** "good", or why not. An engine that is not there yet is no error; a certificate that nobody trusts is. */
async function healthOf(counterparts: Counterparts, input: Planned, context: StepContext): Promise<string> {
  const engine = counterparts.clusters.get(input.cluster).engine(input.operationId, context.signal);
  try {
    const { healthy, text, status } = await engine.health();
    return healthy ? 'good' : `the health page says ${status} ${text.trim()}`;
  } catch (error) {
    if (!(error instanceof CounterpartError) || error.facts.kind !== 'retryable') throw error;
    return error.facts.why;
  }
}

/** The guest may have another address than its name: then nobody will ever reach it under the name. */
async function addressDoubt(counterparts: Counterparts, input: Planned, context: StepContext): Promise<string> {
  const state = await vmState(firstHost(counterparts, input), input.plan.vm, context.signal);
  const own = (state?.guestIPs ?? '').split(/\s+/).filter(Boolean);
  const named = await counterparts.clusters.get(input.cluster).resolveEngine(input.answers.fqdn);
  if (own.length === 0 || own.some((address) => named.includes(address))) return '';
  return `; the guest has ${own.join(', ')}, but ${input.answers.fqdn} is ${named.join(', ')}`;
}

export function awaitEngine(counterparts: Counterparts) {
  return async (context: StepContext, input: Planned): Promise<StepOutcome<null>> => {
    let goods = 0;
    let starts = 0;
    let last = 'nothing was heard of it';
    const { fqdn } = input.answers;
    const what = `engine-setup in the guest, and ${fqdn} to be healthy ${GOODS_IN_A_ROW} times in a row`;
    const healthy = await poll(context, { what, everyMs: POLL_MS, limitMs: LIMIT_MS }, async () => {
      if (await ensureRunning(counterparts, input, context)) starts += 1;
      if (starts > STARTS_MAX) return false;
      last = await healthOf(counterparts, input, context);
      goods = last === 'good' ? goods + 1 : 0;
      return goods >= GOODS_IN_A_ROW ? true : undefined;
    });
    if (healthy === true) {
      const again = starts === 0 ? '' : `; the VM had ended and was started again (${starts} times)`;
      return { done: 'now', summary: `${fqdn} is healthy, ${GOODS_IN_A_ROW} times in a row${again}`, value: null };
    }
    const doubt = await addressDoubt(counterparts, input, context);
    throw new CounterpartError({
      type: 'engine/not-healthy',
      kind: 'needs-operator',
      subject: `engine ${fqdn}`,
      what: healthy === false ? 'its VM ends again and again' : `it is not healthy after ${LIMIT_MS / 60_000} minutes`,
      why: `${last}${doubt}`,
      remedy:
        'Open the console (on the host: hosted-engine --console, or virsh console) and look at /root/engine-setup.log and /var/log/ovirt-engine in the guest; repair it there, then retry.',
    });
  };
}
