/** The ways in which a step of any operation is disturbed, and what strikes when. */
import { Context } from '@temporalio/activity';
import type { StepActivity } from '../../activities/steps.activities.ts';
import type { LabFault } from '../../infra/lab/faults.ts';
import type { Lab } from '../../infra/lab/lab.ts';

export const DISTURBANCES = ['killed-before', 'killed-after', 'error', 'answer-lost', 'down', 'aborted'] as const;
export type Disturbance = (typeof DISTURBANCES)[number];

const DOWN_TIMES = 4;

const ENGINE_DOWN = { status: 503, reason: 'Service Unavailable', detail: '[Service Unavailable]' } as const;

/** VDSM and engine alike: a step is struck by whichever it talks to. */
function faultsOf(disturbance: Disturbance, lab: Lab): readonly LabFault[] {
  switch (disturbance) {
    case 'error':
      return [
        { kind: 'vdsm-error', verb: '*', code: 100, message: 'General Exception', times: 1 },
        { kind: 'engine-error', match: '* **', ...ENGINE_DOWN, times: 1 },
      ];
    case 'answer-lost':
      return [
        { kind: 'vdsm-cut', verb: '<change>', times: 1 },
        { kind: 'engine-drop', match: '<change> **', times: 1 },
      ];
    case 'down':
      return [
        ...lab.hosts.map(({ name }): LabFault => ({ kind: 'vdsm-recovering', host: name, calls: DOWN_TIMES })),
        { kind: 'engine-error', match: '* **', ...ENGINE_DOWN, times: DOWN_TIMES },
      ];
    case 'killed-before':
    case 'killed-after':
    case 'aborted':
      return [];
  }
}

export interface Strike {
  /** Whether anything met it: a step that calls nobody can't be struck by a call's fault. */
  met: boolean;
}

/** Has the operation aborted when the activity of that number has had its effect, and before its result is reported. */
export function abortingAfter(
  activityId: string,
  abort: () => Promise<unknown>,
  strike: Strike,
): (activity: StepActivity) => StepActivity {
  return (activity) => async (input) => {
    const result = await activity(input);
    if (Context.current().info.activityId === activityId && !strike.met) {
      strike.met = true;
      await abort();
    }
    return result;
  };
}

/** An engine that is down takes no fault, and needs none. */
const quietly = (work: Promise<unknown>) => work.catch(() => undefined);

/**
 * Disturbs the activity of that number, from its first attempt on, until it has done its work.
 * @param activityId Temporal's number of the activity in the workflow
 */
export function disturbing(
  lab: Lab,
  activityId: string,
  disturbance: Disturbance,
  strike: Strike,
): (activity: StepActivity) => StepActivity {
  let injected = 0;
  const settle = async () => {
    const left = await lab.unspentFaults().catch(() => []);
    strike.met ||= left.length < injected;
    await quietly(lab.clear());
  };
  return (activity) => async (input) => {
    const { info } = Context.current();
    if (info.activityId !== activityId) return activity(input);
    if (injected === 0) {
      const faults = faultsOf(disturbance, lab);
      injected = faults.length;
      for (const fault of faults) await quietly(lab.inject(fault));
    }
    try {
      const result = await activity(input);
      strike.met ||= info.attempt > 1;
      await settle();
      return result;
    } catch (error) {
      strike.met = true;
      // What is down stays down for the next tries; the others have struck.
      if (disturbance !== 'down') await settle();
      throw error;
    }
  };
}
