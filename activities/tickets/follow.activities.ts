/** What the follower of an operation does: looks at the operation through Temporal, and tells the ticket. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import { MESSAGES, type OperationView } from '../../workflows/model/operation.ts';
import type { FollowActivities, FollowInput, TicketPhase, TicketTold } from '../../workflows/model/ticket.ts';
import { asActivity } from '../border.activities.ts';
import { CounterpartError } from '../errors.ts';
import { sha256 } from '../ids.ts';
import type { StepContext } from '../step-context.ts';
import type { Tracker } from './tracker.ts';
import {
  acceptedText,
  endedText,
  parkedStep,
  parkedText,
  progressText,
  statusText,
  type OperationLinks,
} from './words.ts';

const QUERY_LIMIT_MS = 10_000;

interface Seen {
  readonly view: OperationView;
  readonly phase: TicketPhase;
  readonly events: number;
}

/** Expected again and again: it is no error for logs and metrics. */
function nothingNew(): ApplicationFailure {
  return ApplicationFailure.create({
    message: 'nothing new; it is looked at again in a moment',
    type: 'nothing-new',
    category: ApplicationFailureCategory.BENIGN,
  });
}

/** Undefined: Temporal has forgotten it, its retention is over. */
async function lookAt(client: Client, operationId: string): Promise<Seen | undefined> {
  const handle = client.workflow.getHandle(operationId);
  const described = await handle.describe().catch((error: unknown) => {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  });
  if (described === undefined) return undefined;
  const { status, historyLength } = described;
  const view = await client.withDeadline(Date.now() + QUERY_LIMIT_MS, () => handle.query<OperationView>(MESSAGES.view));
  const phase = () => {
    if (view.state === 'done' || view.state === 'aborted') return view.state;
    // Terminated, or out of time: it had no chance to say so itself.
    if (status.name !== 'RUNNING') return 'failed';
    return view.state === 'parked' ? 'parked' : 'running';
  };
  return { view, phase: phase(), events: historyLength };
}

/** Systems that can't edit get a comment for each turn of events, and the steps in a field. */
async function tellByTurns(
  tracker: Tracker,
  input: FollowInput,
  { view, phase }: Seen,
  parkings: number,
  links: OperationLinks,
  signal: AbortSignal,
): Promise<void> {
  const { ticket, operationId, cluster } = input;
  const say = (kind: string, text: string) =>
    tracker.comment(ticket, { operationId, cluster, kind, phase, text }, signal);
  if (input.told === undefined) await say('accepted', acceptedText(view, links));
  if (phase === 'parked' && parkings > (input.told?.parkings ?? 0)) {
    await say(`parked-${parkings}`, parkedText(view, links, tracker.answers));
  }
  if (phase !== 'parked' && phase !== 'running') await say('ended', endedText(view, phase, links));
  await tracker.progress(ticket, progressText(view), signal);
}

async function tell(
  tracker: Tracker,
  input: FollowInput,
  seen: Seen,
  links: OperationLinks,
  signal: AbortSignal,
): Promise<TicketTold> {
  const { ticket, operationId, cluster, told } = input;
  const { view, phase, events } = seen;
  const parked = phase === 'parked' ? parkedStep(view) : undefined;
  const parkedAt = parked === undefined ? undefined : `${parked.name} ${parked.startedAt ?? ''}`;
  const parkings = (told?.parkings ?? 0) + (parkedAt !== undefined && parkedAt !== told?.parkedAt ? 1 : 0);
  const text = statusText(view, phase, links, tracker.answers);
  // A second failure may read like the first; it is news all the same.
  const digest = sha256(`${text}\0${parkedAt ?? ''}`);
  if (digest !== told?.digest) {
    if (!tracker.edits) await tellByTurns(tracker, input, seen, parkings, links, signal);
    else await tracker.comment(ticket, { operationId, cluster, kind: 'status', phase, text }, signal);
  }
  // Only when it changes: what people set meanwhile is theirs.
  const problem = phase === told?.phase ? told.problem : await tracker.state(ticket, phase, signal);
  return {
    phase,
    events,
    digest,
    parkings,
    ...(parkedAt === undefined ? {} : { parkedAt }),
    ...(problem === undefined ? {} : { problem }),
  };
}

function forgotten({ told }: FollowInput): TicketTold {
  const problem = 'Temporal does not know the operation any more, so the ticket’s last word is missing';
  return { events: 0, digest: '', parkings: 0, ...told, phase: 'failed', problem };
}

function unknownTracker(name: string): CounterpartError {
  return new CounterpartError({
    type: 'tickets/unknown-tracker',
    kind: 'retryable',
    subject: `tracker ${name}`,
    what: 'the ticket can’t be told',
    why: 'this worker’s BELLWETHER_TRACKERS_FILE has no tracker of that name',
    remedy: 'Add it and restart the worker; it is tried again for 14 days.',
  });
}

/** A wrong password is repaired by a person in an hour: it is worth to try again, so nothing here is final. */
function again(error: unknown): unknown {
  if (!(error instanceof CounterpartError) || error.facts.kind === 'retryable') return error;
  return new CounterpartError({ ...error.facts, kind: 'retryable' }, { cause: error });
}

export function followActivities(
  client: Client,
  trackers: ReadonlyMap<string, Tracker>,
  links: OperationLinks,
): FollowActivities {
  const withTracker = async <T>(name: string, work: (tracker: Tracker) => Promise<T>): Promise<T> => {
    const tracker = trackers.get(name);
    if (tracker === undefined) throw unknownTracker(name);
    return work(tracker).catch((error: unknown) => {
      throw again(error);
    });
  };
  return {
    async awaitNews({ operationId, told }) {
      try {
        const { historyLength, status } = await client.workflow.getHandle(operationId).describe();
        if (historyLength <= told.events && status.name === 'RUNNING') throw nothingNew();
      } catch (error) {
        // Its retention is over: the follower is told so by its next look.
        if (!(error instanceof WorkflowNotFoundError)) throw error;
      }
    },
    tellTicket: asActivity(async ({ signal }: StepContext, input: FollowInput) =>
      withTracker(input.tracker, async (tracker) => {
        const seen = await lookAt(client, input.operationId);
        return seen === undefined ? forgotten(input) : tell(tracker, input, seen, links, signal);
      }),
    ),
    writeNote: asActivity(async ({ signal }: StepContext, input: Parameters<FollowActivities['writeNote']>[0]) =>
      withTracker(input.tracker, (tracker) => {
        const { ticket, operationId, cluster, note, told } = input;
        const kind = `note-${sha256(note.id).slice(0, 16)}`;
        return tracker.comment(
          ticket,
          { operationId, cluster, kind, phase: told?.phase ?? 'running', text: note.text },
          signal,
        );
      }),
    ),
  };
}
