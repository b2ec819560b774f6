/**
 * Keeps an operation's ticket up to date. A workflow of its own beside the operation: a ticket system that is away for an
 * hour holds up nothing, and nothing that the ticket should say is lost.
 */
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineSignal,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import {
  FOLLOW_MESSAGES,
  hasEnded,
  type FollowActivities,
  type FollowInput,
  type TicketNote,
  type TicketTold,
} from '../model/ticket.ts';
import { plain } from '../steps/markdown.ts';

/** How long a ticket system may refuse or be away before the follower gives up. */
const PATIENCE = '14 days';
/** An attempt that a dying worker took with it is missed after this time, and goes to another. */
const LOST_AFTER = '20 seconds';

function details({ ticket, tracker }: FollowInput, told: TicketTold): string {
  const problem = told.problem === undefined ? '' : `\n\n**It would not**: ${plain(told.problem)}`;
  return `${plain(ticket)} at ${plain(tracker)} was told: **${told.phase}**${problem}`;
}

export async function followTicket(input: FollowInput): Promise<TicketTold> {
  const { operationId, everyMs, ticket } = input;
  const { awaitNews } = proxyActivities<FollowActivities>({
    summary: 'Wait until the operation has news',
    startToCloseTimeout: LOST_AFTER,
    // A failure with a fixed pause is how to look again and again without a line of history for each look.
    retry: { initialInterval: everyMs, backoffCoefficient: 1 },
  });
  const writing = {
    startToCloseTimeout: '2 minutes',
    heartbeatTimeout: LOST_AFTER,
    scheduleToCloseTimeout: PATIENCE,
    retry: { initialInterval: everyMs, maximumInterval: 60 * everyMs },
  } as const;
  const { tellTicket } = proxyActivities<FollowActivities>({ ...writing, summary: `Tell ${ticket} what is new` });
  const { writeNote } = proxyActivities<FollowActivities>({ ...writing, summary: `Answer in ${ticket}` });

  // One write after the other, with a pause after each: ticket systems limit their callers.
  let before: Promise<void> = Promise.resolve();
  const inTurn = <T>(write: () => Promise<T>): Promise<T> => {
    const mine = before.then(write);
    const pause = () => sleep(everyMs, { summary: 'At most one write in this time' });
    before = mine.then(pause, pause);
    return mine;
  };
  const answer = async (note: TicketNote): Promise<void> => {
    // One that could not be written must not end the following.
    await inTurn(() => writeNote({ ...input, note })).catch(() => undefined);
  };
  setHandler(defineSignal<[TicketNote]>(FOLLOW_MESSAGES.note), answer, {
    description: 'A text for the ticket, written once for its id',
  });

  let told = input.told;
  while (told === undefined || !hasEnded(told)) {
    if (told !== undefined) await awaitNews({ operationId, told });
    const last: TicketTold | undefined = told;
    told = await inTurn(() => tellTicket({ ...input, ...(last === undefined ? {} : { told: last }) }));
    setCurrentDetails(details(input, told));
    if (!hasEnded(told) && workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof followTicket>({ ...input, told });
    }
  }
  await condition(allHandlersFinished);
  return told;
}
