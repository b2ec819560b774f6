/** What every ticket system can do for an operation, whichever it is; their clients are in the files beside. */
import type { TicketPhase } from '../../workflows/model/ticket.ts';

/** Files are read for each call: a new secret needs no restart. */
export type TrackerAccess =
  | { readonly tokenFile: string }
  | { readonly userFile: string; readonly passwordFile: string };

interface Common {
  readonly name: string;
  /** The only place that a base address comes from: nobody can make the worker call elsewhere. */
  readonly url: string;
  /** Our tickets' prefix that is not theirs: `RT-` of `RT-17`. */
  readonly prefix?: string;
  /** Comments of operators come back as commands (the source's mapping has an `answer`): so the ticket says how. */
  readonly answers: boolean;
}

/** Theirs for ours; what is not named is left as it is. */
export type TrackerStates = Readonly<Partial<Record<TicketPhase, string>>>;

export type TrackerConfig =
  | (Common & {
      readonly kind: 'rt';
      readonly access: TrackerAccess;
      readonly states: TrackerStates;
      /** Custom field that gets the list of steps. */
      readonly progressField?: string;
    })
  | (Common & {
      readonly kind: 'jira';
      readonly access: TrackerAccess;
      readonly states: TrackerStates;
      /** Version of its REST API: 2 (Data Center, and Cloud) or 3 (Cloud). */
      readonly api: 2 | 3;
    })
  | (Common & {
      readonly kind: 'servicenow';
      readonly access: TrackerAccess;
      readonly states: TrackerStates;
      readonly table: string;
      readonly progressField?: string;
    })
  | (Common & { readonly kind: 'standard'; readonly secretFile: string });

/** Something to be said once. */
export interface TicketComment {
  readonly operationId: string;
  readonly cluster: string;
  /** `accepted`, `parked-2`, `ended`, `status`, ...: one comment of a kind for each operation. */
  readonly kind: string;
  readonly phase: TicketPhase;
  readonly text: string;
}

export interface Tracker {
  readonly name: string;
  /** True: comments can be edited, so one is brought up to date; else there is one for each turn of events. */
  readonly edits: boolean;
  readonly answers: boolean;
  /** Writes it unless it is there; brings its text up to date where that is possible. */
  comment(ticket: string, comment: TicketComment, signal: AbortSignal): Promise<void>;
  /** The list of steps, for a field of the ticket's, where one is configured. */
  progress(ticket: string, text: string, signal: AbortSignal): Promise<void>;
  /** Undefined: it is as wanted, or nothing is wanted. Else why the ticket system would not, for people. */
  state(ticket: string, phase: TicketPhase, signal: AbortSignal): Promise<string | undefined>;
}

/** In each comment of ours: how it is found again, and how it is known as ours. */
export function markerOf({ operationId, kind }: Pick<TicketComment, 'operationId' | 'kind'>): string {
  return `[bellwether ${operationId} ${kind}]`;
}

/** The ticket as its own system calls it. */
export function numberOf(ticket: string, prefix = ''): string {
  return ticket.startsWith(prefix) ? ticket.slice(prefix.length) : ticket;
}
