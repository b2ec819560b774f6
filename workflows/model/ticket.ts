/** What keeps an operation's ticket up to date: names, messages and what the follower remembers. Pure data. */

export const FOLLOW_WORKFLOW = 'followTicket';

export function followerId(operationId: string): string {
  return `ticket/${operationId}`;
}

/** Where the operation stands for the ticket; trackers translate it into their states. */
export type TicketPhase = 'running' | 'parked' | 'done' | 'aborted' | 'failed';

/** What the ticket was told last. */
export interface TicketTold {
  readonly phase: TicketPhase;
  /** Events of the operation's history at that time: a cheap way to see that something may have happened since. */
  readonly events: number;
  /** Of what was said; the same again is not written again. */
  readonly digest: string;
  /** Which parking was told last, and how many were. */
  readonly parkedAt?: string;
  readonly parkings: number;
  /** What the ticket system would not do (a state that its workflow does not allow). */
  readonly problem?: string;
}

/** Part of the history: no secrets, the tracker by its name. */
export interface FollowInput {
  readonly operationId: string;
  readonly cluster: string;
  readonly tracker: string;
  readonly ticket: string;
  /** Between two looks, and between two writes at least. */
  readonly everyMs: number;
  /** After continue-as-new. */
  readonly told?: TicketTold;
}

/** For people who write to the ticket and must get an answer there. */
export interface TicketNote {
  /** Of the delivery: the same note is written once. */
  readonly id: string;
  readonly text: string;
}

export const FOLLOW_MESSAGES = { note: 'note' } as const;

export interface FollowActivities {
  /** Fails, to be tried again, until something has happened since `told`: waiting so costs no history. */
  awaitNews(input: { readonly operationId: string; readonly told: TicketTold }): Promise<void>;
  /** Brings comments, progress and state up to date. Repeating it writes nothing twice. */
  tellTicket(input: FollowInput): Promise<TicketTold>;
  writeNote(input: FollowInput & { readonly note: TicketNote }): Promise<void>;
}

/** Five times the first retry's wait: 5 seconds, unless the operation is set to be impatient. */
export function followEveryMs(firstRetryMs: number): number {
  return 5 * firstRetryMs;
}

export function hasEnded({ phase }: TicketTold): boolean {
  return phase === 'done' || phase === 'aborted' || phase === 'failed';
}
