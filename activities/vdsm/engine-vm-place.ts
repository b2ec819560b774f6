/** Where the engine VM is, as the hosts themselves say. */
import type { VdsmClient } from './client.ts';
import { isSilent } from './ha-state.ts';
import type { HostPool } from './hosts.ts';

export interface EngineVmPlace {
  readonly host: string;
  /** VDSM's status, never `Down` (vdsm.md 8). */
  readonly status: string;
}

/** A host that is down must not hold up the look at the others. */
const PROBE_LIMIT_MS = 5000;

/**
 * Every host that has the VM in whatever state but Down.
 * @param mustAnswer the host about which something is concluded: that it does not answer is no proof that the VM is not
 * there. Others that can't be reached are left out.
 */
export async function engineVmPlaces(
  hosts: HostPool,
  vmId: string,
  signal: AbortSignal,
  mustAnswer?: VdsmClient,
): Promise<EngineVmPlace[]> {
  const look = async (host: VdsmClient): Promise<EngineVmPlace[]> => {
    try {
      const vms = await host.call('Host.getVMList', {}, { signal, timeoutMs: PROBE_LIMIT_MS });
      const here = vms.filter((vm) => vm.vmId === vmId && vm.status !== 'Down');
      return here.map(({ status }) => ({ host: host.name, status }));
    } catch (error) {
      if (signal.aborted || host === mustAnswer || !isSilent(error)) throw error;
      return [];
    }
  };
  return (await Promise.all(hosts.clients.map(look))).flat();
}
