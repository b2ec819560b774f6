/** Step: report to the ticket. */
import type { UpgradeActivities } from '../../workflows/model/upgrade.ts';
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { Counterparts } from '../counterparts.ts';
import type { StepContext } from '../step-context.ts';

type Input = Parameters<UpgradeActivities['reportToTicket']>[0] & StepCall;

export function reportToTicket({ tickets }: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<null>> => {
    const { operationId, cluster, ticket, state, lines } = input;
    if (tickets === undefined) {
      const summary = `no ticket system is configured (BELLWETHER_TICKETS_URL); ${ticket} was not told`;
      return { done: 'before', summary, value: null };
    }
    const { id } = await tickets.report({ ticket, operationId, cluster, state, lines }, context.signal);
    return { done: 'now', summary: `${ticket} was told (message ${id})`, value: null };
  };
}
