/**
 * Records histories of today's operations on labs; only when asked, as `record.test.ts`. Of each play: undisturbed, parked
 * and retried, aborted in the middle.
 */
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StepActivity } from '../../activities/steps.activities.ts';
import { PLAYS } from '../../infra/plays/all.ts';
import { operationId } from '../../workflows/model/ids.ts';
import { WORKFLOW_TYPES } from '../../workflows/model/requests.ts';
import { onStage, toTheEnd } from '../faults/cells.ts';
import { abortingAfter } from '../faults/disturb.ts';
import { openGround, type OwnGround } from '../faults/ground.ts';
import { operate, startOperation } from '../faults/stage.ts';
import { record } from './store.ts';

const TEST_LIMIT_MS = 300_000;
/** The first activity asks for the cluster, the second looks, the third is the first that changes something. */
const THIRD = '3';

/** Fails once, in a way that only a person can mend. */
function failingOnce(activityId: string): (activity: StepActivity) => StepActivity {
  let failed = false;
  return (activity) => async (input) => {
    if (failed || Context.current().info.activityId !== activityId) return activity(input);
    failed = true;
    const details = [{ subject: 'a host', what: 'it refused', why: 'for the record', remedy: 'Retry.', attempt: 1 }];
    throw ApplicationFailure.create({ message: 'for the record', type: 'test/refused', nonRetryable: true, details });
  };
}

let ground: OwnGround;

function runs(): void {
  for (const play of PLAYS) {
    const kinds = {
      done: () => ({}),
      parked: () => ({ wrapStep: () => failingOnce(THIRD) }),
      aborted: (abort: () => Promise<unknown>) => ({ wrapStep: () => abortingAfter(THIRD, abort, { met: false }) }),
    };
    for (const [kind, wrapOf] of Object.entries(kinds)) {
      test(`${play.name}, ${kind}`, { timeout: TEST_LIMIT_MS }, async () => {
        let abort = (): Promise<unknown> => Promise.resolve();
        await onStage(ground, play, `${play.name}-${kind}`, wrapOf(() => abort()), async (stage) => {
          const request = play.request(stage.lab);
          const id = operationId(request);
          abort = () => operate(stage, id, 'abort');
          await stage.service();
          await startOperation(stage, request);
          const view = await toTheEnd(stage, id);
          expect(view.state).toBe(kind === 'aborted' ? 'aborted' : 'done');
          const history = await stage.client.workflow.getHandle(id).fetchHistory();
          record(WORKFLOW_TYPES[request.operation], `${play.name}-${kind}`, history);
        });
      });
    }
  }
}

describe.runIf(process.env['UPDATE_REPLAY_HISTORIES'] === '1')('recorded anew', () => {
  beforeAll(async () => {
    ground = await openGround();
  });
  afterAll(() => ground?.close());
  runs();
});
