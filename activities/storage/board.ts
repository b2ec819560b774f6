/** Step: find the HA metadata through VDSM alone; the engine may be down. */
import type { BoardFacts } from '../../workflows/model/hosted-engine.ts';
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import type { StepContext } from '../step-context.ts';
import { readGlobalMaintenance } from './ha-metadata.ts';
import { findHostedEngineDomain } from './he-domain.ts';

export function inspectBoard({ clusters }: Counterparts) {
  return async (context: StepContext, input: StepCall): Promise<StepOutcome<BoardFacts>> => {
    const { hosts } = clusters.get(input.cluster);
    const { signal } = context;
    const { found, pool, by } = await hosts.onAny('no host could look at the storage', signal, async (host) => {
      const [pools] = [await host.call('Host.getConnectedStoragePools', {}, { signal })];
      return { found: await findHostedEngineDomain(host, undefined, signal), pool: pools[0], by: host.name };
    });
    if (pool === undefined) {
      throw new CounterpartError({
        type: 'vdsm/no-pool',
        kind: 'retryable',
        subject: `host ${by}`,
        what: 'it is connected to no storage pool',
        why: 'the engine has not connected it since it started',
        remedy: 'It is tried again by itself; activate the host in the engine if it lasts.',
      });
    }
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
