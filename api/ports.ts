/**
 * What the front door needs from the world. `createApp` sees only these, so the same app runs on Node, on Lambda and
 * in a test; the Temporal side is `operations/temporal.ts`.
 */
import type { HostAlert } from '../workflows/model/cluster.ts';
import type { TicketNote } from '../workflows/model/ticket.ts';
import type { OperationInput } from '../workflows/model/requests.ts';
import type {
  OperationState,
  OperationTiming,
  OperationView,
  OperatorAction,
  OperatorCommand,
} from '../workflows/model/operation.ts';
import type { AuditOptions } from './audit/trail.ts';
import type { ClusterDesk } from './clusters/ports.ts';
import type { WindowDesk } from './windows/ports.ts';
import type { DeliveryLog } from './webhooks/deliveries.ts';
import type { Mapping } from './webhooks/mapping.ts';
import type { HmacRecipe } from './webhooks/verify/hmac.ts';
import type { SchemeName } from './webhooks/verify/scheme.ts';

/** How Temporal itself sees the workflow: a terminated or crashed one never reaches an ending of its own. */
export type ExecutionStatus = 'running' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed-out';

/** An operation as the API shows it. */
export interface OperationReport extends OperationView {
  readonly execution: ExecutionStatus;
  /** `visibility`: no worker answered, so steps and actions are missing; `note` says so. */
  readonly readFrom: 'workflow' | 'visibility';
  readonly note?: string;
}

/** One row of the list. Times are ISO 8601. */
export interface OperationSummary {
  readonly id: string;
  readonly operation: string;
  readonly cluster: string;
  readonly ticket?: string;
  readonly state: OperationState;
  readonly step?: string;
  readonly execution: ExecutionStatus;
  readonly started: string;
  readonly closed?: string;
}

/** All that a start needs; made by `operations/start.ts`, sent by an adapter. */
export interface StartOrder {
  readonly id: string;
  readonly workflowType: string;
  readonly input: OperationInput;
  /** Same delivery, same id: Temporal then gives the same answer again (orchestration.md 1.3). */
  readonly requestId: string;
  readonly digest: string;
  readonly deliveryKey: string;
  readonly summary: string;
  readonly details: string;
}

export interface Unavailable {
  readonly outcome: 'unavailable';
  readonly why: string;
}

export type StartReply =
  | { readonly outcome: 'started' }
  /** Another delivery has this id; `digest` is of its content. */
  | { readonly outcome: 'exists'; readonly digest?: string; readonly state: OperationState }
  | Unavailable;

export interface OperationStarter {
  start(order: StartOrder): Promise<StartReply>;
}

export interface ListFilter {
  readonly cluster?: string;
  readonly state?: OperationState;
  readonly ticket?: string;
  readonly limit: number;
}

export type ListReply = { readonly outcome: 'listed'; readonly operations: readonly OperationSummary[] } | Unavailable;

export type ShowReply =
  | { readonly outcome: 'found'; readonly report: OperationReport }
  | { readonly outcome: 'unknown' }
  | Unavailable;

export interface OperationReader {
  list(filter: ListFilter): Promise<ListReply>;
  show(id: string): Promise<ShowReply>;
  /** Undefined when all is well, else what is missing. */
  missing(): Promise<string | undefined>;
}

export type ActReply =
  | { readonly outcome: 'accepted' }
  | { readonly outcome: 'unknown' }
  /** The workflow's validator said no, in its words. */
  | { readonly outcome: 'refused'; readonly why: string }
  | { readonly outcome: 'ended' }
  | { readonly outcome: 'no-worker' }
  | Unavailable;

export interface OperatorDesk {
  act(id: string, action: OperatorAction, command: OperatorCommand, updateId?: string): Promise<ActReply>;
}

export interface FollowerDesk {
  /** Has it written to the operation's ticket, once for its id; nothing when nobody keeps the ticket up to date. */
  tell(operationId: string, note: TicketNote): Promise<{ readonly outcome: 'told' } | Unavailable>;
}

export interface AlertDesk {
  /** Keeps it with the cluster; a repetition of the same id is dropped. */
  tell(cluster: string, alert: HostAlert): Promise<{ readonly outcome: 'told' } | Unavailable>;
}

/** pino fits. */
export interface AppLogger {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A sender of webhooks, how it signs and what its deliveries ask for; see webhooks/README.md. */
export interface WebhookSource {
  readonly name: string;
  readonly scheme: SchemeName;
  /** Files with one active secret per line; all of them are tried, so that a new one can be added before the old goes. */
  readonly secretFiles: readonly string[];
  /** Its deliveries are what the host workers of this cluster tell, not requests for operations. */
  readonly alertsOf?: string;
  /** Of scheme `hmac`: where signature, id and time are. */
  readonly hmac?: HmacRecipe;
  /** Makes a request of the sender's own JSON; without it the native body is expected. */
  readonly mapping?: Mapping;
  /** Ticket system that is kept up to date about its operations: a name in BELLWETHER_TRACKERS_FILE. */
  readonly tracker?: string;
  /** Who may answer in the ticket (`mapping.answer`), as the ticket system calls them. */
  readonly operators?: readonly string[];
  /** Deliveries taken a minute, and at once. Default 600. */
  readonly ratePerMinute?: number;
  /** Keeps headers and body (redacted) of the last refused delivery, to look at while setting the source up. */
  readonly test?: boolean;
}

export interface AppPorts {
  readonly starter: OperationStarter;
  readonly reader: OperationReader;
  readonly desk: OperatorDesk;
  readonly alerts: AlertDesk;
  /** Answers for people who write to tickets; without it they get none. */
  readonly followers?: FollowerDesk;
  readonly looks: ClusterDesk;
  readonly windows: WindowDesk;
  /** Names of the clusters that may be operated on. */
  readonly clusters: readonly string[];
  readonly sources: readonly WebhookSource[];
  /** Lines of a secret file. @throws when it can't be read. */
  readonly readSecrets: (file: string) => Promise<readonly string[]>;
  /** File with the bearer token of `/operations`; without it the app may only listen on loopback. */
  readonly apiTokenFile?: string;
  /** File whose first line signs the sessions of the status page; without it they end with the process. */
  readonly sessionSecretFile?: string;
  readonly clock: () => Date;
  readonly logger: AppLogger;
  readonly timing?: OperationTiming;
  /** Address of the operation in the Temporal UI. */
  readonly temporalUiLink?: (id: string) => string;
  /** Starts under way at most; the server below does about 180 a second (temporal.md 3). Default 32. */
  readonly startsMax?: number;
  /** Pages that are told of changes by events at most; 0 where the runtime can’t stream: they ask instead. Default 100. */
  readonly streamsMax?: number;
  /** Where it is written down who changed what; without it nothing is. */
  readonly audit?: AuditOptions;
  /** Where deliveries are kept; default: the last 200, in memory. */
  readonly deliveries?: DeliveryLog;
}
