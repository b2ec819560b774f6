/** Global maintenance around an opening, through the operation that people use: on before, off and verified after. */
import {
  CancellationScope,
  ChildWorkflowFailure,
  condition,
  executeChild,
  isCancellation,
  sleep,
  TerminatedFailure,
} from '@temporalio/workflow';
import { operationId } from '../model/ids.ts';
import type { OperationResult } from '../model/operation.ts';
import { WORKFLOW_TYPES, type GlobalMaintenanceRequest, type OperationInput } from '../model/requests.ts';
import type { WindowInput } from '../model/window.ts';
import { detailsOf, summaryOf } from '../model/words.ts';
import { attributesOf } from './attributes.ts';

/** `unknown`: it was ended from outside, so that it may be on. */
export type Switched = { readonly state: 'ours' | 'before' | 'not-on' | 'unknown'; readonly why: string };

const TRIES_MAX = 30;
const AGAIN = '1 minute';

function requestOf({ definition }: WindowInput, key: string, mode: 'on' | 'off'): GlobalMaintenanceRequest {
  const { cluster, name, ticket } = definition;
  return {
    version: 1,
    operation: 'global-maintenance',
    mode,
    cluster,
    key,
    requestedBy: `window:${name}`,
    ifBusy: 'queue',
    ...(ticket === undefined ? {} : { ticket }),
  };
}

/** The operation that switches it on. */
export function onOperationId(input: WindowInput, key: string): string {
  return operationId(requestOf(input, onKey(key), 'on'));
}

const onKey = (key: string) => `${key}-on`;

function start(input: WindowInput, key: string, mode: 'on' | 'off'): Promise<OperationResult> {
  const request = requestOf(input, key, mode);
  const args: [OperationInput] = [{ request, timing: input.timing }];
  const workflowId = operationId(request);
  return executeChild<(input: OperationInput) => Promise<OperationResult>>(WORKFLOW_TYPES['global-maintenance'], {
    workflowId,
    args,
    // An opening that is terminated takes back what is not on yet, and still ends what it began to switch off.
    parentClosePolicy: mode === 'on' ? 'REQUEST_CANCEL' : 'ABANDON',
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    memo: { requestedBy: request.requestedBy },
    typedSearchAttributes: attributesOf(request),
    staticSummary: summaryOf(request),
    staticDetails: detailsOf(request, workflowId),
  });
}

function failed(error: unknown): Switched {
  const terminated = error instanceof ChildWorkflowFailure && error.cause instanceof TerminatedFailure;
  // Cancelled or failed, the operation has taken back what it did.
  return terminated
    ? { state: 'unknown', why: 'the switching on was terminated' }
    : { state: 'not-on', why: 'the cluster was not to be had, or no host answered, before the window’s end' };
}

function switched({ state, lines }: OperationResult): Switched {
  if (state === 'done') return { state: 'ours', why: 'on' };
  if (state === 'nothing-to-do') return { state: 'before', why: 'somebody had switched it on before' };
  return { state: 'not-on', why: lines[0] ?? state };
}

/** Switches it on; gives up, and takes it back, when `until` has come. */
export async function switchOn(input: WindowInput, key: string, until: number): Promise<Switched> {
  const scope = new CancellationScope();
  let end: Switched | undefined;
  const work = scope
    .run(() => start(input, onKey(key), 'on'))
    .then(switched, failed)
    .then((result) => {
      end = result;
    });
  try {
    await condition(() => end !== undefined, Math.max(1, until - Date.now()));
  } catch (error) {
    // Whether it is on must be known all the same: the opening closes.
    if (!isCancellation(error)) throw error;
  }
  if (end === undefined) scope.cancel();
  await CancellationScope.nonCancellable(() => work);
  return end ?? { state: 'unknown', why: 'it never ended' };
}

/** Switches it off, and sees it off on storage. @returns what is left to say when a person stopped that. */
export async function switchOff(input: WindowInput, key: string): Promise<string | undefined> {
  for (let tried = 1; tried <= TRIES_MAX; tried += 1) {
    try {
      const { state, lines } = await start(input, tried === 1 ? `${key}-off` : `${key}-off-${tried}`, 'off');
      if (state === 'done' || state === 'nothing-to-do') return undefined;
      return lines[0] ?? state;
    } catch (error) {
      if (isCancellation(error)) return 'the switching off was cancelled';
      await sleep(AGAIN, { summary: 'Until global maintenance is switched off again: that was ended from outside' });
    }
  }
  return `it was ended from outside ${TRIES_MAX} times`;
}
