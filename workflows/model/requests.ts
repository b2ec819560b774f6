/** Requests that start operations. The zod schemas in `api/schemas` are typed against these. */
import type { OperationTiming } from './operation.ts';
import type { OperationWindow } from './operation-window.ts';

interface RequestBase {
  readonly version: 1;
  readonly cluster: string;
  /** Once only: the ticket's number, or the caller's own key. Part of the workflow id. */
  readonly key: string;
  readonly ticket?: string;
  /** Name of the ticket system that is kept up to date; only the front door's sources set it. */
  readonly tracker?: string;
  /** Who asked, e.g. `webhook:servicedesk` or `cli:alice`. */
  readonly requestedBy: string;
  /** What to do while another operation holds the cluster. */
  readonly ifBusy: 'queue' | 'refuse';
  /** For the auditor, and where the engine keeps one. */
  readonly reason?: string;
}

/** Where the engine VM's definition comes from; `auto` takes the newest consistent one. */
export type DefinitionSource = 'auto' | 'request' | 'configuration-volume' | 'engine';

export interface UpgradeRequest extends RequestBase {
  readonly operation: 'upgrade';
  readonly source: DefinitionSource;
  /** Text of a vm.conf; needed when `source` is `request`. */
  readonly vmConf?: string;
}

export interface GlobalMaintenanceRequest extends RequestBase {
  readonly operation: 'global-maintenance';
  readonly mode: 'on' | 'off';
  /** ISO time at which it ends by itself; with `on` only. */
  readonly until?: string;
}

export interface EnterHostMaintenanceRequest extends RequestBase {
  readonly operation: 'enter-host-maintenance';
  /** As the engine names it. */
  readonly host: string;
}

export interface LeaveHostMaintenanceRequest extends RequestBase {
  readonly operation: 'leave-host-maintenance';
  readonly host: string;
}

export interface RollingHostUpdateRequest extends RequestBase {
  readonly operation: 'rolling-host-update';
  /** In this order; without it all hosted-engine hosts, the one that runs the engine VM last. */
  readonly hosts?: readonly string[];
}

/** How the engine gets into the host: with its own key, or with root's password, of which requests carry the name only. */
export type HostAccess =
  | { readonly kind: 'public-key' }
  | { readonly kind: 'password'; readonly passwordSecret: string };

export interface AddHostRequest extends RequestBase {
  readonly operation: 'add-host';
  readonly host: string;
  readonly address: string;
  readonly vdsmPort?: number;
  readonly access: HostAccess;
  /** Which HA services the host runs. */
  readonly agent: 'reference' | 'bellwether';
  /** Of the host's SSH server; 22 unless given. */
  readonly sshPort?: number;
  /** With agent bellwether: name of the secret with root's private SSH key. */
  readonly sshKeySecret?: string;
  /** With agent bellwether: of the host's SSH key, for a host that the engine does not know yet. */
  readonly sshFingerprint?: string;
}

export interface RemoveHostRequest extends RequestBase {
  readonly operation: 'remove-host';
  readonly host: string;
  /** True: the host leaves the engine too; else it stays there without hosted engine. */
  readonly fromEngine: boolean;
  /** It is gone for good and without power, says who asks: nothing is taken from it, and it leaves the engine. */
  readonly dead?: boolean;
  /** Where Bellwether's worker serves the host: names of secrets, root's private key or its password, to take it away. */
  readonly sshKeySecret?: string;
  readonly passwordSecret?: string;
}

/** Only what the engine lets be changed on its own VM (engine.md 10). */
export interface EngineVmChange {
  readonly description?: string;
  readonly comment?: string;
  readonly memoryMiB?: number;
  readonly maxMemoryMiB?: number;
  readonly guaranteedMemoryMiB?: number;
  readonly cpu?: { readonly sockets: number; readonly cores: number; readonly threads: number };
  /** Disks to grow, by alias or id. */
  readonly disks?: readonly { readonly disk: string; readonly sizeGiB: number }[];
  /** vNICs to change, by name. */
  readonly nics?: readonly { readonly nic: string; readonly profile?: string; readonly linked?: boolean }[];
}

export interface EditEngineVmRequest extends RequestBase {
  readonly operation: 'edit-engine-vm';
  readonly change: EngineVmChange;
}

export interface BackupRequest extends RequestBase {
  readonly operation: 'backup';
  /** Backups of this operation kept in S3, this one included; older ones are removed. Without it none is. */
  readonly keep?: number;
}

export type RestorableItem = 'ovf' | 'vm.conf' | 'hosted-engine.conf' | 'configuration-archive' | 'ha-slots';

export interface RestoreRequest extends RequestBase {
  readonly operation: 'restore';
  /** Key of the backup's manifest in S3. */
  readonly backup: string;
  readonly items: readonly RestorableItem[];
  /** False: shows what would change, and changes nothing. */
  readonly apply: boolean;
}

export interface ReconcileRequest extends RequestBase {
  readonly operation: 'reconcile';
  /** Names of the kinds of difference to repair, or `safe` for all that are safe to repair; none: only the table. */
  readonly repair: readonly string[];
}

/** The answers of engine.md 16 that Bellwether asks for; passwords by the names of their secrets. */
export interface InstallAnswers {
  readonly fqdn: string;
  readonly adminPasswordSecret: string;
  readonly appliancePasswordSecret: string;
  readonly host: {
    readonly name: string;
    readonly address: string;
    readonly vdsmPort?: number;
    readonly bridgeInterface: string;
    /** How the engine gets into the host to deploy it; with its own key unless given. */
    readonly access?: HostAccess;
  };
  readonly storage: {
    readonly type: 'nfs' | 'glusterfs';
    readonly address: string;
    readonly path: string;
    readonly mountOptions?: string;
    readonly domainName: string;
  };
  readonly vm: {
    readonly name: string;
    readonly memoryMiB: number;
    readonly vcpus: number;
    readonly diskGiB: number;
    readonly mac: string;
    /** Without it: DHCP. */
    readonly staticIp?: {
      readonly address: string;
      readonly prefix: number;
      readonly gateway: string;
      readonly dns: readonly string[];
    };
  };
  readonly dataCenter: string;
  readonly networkTest:
    | { readonly kind: 'dns' | 'ping' | 'none' }
    | { readonly kind: 'tcp'; readonly address: string; readonly port: number };
  /** `s3://bucket/key` or a path on the worker's machine, with its SHA-256. */
  readonly appliance: { readonly source: string; readonly sha256: string };
  /** The first data domain of the data center; without it the operation parks and asks for one. */
  readonly masterDomain?: {
    readonly type: 'nfs' | 'glusterfs';
    readonly address: string;
    readonly path: string;
    readonly name: string;
  };
}

export interface InstallRequest extends RequestBase {
  readonly operation: 'install';
  readonly answers: InstallAnswers;
}

export type OperationRequest =
  | UpgradeRequest
  | GlobalMaintenanceRequest
  | EnterHostMaintenanceRequest
  | LeaveHostMaintenanceRequest
  | RollingHostUpdateRequest
  | AddHostRequest
  | RemoveHostRequest
  | EditEngineVmRequest
  | BackupRequest
  | RestoreRequest
  | ReconcileRequest
  | InstallRequest;

/** What the workflow gets: the request, and how patient to be. */
export interface OperationInput<R extends OperationRequest = OperationRequest> {
  readonly request: R;
  readonly timing: OperationTiming;
  /** Present when a maintenance window runs it: then it parks where the window ends. */
  readonly window?: OperationWindow;
}

/** Workflow type of each operation. */
export const WORKFLOW_TYPES = {
  upgrade: 'upgradeHostedEngine',
  'global-maintenance': 'setGlobalMaintenance',
  'enter-host-maintenance': 'enterHostMaintenance',
  'leave-host-maintenance': 'leaveHostMaintenance',
  'rolling-host-update': 'rollingHostUpdate',
  'add-host': 'addHost',
  'remove-host': 'removeHost',
  'edit-engine-vm': 'editEngineVm',
  backup: 'backupConfiguration',
  restore: 'restoreConfiguration',
  reconcile: 'reconcile',
  install: 'installHostedEngine',
} as const satisfies Record<OperationRequest['operation'], string>;
