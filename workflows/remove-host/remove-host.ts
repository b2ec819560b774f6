/** Workflow `removeHost`: a host without hosted engine, in the engine or out of it, that left nothing behind. */
import { NOUNS } from '../model/words.ts';
import { isInEngineMaintenance } from '../model/host-maintenance.ts';
import type { SshAccess } from '../model/host-worker.ts';
import { planOf, type OperationEnd, type OperationResult, type StepCall } from '../model/operation.ts';
import { REMOVE_HOST_STEPS, type RemoveHostActivities, type RemoveHostFacts } from '../model/remove-host.ts';
import type { OperationInput, RemoveHostRequest } from '../model/requests.ts';
import { operationWorkflow } from '../steps/operation.ts';
import type { StepRunner } from '../steps/runner.ts';

type Runner = StepRunner<RemoveHostActivities>;
type StepName = (typeof REMOVE_HOST_STEPS)[number]['name'];

const plan = (name: StepName) => planOf(REMOVE_HOST_STEPS, name);

/** Undefined: nobody but the engine can log in to the host. */
function sshOf({ sshKeySecret, passwordSecret }: RemoveHostRequest): SshAccess | undefined {
  if (sshKeySecret === undefined && passwordSecret === undefined) return undefined;
  return {
    access: passwordSecret === undefined ? { kind: 'public-key' } : { kind: 'password', passwordSecret },
    ...(sshKeySecret === undefined ? {} : { sshKeySecret }),
  };
}

/** The engine takes only the reference's services from a host. Not under the engine VM: for a moment nobody speaks for it. */
async function giveWorkerBack(run: Runner, call: StepCall, request: RemoveHostRequest, facts: RemoveHostFacts) {
  const ssh = sshOf(request);
  if (ssh === undefined) return run.notNeeded(['worker-leaves'], 'the reference’s services serve the host');
  const input = { ...call, facts, ssh };
  await run.step(plan('worker-leaves'), (a) => a.withdrawWorker(input), {
    name: 'undo-worker-leaves',
    title: 'Put the host worker there again, if it served the host before',
    run: (a) => a.restoreWorker(input),
  });
}

/** Without the host nobody misses it: the engine VM elsewhere, then HA and the engine in maintenance. */
async function takeOutOfService(run: Runner, call: StepCall, request: RemoveHostRequest, facts: RemoveHostFacts) {
  const input = { ...call, facts };
  if (facts.deployed) {
    await run.step(plan('move-engine-vm'), (a) => a.moveEngineVmAway(input), {
      name: 'undo-move-engine-vm',
      title: 'Move the engine VM back, if it ran there before',
      run: (a) => a.restoreEngineVmPlace(input),
    });
    await giveWorkerBack(run, call, request, facts);
    await run.step(plan('ha-maintenance'), (a) => a.enterHaMaintenance(input), {
      name: 'undo-ha-maintenance',
      title: 'End local HA maintenance, if it was off before',
      run: (a) => a.restoreHaState(input),
    });
  }
  const reason = request.reason ?? request.ticket ?? request.key;
  await run.step(plan('engine-maintenance'), (a) => a.enterEngineMaintenance({ ...input, reason }), {
    name: 'undo-engine-maintenance',
    title: 'Activate the host in the engine, if it was active before',
    run: (a) => a.restoreEngineState(input),
  });
}

async function leave(run: Runner, call: StepCall, { fromEngine }: RemoveHostRequest, facts: RemoveHostFacts) {
  const input = { ...call, facts };
  const drop = (a: RemoveHostActivities) => {
    run.commit();
    return a.removeHostFromEngine(input);
  };
  if (fromEngine) await run.step(plan('leave'), drop);
  else if (isInEngineMaintenance(facts.before.status)) run.notNeeded(['leave'], 'it was in maintenance before');
  else await run.step(plan('leave'), (a) => a.activateHost(input));
  return run.step(plan('verify'), (a) => a.verifyHostRemoved({ ...input, fromEngine }));
}

function nothingToDo(run: Runner, line: string, why: string): OperationEnd {
  const names = REMOVE_HOST_STEPS.map((step) => step.name);
  run.notNeeded(
    names.filter((name) => name !== 'preconditions' && name !== 'report'),
    why,
  );
  return { state: 'nothing-to-do', lines: [line] };
}

async function remove(run: Runner, call: StepCall, request: RemoveHostRequest): Promise<OperationEnd> {
  const { host, fromEngine, dead = false } = request;
  const ssh = sshOf(request);
  const question = { ...call, host, ...(dead ? { dead } : {}), ...(ssh === undefined ? {} : { ssh }) };
  const facts = await run.step(plan('preconditions'), (a) => a.inspectLeavingHost(question));
  if (facts === null) return nothingToDo(run, `The engine does not know ${host}.`, 'the engine does not know the host');
  if (!facts.deployed) {
    const why = 'hosted engine is not deployed there';
    if (!fromEngine) return nothingToDo(run, `${host} is no hosted-engine host.`, why);
    run.notNeeded(['move-engine-vm', 'worker-leaves', 'ha-maintenance', 'undeploy'], why);
  }
  const input = { ...call, facts };
  if (dead) {
    run.notNeeded(['move-engine-vm', 'worker-leaves', 'ha-maintenance', 'undeploy'], 'the host is gone for good');
    await run.step(plan('engine-maintenance'), (a) => {
      run.commit();
      return a.giveUpDeadHost(input);
    });
  } else await takeOutOfService(run, call, request, facts);
  // The engine offers no way back from here: deploying again is a new installation, and may fail as one. Said within the
  // step, which begins only if nobody has aborted before.
  const undeploy = (a: RemoveHostActivities) => {
    run.commit();
    return a.undeployHost(input);
  };
  if (facts.deployed && !dead) await run.step(plan('undeploy'), undeploy);
  await run.step(plan('clear-slot'), (a) => a.clearSlot(input));
  const lines = await leave(run, call, request, facts);
  const where = fromEngine
    ? 'It is out of the engine; take it out of the worker’s clusters file too.'
    : 'It stays in the engine, without hosted engine.';
  return { state: 'done', lines: [`${host} is no hosted-engine host any more. ${where}`, ...lines] };
}

const run = operationWorkflow<RemoveHostRequest, RemoveHostActivities>({
  noun: NOUNS['remove-host'],
  steps: REMOVE_HOST_STEPS,
  body: remove,
  stays:
    'Hosted engine was taken from the host, or half of it: it stays in maintenance. Start remove-host or add-host anew to bring it to one end or the other.',
});

export async function removeHost(input: OperationInput<RemoveHostRequest>): Promise<OperationResult> {
  return run(input);
}
