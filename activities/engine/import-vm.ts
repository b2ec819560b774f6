/** Step: import the engine VM. From here on the engine manages its own VM. */
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { ConvertedDefinition, UpgradeFacts } from '../../workflows/model/upgrade.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import { poll, type StepContext } from '../step-context.ts';
import type { EngineClient } from './client.ts';

type Input = StepCall & { readonly facts: UpgradeFacts; readonly definition: ConvertedDefinition };

const POLL_MS = 250;
/** The engine reads a domain's OVFs while it attaches it; they show up shortly after it is active. */
const LISTED_LIMIT_MS = 120_000;
/** An import that the engine began by itself, or whose answer was lost. */
const MANAGED_LIMIT_MS = 300_000;

async function isManaged(engine: EngineClient, vmId: string): Promise<boolean> {
  const vm = (await engine.vms()).find((candidate) => candidate.id === vmId);
  return vm?.origin === 'managed_hosted_engine';
}

function notListed(facts: UpgradeFacts): CounterpartError {
  return new CounterpartError({
    type: 'engine/vm-not-listed',
    kind: 'needs-operator',
    subject: `VM ${facts.vm.name}`,
    what: 'the engine does not offer it for import',
    why: `${facts.vm.id} is not among the unregistered VMs of the domain after ${LISTED_LIMIT_MS / 1000} s`,
    remedy:
      'Look at the engine’s events 1017 and 1018 (OVF disk could not be read); update the OVFs of the domain (Storage, Update OVFs), then retry.',
  });
}

/** Waits until the VM can be imported, or is managed because the engine imported it by itself (engine.md 11.1). */
async function awaitOffer(
  context: StepContext,
  engine: EngineClient,
  facts: UpgradeFacts,
): Promise<'offered' | 'managed'> {
  const found = await poll(
    context,
    { what: `the engine to offer VM ${facts.vm.name} for import`, everyMs: POLL_MS, limitMs: LISTED_LIMIT_MS },
    async () => {
      if (await isManaged(engine, facts.vm.id)) return 'managed' as const;
      const offered = await engine.storageDomainVms(facts.domain.id, { unregistered: true });
      return offered.some((vm) => vm.id === facts.vm.id) ? ('offered' as const) : undefined;
    },
  );
  if (found === undefined) throw notListed(facts);
  return found;
}

export function importVm({ clusters }: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<null>> => {
    const { facts } = input;
    const engine = clusters.get(input.cluster).engine(input.operationId, context.signal);
    if (await isManaged(engine, facts.vm.id)) {
      return { done: 'before', summary: 'the engine manages the VM already', value: null };
    }
    if ((await awaitOffer(context, engine, facts)) === 'offered') {
      await engine.registerVm(facts.domain.id, facts.vm.id, { cluster: facts.cluster.id });
    }
    const managed = await poll(
      context,
      { what: `VM ${facts.vm.name} to become managed`, everyMs: POLL_MS, limitMs: MANAGED_LIMIT_MS },
      async () => ((await isManaged(engine, facts.vm.id)) ? true : undefined),
    );
    if (managed === true)
      return { done: 'now', summary: `${facts.vm.name} imported into cluster ${facts.cluster.name}`, value: null };
    throw new CounterpartError({
      type: 'engine/vm-not-managed',
      kind: 'needs-operator',
      subject: `VM ${facts.vm.name}`,
      what: 'it was imported but the engine does not call it managed',
      why: 'its origin is not managed_hosted_engine',
      remedy: 'Look at the engine’s events 10456 and 10457, then retry.',
    });
  };
}
