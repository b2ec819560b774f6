/** Fields that several requests have. */
import { z } from '@hono/zod-openapi';
import { KEY_PATTERN } from '../../../workflows/model/ids.ts';
import { optional } from '../optional.ts';

export const key = (what: string, example: string) =>
  z
    .string()
    .regex(KEY_PATTERN, `${what}: letters, digits and . _ : - only, at most 100, the first a letter or digit`)
    .openapi({
      example,
      description: `${what.replace(/^./, (first) => first.toUpperCase())}; letters, digits and . _ : - only.`,
    });

/** A host as the engine names it. */
export const hostName = key('a host’s name', 'host2');

/** Name of a file in the worker's folder of secrets (BELLWETHER_SECRETS_DIR); never the secret itself. */
export const secretName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/,
    'the name of a secret (a file in BELLWETHER_SECRETS_DIR), never the secret itself',
  )
  .openapi({
    example: 'new-host-root',
    description: 'Name of a file in the worker’s BELLWETHER_SECRETS_DIR; never the secret itself.',
  });

/** A name or address that a URL and VDSM take as it is. */
export const address = z
  .string()
  .regex(/^[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$/, 'a host name or an IP address, without a path or port')
  .openapi({ example: 'host4.example.test', description: 'Name or IP address, without a port.' });

export const port = z.number().int().min(1).max(65_535);

/** What every request has beside its key. */
export const commonFields = {
  version: z.literal(1).default(1).openapi({ description: 'Of the request’s form.' }),
  cluster: key('a cluster', 'Default').openapi({ description: 'A cluster that the front door is configured for.' }),
  ifBusy: z.enum(['queue', 'refuse']).default('queue').openapi({
    description: 'What to do while another operation holds the cluster.',
  }),
  reason: optional(
    z.string().min(1).max(250).openapi({ description: 'Why; kept for the auditor.', example: 'new DIMMs' }),
  ),
};
