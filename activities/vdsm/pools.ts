/** A pool of one host: VDSM makes volumes and moves data only on the SPM of a pool (vdsm.md 9). */
import type { StepCall } from '../../workflows/model/operation.ts';
import { correlationOf } from '../ids.ts';
import type { VdsmClient } from './client.ts';
import { isCode } from './errors.ts';
import { runTask } from './tasks.ts';

const MASTER_VERSION = 1;
const TASK_POLL_MS = 200;
const UNKNOWN_POOL = 309;
const ALREADY_SPM = 656;

export interface OwnPool {
  readonly pool: string;
  readonly master: string;
  /** The only host's id in the pool. */
  readonly hostId: number;
}

function optionsOf(call: StepCall, signal: AbortSignal) {
  return { signal, correlationId: correlationOf(call.operationId) };
}

/** Whether the host is the pool's SPM now; undefined while it is not connected to it. */
async function spmState(host: VdsmClient, pool: string, signal: AbortSignal): Promise<boolean | undefined> {
  try {
    const { spmStatus } = await host.call('StoragePool.getSpmStatus', { storagepoolID: pool }, { signal });
    return spmStatus === 'SPM';
  } catch (error) {
    if (isCode(error, UNKNOWN_POOL)) return undefined;
    throw error;
  }
}

/** Makes the pool, connects the host to it and makes it SPM, each unless it is so. */
export async function becomeSpm(host: VdsmClient, call: StepCall, own: OwnPool, signal: AbortSignal): Promise<void> {
  const { pool, master, hostId } = own;
  const options = optionsOf(call, signal);
  const state = await spmState(host, pool, signal);
  if (state === true) return;
  const ids = { storagepoolID: pool, masterSdUUID: master, masterVersion: MASTER_VERSION };
  if (state === undefined) {
    const { pool: pools } = await host.call('StorageDomain.getInfo', { storagedomainID: master }, { signal });
    if (!pools.includes(pool)) {
      await host.call('StoragePool.create', { ...ids, name: 'bellwether', domainList: [master] }, options);
    }
    const domainDict = { [master]: 'active' } as const;
    await host.call('StoragePool.connect', { ...ids, hostID: hostId, domainDict }, options);
  }
  try {
    const task = await host.call('StoragePool.spmStart', { storagepoolID: pool }, options);
    await runTask(host, task, { ...options, pollMs: TASK_POLL_MS, verb: 'StoragePool.spmStart' });
  } catch (error) {
    if (!isCode(error, ALREADY_SPM)) throw error;
  }
}

/**
 * Destroys the pool: its domains are free again, their content stays. A host that restarted meanwhile is connected again
 * for it, since the domains themselves say that they are attached.
 */
export async function destroyPool(host: VdsmClient, call: StepCall, own: OwnPool, signal: AbortSignal): Promise<void> {
  const { pool, master, hostId } = own;
  const options = optionsOf(call, signal);
  const ids = { storagepoolID: pool };
  if ((await spmState(host, pool, signal)) === undefined) {
    const { pool: pools } = await host.call('StorageDomain.getInfo', { storagedomainID: master }, { signal });
    if (!pools.includes(pool)) return;
    const domainDict = { [master]: 'active' } as const;
    const from = { masterSdUUID: master, masterVersion: MASTER_VERSION, hostID: hostId, domainDict };
    await host.call('StoragePool.connect', { ...ids, ...from }, options);
  }
  await host.call('StoragePool.spmStop', ids, options);
  await host.call('StoragePool.destroy', { ...ids, hostID: hostId }, options);
}
