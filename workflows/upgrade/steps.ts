/** The upgrade, step by step: an unmanaged engine VM becomes one that the engine manages itself. */
import { planOf, type OperationEnd, type StepCall } from '../model/operation.ts';
import type { UpgradeRequest } from '../model/requests.ts';
import { UPGRADE_STEPS, type UpgradeActivities, type UpgradeFacts, type UpgradeStepName } from '../model/upgrade.ts';
import type { StepRunner } from '../steps/runner.ts';

type Runner = StepRunner<UpgradeActivities>;

const plan = (name: UpgradeStepName) => planOf(UPGRADE_STEPS, name);

const MAINTENANCE_UNDO = 'undo-global-maintenance';

/** Everything between the preconditions and the engine that manages its own VM. */
async function transform(run: Runner, call: StepCall, request: UpgradeRequest, facts: UpgradeFacts) {
  const input = { ...call, facts };
  await run.step(plan('enter-global-maintenance'), (a) => a.enterGlobalMaintenance(input), {
    name: MAINTENANCE_UNDO,
    title: 'Leave global maintenance',
    always: true,
    run: (a) => a.leaveGlobalMaintenance(input),
  });
  const backup = await run.step(plan('back-up-before'), (a) => a.backUp({ ...input, phase: 'before' }));
  const definition = await run.step(plan('convert'), (a) =>
    a.convertDefinition({
      ...input,
      source: request.source,
      ...(request.vmConf === undefined ? {} : { vmConf: request.vmConf }),
    }),
  );
  const disks = await run.step(plan('ovf-store-disks'), (a) => a.ensureOvfStoreDisks(input), {
    name: 'undo-ovf-store-disks',
    title: 'Remove the OVF_STORE disks that this operation created',
    run: (a) => a.removeOvfStoreDisks(input),
  });
  await run.step(plan('write-ovf'), (a) => a.writeOvf({ ...input, disks, definition }), {
    name: 'undo-write-ovf',
    title: 'Put the former content of the OVF_STORE disks back',
    run: (a) => a.restoreOvfStores({ ...input, disks, backup }),
  });
  await run.step(plan('import-domain'), (a) => a.importDomain(input), {
    name: 'undo-import-domain',
    title: 'Take the storage domain out of the engine again',
    run: (a) => a.removeDomain(input),
  });
  await run.step(plan('await-domain'), (a) => a.awaitDomainActive(input));
  await run.step(plan('import-vm'), (a) => a.importVm({ ...input, definition }));
  // The engine manages its own VM now and refuses to give up the domain that it lies on: from here on only forward.
  run.commit();
  return definition;
}

async function untouched(run: Runner, call: StepCall, facts: UpgradeFacts): Promise<OperationEnd> {
  const unneeded = UPGRADE_STEPS.map((step) => step.name).filter(
    (name) => name !== 'preconditions' && name !== 'verify' && name !== 'report',
  );
  run.notNeeded(unneeded, 'the engine manages its VM already');
  const lines = await run.step(plan('verify'), (a) => a.verifyUpgrade({ ...call, facts }));
  return {
    state: 'nothing-to-do',
    lines: [`Engine VM ${facts.vm.name} was managed already; nothing was changed.`, ...lines],
  };
}

async function upgraded(
  run: Runner,
  call: StepCall,
  request: UpgradeRequest,
  facts: UpgradeFacts,
): Promise<OperationEnd> {
  const input = { ...call, facts };
  const definition = await transform(run, call, request, facts);
  const lines = await run.step(plan('verify'), (a) => a.verifyUpgrade({ ...input, definition }));
  await run.step(plan('leave-global-maintenance'), (a) => a.leaveGlobalMaintenance(input));
  run.discardUndo(MAINTENANCE_UNDO);
  const after = await run.optional(plan('back-up-after'), (a) => a.backUp({ ...input, phase: 'after' }));
  const kept =
    after === undefined
      ? []
      : [`Backup after the change: s3://${after.bucket}/${after.manifestKey} (${after.objects} objects).`];
  return { state: 'done', lines: [`Engine VM ${facts.vm.name} is managed by its engine now.`, ...lines, ...kept] };
}

/** The operation's body; runs on any runner. */
export async function runUpgrade(run: Runner, call: StepCall, request: UpgradeRequest): Promise<OperationEnd> {
  const facts = await run.step(plan('preconditions'), (a) =>
    a.inspectUpgrade({ ...call, ...(request.vmConf === undefined ? {} : { vmConf: request.vmConf }) }),
  );
  return facts.alreadyManaged ? untouched(run, call, facts) : upgraded(run, call, request, facts);
}
