/** A word for the ticket, through the workflow that keeps it up to date. */
import type { Client } from '@temporalio/client';
import { FOLLOW_MESSAGES, followerId, type TicketNote } from '../../workflows/model/ticket.ts';
import type { FollowerDesk } from '../ports.ts';
import { isNotFound, unavailable, type Deadlines } from './temporal-common.ts';

export function createFollowerDesk(client: Client, { serverDeadlineMs }: Deadlines): FollowerDesk {
  return {
    async tell(operationId, note) {
      try {
        await client.withDeadline(Date.now() + serverDeadlineMs, () =>
          client.workflow.getHandle(followerId(operationId)).signal<[TicketNote]>(FOLLOW_MESSAGES.note, note),
        );
        return { outcome: 'told' };
      } catch (error) {
        // Nobody follows it (its source names no tracker), or it has ended.
        return isNotFound(error) ? { outcome: 'told' } : unavailable(error);
      }
    },
  };
}
