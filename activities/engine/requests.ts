/** What the client's callers say, and the bodies and parameters that the engine wants for it (engine.md 8). */

/** Of one call. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
}

export interface ImportDomainRequest {
  readonly name: string;
  /** Name of the host through which the engine looks at the storage. */
  readonly host: string;
  readonly storageType: 'nfs' | 'glusterfs' | 'posixfs';
  readonly address: string;
  readonly path: string;
  readonly nfsVersion?: string;
  readonly mountOptions?: string;
  /** File system type, for `posixfs` and `glusterfs`. */
  readonly vfsType?: string;
}

/** No `storage_format`: an existing domain has its own, and with one there the call becomes an import. */
export function importDomainBody(request: ImportDomainRequest): object {
  return {
    type: 'data',
    name: request.name,
    host: { name: request.host },
    storage: {
      type: request.storageType,
      address: request.address,
      path: request.path,
      nfs_version: request.nfsVersion,
      mount_options: request.mountOptions,
      vfs_type: request.vfsType,
    },
  };
}

export interface RegisterVmRequest {
  /** Id of the cluster; the OVF's own when left out. */
  readonly cluster?: string;
  readonly allowPartialImport?: boolean;
  readonly reassignBadMacs?: boolean;
}

export function registerVmBody(request: RegisterVmRequest): object {
  return {
    cluster: request.cluster === undefined ? undefined : { id: request.cluster },
    allow_partial_import: request.allowPartialImport,
    reassign_bad_macs: request.reassignBadMacs,
  };
}

/** How the engine logs in to a host. A password is sent in the body and never shows in an error or a log. */
export type HostLogin = { readonly rootPassword: string } | { readonly publicKey: true };

function loginBody(login: HostLogin | undefined, sshPort?: number): object {
  if (login === undefined) return {};
  const byKey = { authentication_method: 'publickey', user: { user_name: 'root' }, port: sshPort };
  if ('publicKey' in login) return { ssh: byKey };
  return { root_password: login.rootPassword, ssh: sshPort === undefined ? undefined : { port: sshPort } };
}

export type HostedEngineDeployment = 'deploy' | 'undeploy';

export interface AddHostRequest {
  readonly name: string;
  readonly address: string;
  /** Id of the cluster. */
  readonly cluster: string;
  readonly login: HostLogin;
  /** VDSM’s; 54321 when left out. */
  readonly port?: number;
  readonly sshPort?: number;
  readonly comment?: string;
  readonly hostedEngine?: HostedEngineDeployment;
  /** Both are true in the engine when left out. */
  readonly activate?: boolean;
  readonly reboot?: boolean;
}

export function addHostBody(request: AddHostRequest): object {
  const { name, address, port, cluster, comment, login, sshPort } = request;
  return { name, address, port, comment, cluster: { id: cluster }, ...loginBody(login, sshPort) };
}

/** At *add* the hosted-engine flags are read from the query only. */
export function addHostQuery(request: AddHostRequest): Record<string, boolean | undefined> {
  return {
    deploy_hosted_engine: request.hostedEngine === 'deploy' ? true : undefined,
    undeploy_hosted_engine: request.hostedEngine === 'undeploy' ? true : undefined,
    activate: request.activate,
    reboot: request.reboot,
  };
}

export interface InstallHostRequest {
  readonly login?: HostLogin;
  readonly hostedEngine?: HostedEngineDeployment;
  /** False in the engine when left out. */
  readonly activate?: boolean;
  readonly reboot?: boolean;
}

/** At *install* the same flags are read from the body only. */
export function installHostBody(request: InstallHostRequest): object {
  return {
    ...loginBody(request.login),
    deploy_hosted_engine: request.hostedEngine === 'deploy' ? true : undefined,
    undeploy_hosted_engine: request.hostedEngine === 'undeploy' ? true : undefined,
    activate: request.activate,
    reboot: request.reboot,
  };
}

/** Fields that the engine lets one edit on its own VM (engine.md 10); absent ones stay as they are. */
export interface VmChange {
  readonly name?: string;
  readonly description?: string;
  readonly comment?: string;
  readonly memoryBytes?: number;
  readonly memoryGuaranteedBytes?: number;
  readonly memoryMaxBytes?: number;
  readonly cpu?: { readonly sockets: number; readonly cores: number; readonly threads: number };
}

export function vmChangeBody(change: VmChange): object {
  const { memoryGuaranteedBytes: guaranteed, memoryMaxBytes: max } = change;
  return {
    name: change.name,
    description: change.description,
    comment: change.comment,
    memory: change.memoryBytes,
    memory_policy: guaranteed === undefined && max === undefined ? undefined : { guaranteed, max },
    cpu: change.cpu === undefined ? undefined : { topology: change.cpu },
  };
}

/** Absent ones stay as they are. */
export interface NicChange {
  /** Id of the vNIC profile. */
  readonly profile?: string;
  readonly linked?: boolean;
}

export function nicChangeBody({ profile, linked }: NicChange): object {
  return { vnic_profile: profile === undefined ? undefined : { id: profile }, linked };
}

export interface EventQuery {
  /** The engine's search language, e.g. `severity>=warning`. */
  readonly search?: string;
  readonly max?: number;
  /** Only events with a higher index. */
  readonly from?: number;
  /** Only events of this operation; reduced as the engine reduces it. */
  readonly correlationId?: string;
}

export interface NewEvent {
  readonly origin: string;
  readonly severity: 'normal' | 'warning' | 'error' | 'alert';
  /** Unique per origin; the engine refuses a second one with the same. */
  readonly customId: number;
  readonly description: string;
  /** Id of the host it is about. */
  readonly host?: string;
}

export function newEventBody(request: NewEvent): object {
  const { origin, severity, customId, description, host } = request;
  return { origin, severity, custom_id: customId, description, host: host === undefined ? undefined : { id: host } };
}

/**
 * `name="..."` for a search. The engine's search ignores case, takes `*` as a wildcard and has no escapes: compare the
 * names in its answer again. A quote can't be expressed and matches as "any".
 */
export function nameIs(name: string): string {
  return `name="${name.replaceAll('"', '*')}"`;
}
