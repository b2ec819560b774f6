/** Workflow `rollingHostUpdate`: the hosts one by one out of service, updated, and back; it stops at the first that stays away. */
import { NOUNS } from '../model/words.ts';
import { planOf, type OperationEnd, type OperationResult, type StepCall } from '../model/operation.ts';
import type { OperationInput, RollingHostUpdateRequest } from '../model/requests.ts';
import { hostUpdateSteps, ROLLING_UPDATE_STEPS, type RollingUpdateActivities } from '../model/rolling-update.ts';
import { operationWorkflow } from '../steps/operation.ts';
import type { StepRunner } from '../steps/runner.ts';

type Runner = StepRunner<RollingUpdateActivities>;

/** @returns false when the host has nothing to update */
async function updateHost(run: Runner, call: StepCall, host: string, reason: string): Promise<boolean> {
  const steps = hostUpdateSteps(host);
  const { facts, updateAvailable } = await run.step(steps.check, (a) => a.inspectHostToUpdate({ ...call, host }));
  if (!updateAvailable) {
    const names = [steps.maintenance, steps.update, steps.return].map((step) => step.name);
    run.notNeeded(names, 'the engine found no update for it');
    return false;
  }
  const input = { ...call, facts };
  const undo = `undo-${host}-maintenance`;
  await run.step(steps.maintenance, (a) => a.takeHostOut({ ...input, reason }), {
    name: undo,
    title: `${host}: back into service`,
    // A host that is being updated comes back into service in every ending; the engine VM does not go back to it.
    always: true,
    run: (a) => a.restoreHost(input),
  });
  // Installed packages can't be taken back.
  run.commit();
  await run.step(steps.update, (a) => a.updateHost(input));
  await run.step(steps.return, (a) => a.takeHostBack(input));
  run.discardUndo(undo);
  return true;
}

async function updateAll(run: Runner, call: StepCall, request: RollingHostUpdateRequest): Promise<OperationEnd> {
  const { hosts: wanted, reason, ticket, key } = request;
  const preconditions = planOf(ROLLING_UPDATE_STEPS, 'preconditions');
  const named = wanted === undefined ? {} : { hosts: wanted };
  const { hosts } = await run.step(preconditions, (a) => a.planRollingUpdate({ ...call, ...named }));
  run.extend(hosts.flatMap((host) => Object.values(hostUpdateSteps(host))));
  const updated: string[] = [];
  // One after the other: never may two of them be away at once.
  for (const host of hosts) if (await updateHost(run, call, host, reason ?? ticket ?? key)) updated.push(host);
  if (updated.length === 0) return { state: 'nothing-to-do', lines: [`No update for ${hosts.join(', ')}.`] };
  const rest = hosts.filter((host) => !updated.includes(host));
  const lines = [
    `Updated and back in service, one after the other: ${updated.join(', ')}.`,
    ...(rest.length === 0 ? [] : [`No update for ${rest.join(', ')}: left alone.`]),
  ];
  return { state: 'done', lines };
}

const run = operationWorkflow<RollingHostUpdateRequest, RollingUpdateActivities>({
  noun: NOUNS['rolling-host-update'],
  steps: ROLLING_UPDATE_STEPS,
  body: updateAll,
  stays: 'Updates that were installed stay.',
});

export async function rollingHostUpdate(input: OperationInput<RollingHostUpdateRequest>): Promise<OperationResult> {
  return run(input);
}
