/** Workflow `installHostedEngine`: a hosted engine on file storage, from one host with VDSM to an engine that knows itself. */
import { NOUNS } from '../model/words.ts';
import { INSTALL_STEPS, type InstallActivities, type InstallPlan } from '../model/install.ts';
import { planOf, type OperationEnd, type OperationResult, type StepCall } from '../model/operation.ts';
import type { InstallRequest, OperationInput } from '../model/requests.ts';
import type { UpgradeFacts } from '../model/upgrade.ts';
import { operationWorkflow } from '../steps/operation.ts';
import type { StepRunner } from '../steps/runner.ts';

type Runner = StepRunner<InstallActivities>;
type Planned = StepCall & Pick<InstallRequest, 'answers'> & { readonly plan: InstallPlan };

const plan = (name: (typeof INSTALL_STEPS)[number]['name']) => planOf(INSTALL_STEPS, name);

/** From an empty export to a disk that an engine can start from. */
async function layOut(run: Runner, input: Planned): Promise<void> {
  await run.step(plan('create-domain'), (a) => a.createHostedEngineDomain(input), {
    name: 'undo-create-domain',
    title: 'Remove the storage domain with all that this operation put on it',
    run: (a) => a.removeHostedEngineDomain(input),
  });
  await run.step(plan('create-volumes'), (a) => a.createHostedEngineVolumes(input));
  await run.step(plan('fetch-appliance'), (a) => a.fetchAppliance(input));
  await run.step(plan('write-configuration'), (a) => a.writeHostedEngineConfiguration(input));
  await run.step(plan('release-pool'), (a) => a.releasePool(input));
}

/** From there to an engine with a host and a data center that is up. */
async function bringUp(run: Runner, input: Planned): Promise<UpgradeFacts> {
  await run.step(plan('start-engine-vm'), (a) => a.startEngineVm(input), {
    name: 'undo-start-engine-vm',
    title: 'Destroy the engine VM',
    run: (a) => a.stopEngineVm(input),
  });
  await run.step(plan('await-engine'), (a) => a.awaitEngine(input));
  const facts = await run.step(plan('data-center'), (a) => a.prepareDataCenter(input));
  await run.step(plan('add-host'), (a) => a.addFirstHost({ ...input, facts }), {
    name: 'undo-add-host',
    title: 'Keep the host’s HA services from starting the engine VM again',
    run: (a) => a.quietHighAvailability(input),
  });
  await run.step(plan('master-domain'), (a) => a.ensureMasterDomain({ ...input, facts }), {
    name: 'undo-master-domain',
    title: 'Stop the engine, and remove the data domain if this operation made it',
    run: (a) => a.removeMasterDomain({ ...input, facts }),
  });
  return facts;
}

/** The engine takes over its own VM, as in an upgrade. */
async function takeOver(run: Runner, input: Planned, facts: UpgradeFacts) {
  const own = { operationId: input.operationId, cluster: input.cluster, startedAt: input.startedAt, facts };
  const definition = await run.step(plan('convert'), (a) =>
    a.convertDefinition({ ...own, source: 'configuration-volume' }),
  );
  const disks = input.plan.ovfStores.map((disk) => ({ ...disk, createdByUs: true }));
  await run.step(plan('write-ovf'), (a) => a.writeOvf({ ...own, disks, definition }));
  await run.step(plan('import-domain'), (a) => a.importDomain(own));
  await run.step(plan('await-domain'), (a) => a.awaitDomainActive(own));
  await run.step(plan('import-vm'), (a) => a.importVm({ ...own, definition }));
  // The engine manages its own VM now: what it lies on can't be taken away any more.
  run.commit();
  return { own, definition };
}

/** The operation's body; runs on any runner. */
export async function runInstall(run: Runner, call: StepCall, { answers }: InstallRequest): Promise<OperationEnd> {
  const made = await run.step(plan('preflight'), (a) => a.preflight({ ...call, answers }));
  const input = { ...call, answers, plan: made };
  await layOut(run, input);
  const facts = await bringUp(run, input);
  const { own, definition } = await takeOver(run, input, facts);
  await run.step(plan('high-availability'), (a) => a.awaitHighAvailability({ ...input, facts }));
  const lines = await run.step(plan('verify'), (a) => a.verifyInstall({ ...input, facts, definition }));
  const backup = await run.optional(plan('back-up'), (a) => a.backUp({ ...own, phase: 'after' }));
  const kept = backup === undefined ? [] : [`Backup: s3://${backup.bucket}/${backup.manifestKey}.`];
  return {
    state: 'done',
    lines: [
      `Hosted engine ${answers.fqdn} runs on ${answers.host.name} and manages its own VM.`,
      ...lines,
      ...kept,
      'More hosts make it highly available: add them with add-host.',
    ],
  };
}

const run = operationWorkflow<InstallRequest, InstallActivities>({
  noun: NOUNS.install,
  steps: INSTALL_STEPS,
  body: runInstall,
  stays: 'The engine manages its own VM already: storage, engine VM and host stay.',
});

export async function installHostedEngine(input: OperationInput<InstallRequest>): Promise<OperationResult> {
  return run(input);
}
