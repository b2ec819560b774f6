/** Step: find what lies on the hosted-engine domain through VDSM alone; the engine may be down. */
import type { StorageFacts } from '../../workflows/model/backup.ts';
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { Counterparts } from '../counterparts.ts';
import type { StepContext } from '../step-context.ts';
import { inspectBoard } from './board.ts';
import { findHostedEngineDomain } from './he-domain.ts';

export function inspectStorage(counterparts: Counterparts) {
  const board = inspectBoard(counterparts);
  return async (context: StepContext, input: StepCall): Promise<StepOutcome<StorageFacts>> => {
    const { signal } = context;
    const { value, summary } = await board(context, input);
    const { hosts } = counterparts.clusters.get(input.cluster);
    const { configuration } = await hosts.onAny('no host could look at the storage', signal, (host) =>
      findHostedEngineDomain(host, value.domain.id, signal),
    );
    const { image, volume } = configuration;
    const facts: StorageFacts = { ...value, domain: { ...value.domain, configuration: { image, volume } } };
    return { done: 'now', summary: `storage domain ${value.domain.id}; ${summary}`, value: facts };
  };
}
