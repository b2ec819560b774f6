/** Step: find the HA metadata through VDSM alone; the engine may be down. */
import type { BoardFacts } from '../../workflows/model/hosted-engine.ts';
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import type { StepContext } from '../step-context.ts';
import type { VdsmClient } from '../vdsm/client.ts';
import { readGlobalMaintenance } from './ha-metadata.ts';
import { findHostedEngineDomain } from './he-domain.ts';

/** @throws CounterpartError retryable when the host is connected to none */
export async function poolOf(host: VdsmClient, signal: AbortSignal): Promise<string> {
  const [pool] = await host.call('Host.getConnectedStoragePools', {}, { signal });
  if (pool !== undefined) return pool;
  throw new CounterpartError({
    type: 'vdsm/no-pool',
    kind: 'retryable',
    subject: `host ${host.name}`,
    what: 'it is connected to no storage pool',
    why: 'the engine has not connected it since it started',
    remedy: 'It is tried again by itself; activate the host in the engine if it lasts.',
  });
}

export function inspectBoard({ clusters }: Counterparts) {
  return async (context: StepContext, input: StepCall): Promise<StepOutcome<BoardFacts>> => {
    const { hosts } = clusters.get(input.cluster);
    const { signal } = context;
    const { found, pool, by } = await hosts.onAny('no host could look at the storage', signal, async (host) => {
      const domain = await findHostedEngineDomain(host, undefined, signal);
      return { found: domain, pool: await poolOf(host, signal), by: host.name };
    });
    const metadata = { image: found.metadata.image, volume: found.metadata.volume };
    const spm = await hosts.spm(pool, signal);
    const before = await readGlobalMaintenance(spm, { pool, domain: found.domain }, metadata, signal);
    const value: BoardFacts = {
      dataCenter: { id: pool },
      domain: { id: found.domain, metadata },
      globalMaintenanceBefore: before,
    };
    const summary = `seen through ${by}: global maintenance is ${before ? 'on' : 'off'}`;
    return { done: 'now', summary, value };
  };
}
