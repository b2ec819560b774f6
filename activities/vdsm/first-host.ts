/** The one host of an install, and the export that its hosted engine is to lie on. */
import type { StepCall } from '../../workflows/model/operation.ts';
import type { InstallPlan } from '../../workflows/model/install.ts';
import type { InstallAnswers } from '../../workflows/model/requests.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import { deriveId } from '../ids.ts';
import { FIRST_HOST_ID } from '../storage/install-configuration.ts';
import type { VdsmClient } from './client.ts';
import type { OwnPool } from './pools.ts';
import type { DomainType, StorageConnection } from './verbs.ts';

export interface Export {
  readonly type: 'nfs' | 'glusterfs';
  readonly address: string;
  readonly path: string;
  readonly mountOptions?: string;
}

export type Planned = StepCall & { readonly answers: InstallAnswers; readonly plan: InstallPlan };

export function firstHost(
  { clusters }: Counterparts,
  input: StepCall & { readonly answers: InstallAnswers },
): VdsmClient {
  const { name, address, vdsmPort } = input.answers.host;
  return clusters.get(input.cluster).hosts.ensure({ name, address, ...(vdsmPort === undefined ? {} : { vdsmPort }) });
}

export function domainTypeOf({ type }: Export): DomainType {
  return type === 'nfs' ? 'NFS' : 'GLUSTERFS';
}

export function remotePathOf({ address, path }: Export): string {
  return `${address}:${path.replace(/(.)\/+$/, '$1')}`;
}

function connectionOf(at: Export): StorageConnection {
  const connection = remotePathOf(at);
  return {
    id: deriveId(connection, 'connection'),
    connection,
    ...(at.type === 'nfs' ? { protocol_version: 'auto' } : { vfs_type: 'glusterfs' }),
    ...(at.mountOptions === undefined ? {} : { mnt_options: at.mountOptions }),
  };
}

/** Mounts the export; VDSM also tries whether it may write there (469). Done when it is mounted. */
export async function connectExport(host: VdsmClient, at: Export, signal: AbortSignal): Promise<void> {
  const params = { domainType: domainTypeOf(at), connectionParams: [connectionOf(at)] } as const;
  const [answer] = await host.call('StoragePool.connectStorageServer', params, { signal });
  const status = answer?.status ?? 0;
  if (status === 0) return;
  const [why, remedy] =
    status === 469
      ? ['the user vdsm may not write there (VDSM status 469)', 'Make it readable and writable for 36:36 (vdsm:kvm)']
      : [`VDSM status ${status}`, 'Check server, path and mount options, and that the server exports it to this host'];
  throw new CounterpartError({
    type: 'storage/not-connected',
    kind: 'needs-operator',
    subject: remotePathOf(at),
    what: `${host.name} can’t mount it`,
    why,
    remedy: `${remedy}, then retry.`,
    code: status,
  });
}

/** An export that is not mounted is let go of already. */
export async function disconnectExport(host: VdsmClient, at: Export, signal: AbortSignal): Promise<void> {
  const params = { domainType: domainTypeOf(at), connectionParams: [connectionOf(at)] } as const;
  await host.call('StoragePool.disconnectStorageServer', params, { signal });
}

/** Storage domains on a mounted export. */
export async function domainsOn(
  host: VdsmClient,
  at: Export,
  signal: AbortSignal,
): Promise<{ readonly id: string; readonly name: string; readonly pools: readonly string[] }[]> {
  const found = [];
  for (const id of await host.call('Host.getStorageDomains', {}, { signal })) {
    const info = await host.call('StorageDomain.getInfo', { storagedomainID: id }, { signal });
    if (info.remotePath === remotePathOf(at)) found.push({ id, name: info.name, pools: info.pool });
  }
  return found;
}

export function poolOf({ pool, domain: master }: InstallPlan): OwnPool {
  return { pool, master, hostId: FIRST_HOST_ID };
}

/** What volume writers want to know of a volume's place. */
export function placeOf({ pool, domain }: InstallPlan) {
  return { pool, domain };
}
