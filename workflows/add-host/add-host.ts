/** Workflow `addHost`: a host that can run the engine VM, seen to be able to. */
import { NOUNS } from '../model/words.ts';
import { HOST_WORKER_STEPS } from '../model/host-worker.ts';
import { ADD_HOST_STEPS, type AddHostActivities, type AddHostFacts } from '../model/add-host.ts';
import { planOf, type OperationEnd, type OperationResult, type StepCall } from '../model/operation.ts';
import type { AddHostRequest, OperationInput } from '../model/requests.ts';
import { operationWorkflow } from '../steps/operation.ts';
import type { StepRunner } from '../steps/runner.ts';
import { putHostWorker, sshOf } from './host-worker.ts';

type Runner = StepRunner<AddHostActivities>;

const plan = (name: (typeof ADD_HOST_STEPS)[number]['name']) => planOf(ADD_HOST_STEPS, name);

/** The engine installs only a host that is out of service; one whose installation failed is. */
const INSTALLABLE = new Set(['maintenance', 'install_failed']);

async function freeForInstallation(run: Runner, call: StepCall, request: AddHostRequest, facts: AddHostFacts) {
  const { known } = facts;
  if (known === undefined || INSTALLABLE.has(known.before.status)) {
    const why = known === undefined ? 'the engine does not know the host yet' : `it is ${known.before.status}`;
    return run.notNeeded(['engine-maintenance'], why);
  }
  const input = { ...call, facts: known };
  const reason = request.reason ?? request.ticket ?? request.key;
  await run.step(plan('engine-maintenance'), (a) => a.enterEngineMaintenance({ ...input, reason }), {
    name: 'undo-engine-maintenance',
    title: 'Activate the host in the engine, if it was active before',
    run: (a) => a.restoreEngineState(input),
  });
}

async function verified(run: Runner, call: StepCall, facts: AddHostFacts): Promise<readonly string[]> {
  const input = { ...call, facts };
  const seen = await run.step(plan('verify'), (a) => a.verifyDeployedHost(input));
  const read = await run.step(plan('definition'), (a) => a.verifyDefinitionReadable(input));
  return [...seen, ...read];
}

/** Where our worker is wanted, it comes last: the engine's deployment ends with the reference's services in every case. */
async function proven(run: Runner, call: StepCall, request: AddHostRequest, facts: AddHostFacts) {
  const seen = await verified(run, call, facts);
  if (request.agent === 'reference') return { lines: seen, changed: false };
  const { lines, changed } = await putHostWorker(run, call, request, facts);
  return { lines: [...seen, ...lines], changed };
}

async function add(run: Runner, call: StepCall, request: AddHostRequest): Promise<OperationEnd> {
  const { host, address, vdsmPort, access, agent, sshPort } = request;
  const ours = agent === 'bellwether';
  if (ours) run.extend(HOST_WORKER_STEPS);
  const ssh = ours ? { ssh: sshOf(request) } : {};
  const wanted = { host, address, access, agent, ...(vdsmPort === undefined ? {} : { vdsmPort }), ...ssh };
  const facts = await run.step(plan('preconditions'), (a) => a.inspectNewHost({ ...call, ...wanted }));
  if (facts.deployed) {
    run.notNeeded(['engine-maintenance', 'deploy'], 'hosted engine is deployed there already');
    const { lines, changed } = await proven(run, call, request, facts);
    const state = changed ? 'done' : 'nothing-to-do';
    return { state, lines: [`${host} was a hosted-engine host already.`, ...lines] };
  }
  await freeForInstallation(run, call, request, facts);
  const input = { ...call, facts };
  await run.step(
    plan('deploy'),
    (a) => a.deployHost({ ...input, access, ...(sshPort === undefined ? {} : { sshPort }) }),
    {
      name: 'undo-deploy',
      title:
        facts.known === undefined ? 'Take the host out of the engine again' : 'Take hosted engine from the host again',
      run: (a) => a.withdrawHost(input),
    },
  );
  const { lines } = await proven(run, call, request, facts);
  return { state: 'done', lines: [`${host} can run the engine VM now.`, ...lines] };
}

const run = operationWorkflow<AddHostRequest, AddHostActivities>({
  noun: NOUNS['add-host'],
  steps: ADD_HOST_STEPS,
  body: add,
});

export async function addHost(input: OperationInput<AddHostRequest>): Promise<OperationResult> {
  return run(input);
}
