/** What each confirmation says it will do. Pure. */
import { html } from 'hono/html';
import type { OperatorAction } from '../../workflows/model/operation.ts';
import type { OperationReport } from '../ports.ts';
import type { ClusterStatus } from '../clusters/status.ts';
import type { Html } from './views/words.ts';

export interface Question {
  readonly title: string;
  readonly what: readonly (string | Html)[];
  readonly button: string;
}

function doneSteps({ steps }: OperationReport): Html | string {
  const done = steps.filter(({ state }) => state === 'done' || state === 'parked' || state === 'running').toReversed();
  if (done.length === 0) return 'No step was done yet: there is nothing to take back.';
  return html`These steps are taken back, in this order, where they changed something:
  ${done.map(({ title }) => title).join('; ')}.`;
}

export function actionQuestion(report: OperationReport, action: OperatorAction): Question {
  const { id, steps } = report;
  const index = steps.findIndex(({ state }) => state === 'parked');
  const step = steps[index]?.title ?? 'the parked step';
  const next = steps[index + 1]?.title ?? 'its end';
  switch (action) {
    case 'retry':
      return {
        title: 'Try the step again?',
        what: [
          html`The step <b>${step}</b> of ${id} is done again from its check on: what it did before is found, not done
            twice.`,
          'Mend its cause first; else it parks again.',
        ],
        button: 'Try again',
      };
    case 'skip':
      return {
        title: 'Skip the step?',
        what: [html`The step <b>${step}</b> of ${id} is left out. It goes on with: ${next}.`],
        button: 'Skip the step',
      };
    case 'abort':
      return {
        title: 'Abort the operation?',
        what: [html`${id} is ended. It can’t be taken up again.`, doneSteps(report)],
        button: 'Abort and undo',
      };
  }
}

export function globalQuestion(mode: 'on' | 'off', cluster: string): Question {
  if (mode === 'off') {
    return {
      title: 'Switch global maintenance off?',
      what: [`The hosts of ${cluster} restart the engine by themselves again, from now on.`],
      button: 'Switch it off',
    };
  }
  return {
    title: 'Switch global maintenance on?',
    what: [`While it is on no host of ${cluster} restarts or moves the engine: if it dies, it stays down.`],
    button: 'Switch it on',
  };
}

/** @param status what was seen last, if anything */
export function hostQuestion(action: 'maintenance' | 'activate', host: string, status?: ClusterStatus): Question {
  if (action === 'activate') {
    return {
      title: `Activate ${host}?`,
      what: [`${host} leaves maintenance in the engine and in HA, and may run the engine VM again.`],
      button: 'Activate it',
    };
  }
  const here = status?.engineVm.host === host;
  const failures = status?.capacity.failures ?? undefined;
  return {
    title: `${host} into maintenance?`,
    what: [
      `${host} goes into maintenance in the engine and in HA: its VMs move off, and it does not run the engine VM.`,
      here ? 'The engine VM runs there now: it is migrated to another host first.' : '',
      failures === undefined
        ? ''
        : `The cluster can take ${failures} host ${failures === 1 ? 'failure' : 'failures'} now; then it can take fewer.`,
      'It is refused when no other host could run the engine.',
    ].filter((line) => line !== ''),
    button: 'Into maintenance',
  };
}
