/**
 * Keeps the hosted-engine storage connected on the hosts: an engine that forgets a storage domain also takes its mount
 * from the hosts, although their HA agents and the engine VM live on it.
 */
import type { HostedEngineFacts } from '../../workflows/model/hosted-engine.ts';
import type { Cluster } from '../clusters.ts';
import { deriveId } from '../ids.ts';
import { poll, type StepContext } from '../step-context.ts';
import type { VdsmClient } from './client.ts';
import { isCode } from './errors.ts';

const POLL_MS = 500;
const VISIBLE_LIMIT_MS = 60_000;

async function sees(host: VdsmClient, domain: string, signal: AbortSignal): Promise<boolean> {
  try {
    await host.call('StorageDomain.getStats', { storagedomainID: domain }, { signal });
    return true;
  } catch (error) {
    if (isCode(error, 358)) return false;
    throw error;
  }
}

async function connect(host: VdsmClient, { domain }: HostedEngineFacts, signal: AbortSignal): Promise<void> {
  const connection = { id: deriveId(domain.id, 'connection'), connection: `${domain.address}:${domain.path}` };
  const nfs = { domainType: 'NFS', connectionParams: [{ ...connection, protocol_version: 'auto' }] } as const;
  const gluster = { domainType: 'GLUSTERFS', connectionParams: [{ ...connection, vfs_type: 'glusterfs' }] } as const;
  await host.call('StoragePool.connectStorageServer', domain.type === 'nfs' ? nfs : gluster, { signal });
}

/** Connects the domain on every host that answers and does not see it; returns their names. */
export async function reconnectDomain(
  cluster: Cluster,
  facts: HostedEngineFacts,
  context: StepContext,
): Promise<string[]> {
  const { signal } = context;
  const reconnected: string[] = [];
  for (const host of await cluster.hosts.reachable(signal)) {
    if (await sees(host, facts.domain.id, signal)) continue;
    // Block domains are logged in to by the hosts' own configuration: their agents do it with their next beat.
    if (facts.domain.type === 'nfs' || facts.domain.type === 'glusterfs') await connect(host, facts, signal);
    const what = `${host.name} to see storage domain ${facts.domain.id} again`;
    await poll(context, { what, everyMs: POLL_MS, limitMs: VISIBLE_LIMIT_MS }, async () =>
      (await sees(host, facts.domain.id, signal)) ? true : undefined,
    );
    reconnected.push(host.name);
  }
  return reconnected;
}
