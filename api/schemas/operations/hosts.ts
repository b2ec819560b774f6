import { z } from '@hono/zod-openapi';
import { optional } from '../optional.ts';
import { address, hostName, port, secretName } from './fields.ts';

/** How the engine gets into a host. */
export const access = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('public-key') }),
  z.strictObject({ kind: z.literal('password'), passwordSecret: secretName }),
]);

export const addHost = {
  operation: z.literal('add-host'),
  host: hostName,
  address,
  vdsmPort: optional(port.openapi({ description: '54321 unless given.' })),
  access: access.default({ kind: 'public-key' }).openapi({
    description:
      'How the engine gets into the host: by its own public key, or by root’s password, of which only the name is sent.',
  }),
  agent: z.enum(['reference', 'bellwether']).default('reference').openapi({
    description: 'Whose HA services the host runs: ovirt-ha-agent and -broker, or Bellwether’s worker.',
  }),
};

export const removeHost = {
  operation: z.literal('remove-host'),
  host: hostName,
  fromEngine: z.boolean().default(false).openapi({
    description: 'True: the host leaves the engine too; else it stays there without hosted engine.',
  }),
};
