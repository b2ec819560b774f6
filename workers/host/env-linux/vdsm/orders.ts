/** The core's orders as VDSM's verbs (ha-agent.md 2.5, vdsm.md 8). Success means that VDSM took it, not that it is done. */
import { CounterpartError } from '../../../../activities/errors.ts';
import type { VdsmClient } from '../../../../activities/vdsm/client.ts';
import { isCode } from '../../../../activities/vdsm/errors.ts';
import type { VmAction } from '../../core/types.ts';

const NO_SUCH_VM = 1;
const EXISTS = 4;
const MIGRATION_PORT = 54_321;

export interface OrderContext {
  readonly client: VdsmClient;
  readonly vmId: string;
  readonly guestStopMs: number;
  /** The domain XML to start with, the newest that is known. @throws CounterpartError when there is none */
  readonly domainXml: () => string;
  /** Where another host's VDSM is reached. @throws CounterpartError for a host that is not known */
  readonly addressOf: (hostId: number) => string;
}

type Perform = (context: OrderContext, signal: AbortSignal) => Promise<void>;

/** A VM that is down stays listed, and blocks the next start, until it is destroyed. */
async function clearLeftover({ client, vmId: vmID }: OrderContext, signal: AbortSignal): Promise<boolean> {
  try {
    const { status } = await client.call('VM.getStats', { vmID }, { signal });
    if (status !== 'Down') return false;
  } catch (error) {
    if (isCode(error, NO_SUCH_VM)) return true;
    throw error;
  }
  await destroy({ client, vmId: vmID }, signal);
  return true;
}

async function destroy({ client, vmId: vmID }: Pick<OrderContext, 'client' | 'vmId'>, signal: AbortSignal) {
  await client.call('VM.destroy', { vmID }, { signal }).catch((error: unknown) => {
    if (!isCode(error, NO_SUCH_VM)) throw error;
  });
}

const start: Perform = async (context, signal) => {
  const xml = context.domainXml();
  // It runs already: nothing was refused, and the next look shows it.
  if (!(await clearLeftover(context, signal))) return;
  const { client, vmId: vmID } = context;
  await client.call('VM.create', { vmID, vmParams: { xml } }, { signal }).catch((error: unknown) => {
    if (!isCode(error, EXISTS)) throw error;
  });
};

const shutdown: Perform = async ({ client, vmId: vmID, guestStopMs }, signal) => {
  const timeout = Math.ceil(guestStopMs / 1000);
  await client
    .call('VM.shutdown', { vmID, timeout, message: 'Bellwether stops the engine VM' }, { signal })
    .catch((error: unknown) => {
      if (!isCode(error, NO_SUCH_VM)) throw error;
    });
};

function migrate(to: number): Perform {
  return async ({ client, vmId: vmID, addressOf }, signal) => {
    const address = addressOf(to);
    const dst = /:\d+$/.test(address) ? address : `${address}:${MIGRATION_PORT}`;
    await client.call('VM.migrate', { vmID, params: { dst, method: 'online' } }, { signal });
  };
}

function performerOf(action: VmAction): Perform {
  switch (action.kind) {
    case 'start':
      return start;
    case 'shutdown':
      return shutdown;
    case 'destroy':
      return destroy;
    case 'migrate':
      return migrate(action.to);
  }
}

/** @throws CounterpartError of VDSM or of the two functions of the context */
export function performOrder(context: OrderContext, action: VmAction, signal: AbortSignal): Promise<void> {
  return performerOf(action)(context, signal);
}

/** For the log and the core: one line, cause first. */
export function orderFailure(error: unknown): string {
  if (error instanceof CounterpartError) return `${error.facts.what}: ${error.facts.why}`;
  return error instanceof Error ? error.message : String(error);
}
