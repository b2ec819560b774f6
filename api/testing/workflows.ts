/** A small operation with the real one's name and messages: what the front door's tests run against. */
import {
  ApplicationFailure,
  condition,
  defineQuery,
  defineUpdate,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { defineSearchAttributeKey } from '@temporalio/common';
import {
  MESSAGES,
  type OperationState,
  type OperationView,
  type OperatorAction,
  type OperatorCommand,
  type StepView,
} from '../../workflows/model/operation.ts';
import type { OperationInput } from '../../workflows/model/requests.ts';

const STATE = defineSearchAttributeKey('HeState', 'KEYWORD');
const STEP = defineSearchAttributeKey('HeStep', 'KEYWORD');
const FAILURE = {
  type: 'engine/data-center-not-up',
  what: 'the data center is not up',
  why: 'its status is maintenance',
  remedy: 'Activate it, then retry.',
  attempts: 3,
};

/** The key's first part says how it goes: PARK parks at its second step, CRASH fails for good, all others run through. */
export async function upgradeHostedEngine({ request }: OperationInput): Promise<string> {
  const startedAt = new Date().toISOString();
  let state: OperationState = 'running';
  let command: { readonly action: OperatorAction; readonly by: OperatorCommand } | undefined;
  let failure: StepView['failure'];
  let stepTwo: StepView['state'] = 'pending';
  const set = (next: OperationState) => {
    state = next;
    upsertSearchAttributes([
      { key: STATE, value: next },
      { key: STEP, value: 'import-domain' },
    ]);
  };
  const view = (): OperationView => ({
    id: workflowInfo().workflowId,
    operation: request.operation,
    cluster: request.cluster,
    ...(request.ticket === undefined ? {} : { ticket: request.ticket }),
    requestedBy: request.requestedBy,
    state,
    ...(state === 'parked' ? { waitsFor: 'an operator' } : {}),
    steps: [
      { name: 'preconditions', title: 'Check', state: 'done', startedAt, endedAt: startedAt, summary: 'all is well' },
      {
        name: 'import-domain',
        title: 'Import',
        state: stepTwo,
        startedAt,
        ...(failure === undefined ? {} : { failure }),
      },
    ],
    undo: [],
    actions: state === 'parked' ? ['retry', 'abort'] : [],
    startedAt,
    ...(state === 'done' || state === 'aborted' ? { endedAt: startedAt, outcome: `${state} by the test` } : {}),
  });
  setHandler(defineQuery<OperationView>(MESSAGES.view), view);
  for (const action of ['retry', 'skip', 'abort'] as const) {
    const take = (by: OperatorCommand) => {
      command = { action, by };
    };
    const validator: (by: OperatorCommand) => void = () => {
      if (!view().actions.includes(action)) throw new Error(`${action} is not possible: the operation is ${state}`);
    };
    setHandler(defineUpdate<void, [OperatorCommand]>(MESSAGES[action]), take, { validator });
  }
  if (request.key.startsWith('CRASH')) throw ApplicationFailure.nonRetryable('a defect');
  if (request.key.startsWith('PARK')) {
    failure = FAILURE;
    stepTwo = 'parked';
    set('parked');
    await condition(() => command !== undefined);
    failure = undefined;
  }
  stepTwo = command?.action === 'abort' ? 'pending' : 'done';
  set(command?.action === 'abort' ? 'aborted' : 'done');
  return command === undefined ? 'nobody' : `${command.by.by}: ${command.by.reason ?? ''}`;
}
