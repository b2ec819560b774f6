/**
 * Workflow `windowCloser`, beside each opening that switches global maintenance on: an opening closes in every ending but
 * one, its termination in Temporal. Then this one does it.
 */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  startChild,
} from '@temporalio/workflow';
import { WINDOW_MESSAGES, windowId, type CloserInput, type WindowActivities } from '../model/window.ts';
import { plain } from '../steps/markdown.ts';
import { onOperationId, switchOff } from './maintenance.ts';

/** So long after its termination a window is closed, at the most. */
const LOOK_MS = 300_000;

const { lookAtOpening } = proxyActivities<WindowActivities>({
  startToCloseTimeout: '20 seconds',
  summary: 'Does the opening still run, and did it switch global maintenance on?',
  retry: { maximumInterval: '10 seconds' },
});

const closerId = ({ window, key }: Pick<CloserInput, 'window' | 'key'>) =>
  `${windowId(window.definition.cluster, key)}/closer`;

/** Begun before global maintenance is: it outlives the opening. */
export async function startCloser(input: CloserInput): Promise<void> {
  try {
    await startChild(windowCloser, {
      workflowId: closerId(input),
      args: [input],
      parentClosePolicy: 'ABANDON',
      staticSummary: `Closes ${input.opening} if that is terminated`,
    });
  } catch (error) {
    // The opening was reset in Temporal: the one of its first run watches it still.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}

/** The opening has closed by itself. */
export async function dismissCloser(input: Pick<CloserInput, 'window' | 'key'>): Promise<void> {
  // One that is gone has nothing to do, and one that hears nothing sees it for itself.
  await getExternalWorkflowHandle(closerId(input))
    .signal(WINDOW_MESSAGES.closed)
    .catch(() => undefined);
}

/** As at the window's end: what runs ends its step, then lets others have the cluster. */
async function endSteps({ opening, operations }: CloserInput): Promise<void> {
  setCurrentDetails(`**closing** ${plain(opening)}, which was ended from outside`);
  const told = operations.map((id) => getExternalWorkflowHandle(id).signal(WINDOW_MESSAGES.closes, opening));
  await Promise.allSettled(told);
}

async function close({ opening, window, key }: CloserInput): Promise<string> {
  const left = await switchOff(window, key);
  return left === undefined
    ? `${opening} was ended from outside: global maintenance is off again, seen on storage.`
    : `${opening} was ended from outside, and global maintenance may still be ON: ${left}. See that it is off: npx bellwether maintenance global off.`;
}

export async function windowCloser(input: CloserInput): Promise<string> {
  const { opening, key, window } = input;
  let closed = false;
  setHandler(defineSignal(WINDOW_MESSAGES.closed), () => void (closed = true), {
    description: 'Sent by the opening: it has closed by itself',
  });
  setCurrentDetails(`Watches over ${plain(opening)}: closes it if it is terminated. Nothing to do for anybody.`);
  const on = onOperationId(window, key);
  let told = false;
  while (!(await condition(() => closed, LOOK_MS, { summary: `Until the next look at ${opening}` }))) {
    const state = await lookAtOpening({ opening, on });
    if (state === 'open') continue;
    if (state === 'nothing-left') return setEnd(`${opening} left nothing to close.`);
    if (!told) await endSteps(input);
    told = true;
    if (state === 'left-open') return setEnd(await close(input));
  }
  return setEnd(`${opening} closed by itself.`);
}

function setEnd(line: string): string {
  setCurrentDetails(plain(line));
  return line;
}
