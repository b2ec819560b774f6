import { z } from '@hono/zod-openapi';
import { optional } from '../optional.ts';
import { hostName } from './fields.ts';

export const globalMaintenance = {
  operation: z.literal('global-maintenance'),
  mode: z.enum(['on', 'off']).openapi({ description: 'On: no host restarts or moves the engine.' }),
  until: optional(
    z.iso
      .datetime({ error: 'an ISO time with its zone, e.g. 2026-11-22T04:00:00Z' })
      .openapi({ description: 'It ends by itself then; with mode on only.', example: '2026-11-22T04:00:00Z' }),
  ),
};

export const enterHostMaintenance = { operation: z.literal('enter-host-maintenance'), host: hostName };

export const leaveHostMaintenance = { operation: z.literal('leave-host-maintenance'), host: hostName };

export const rollingHostUpdate = {
  operation: z.literal('rolling-host-update'),
  hosts: optional(
    z
      .array(hostName)
      .min(1)
      .refine((hosts) => new Set(hosts).size === hosts.length, 'each host once')
      .openapi({ description: 'In this order; without it all hosted-engine hosts, the engine VM’s own last.' }),
  ),
};
