/** What VDSM of each host says, all hosts at once. */
import type { Missing } from '../../workflows/model/look.ts';
import type { VdsmClient } from '../vdsm/client.ts';
import { attempt } from './attempt.ts';

/** A host that is down must not hold up the look at the others for long. */
const CALL_LIMIT_MS = 3000;
const HOST_LIMIT_MS = 5000;

interface VdsmFacts {
  readonly ha:
    | {
        readonly configured: boolean;
        readonly active: boolean;
        readonly score: number;
        readonly localMaintenance: boolean;
        readonly globalMaintenance: boolean;
      }
    | undefined;
  readonly freeMiB: number | undefined;
  /** VMs that are not down. */
  readonly vms: readonly { readonly vmId: string; readonly status: string }[];
  readonly pool: string | undefined;
  readonly spm: boolean;
}

export interface HostWord {
  readonly client: VdsmClient;
  readonly name: string;
  readonly address: string;
  /** Undefined: VDSM does not answer. */
  readonly said?: VdsmFacts;
  readonly missing?: Missing;
}

async function ask(host: VdsmClient, signal: AbortSignal): Promise<VdsmFacts> {
  const limit = { timeoutMs: CALL_LIMIT_MS, signal };
  const [stats, vms, pools] = await Promise.all([
    host.call('Host.getStats', {}, limit),
    host.call('Host.getVMList', {}, limit),
    host.call('Host.getConnectedStoragePools', {}, limit),
  ]);
  const [pool] = pools;
  // A pool that it is just leaving is no reason to hear nothing of the host.
  const spm =
    pool === undefined
      ? undefined
      : await host.call('StoragePool.getSpmStatus', { storagepoolID: pool }, limit).catch(() => undefined);
  const { haStats, memFree } = stats;
  return {
    ha:
      haStats === undefined
        ? undefined
        : {
            configured: haStats.configured,
            active: haStats.active,
            score: haStats.score,
            localMaintenance: haStats.localMaintenance,
            globalMaintenance: haStats.globalMaintenance,
          },
    freeMiB: memFree,
    vms: vms.filter(({ status }) => status !== 'Down').map(({ vmId, status }) => ({ vmId, status })),
    pool,
    spm: spm?.spmStatus === 'SPM',
  };
}

export function askHosts(clients: readonly VdsmClient[], signal: AbortSignal): Promise<HostWord[]> {
  return Promise.all(
    clients.map(async (client) => {
      const base = { client, name: client.name, address: client.peer.address };
      const what = `VDSM of ${client.name}`;
      const answer = await attempt({ what, limitMs: HOST_LIMIT_MS, signal }, (limited) => ask(client, limited));
      return answer.ok ? { ...base, said: answer.value } : { ...base, missing: answer.missing };
    }),
  );
}
