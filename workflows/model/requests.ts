/** Requests that start operations. The zod schemas in `api/schemas` are typed against these. */
import type { OperationTiming } from './operation.ts';

interface RequestBase {
  readonly version: 1;
  readonly cluster: string;
  /** Once only: the ticket's number, or the caller's own key. Part of the workflow id. */
  readonly key: string;
  readonly ticket?: string;
  /** Who asked, e.g. `webhook:servicedesk` or `cli:alice`. */
  readonly requestedBy: string;
  /** What to do while another operation holds the cluster. */
  readonly ifBusy: 'queue' | 'refuse';
}

/** Where the engine VM's definition comes from; `auto` takes the newest consistent one. */
export type DefinitionSource = 'auto' | 'request' | 'configuration-volume' | 'engine';

export interface UpgradeRequest extends RequestBase {
  readonly operation: 'upgrade';
  readonly source: DefinitionSource;
  /** Text of a vm.conf; needed when `source` is `request`. */
  readonly vmConf?: string;
}

export type OperationRequest = UpgradeRequest;

/** What the workflow gets: the request, and how patient to be. */
export interface OperationInput<R extends OperationRequest = OperationRequest> {
  readonly request: R;
  readonly timing: OperationTiming;
}

/** Workflow type of each operation. */
export const WORKFLOW_TYPES = { upgrade: 'upgradeHostedEngine' } as const satisfies Record<
  OperationRequest['operation'],
  string
>;
