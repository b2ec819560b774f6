import { z } from '@hono/zod-openapi';
import { REPAIRABLE } from '../../../workflows/model/reconcile.ts';
import { optional } from '../optional.ts';

export const backup = {
  operation: z.literal('backup'),
  keep: optional(
    z.number().int().min(1).max(10_000).openapi({
      description: 'Backups of this operation kept in S3, this one included. Without it none is removed.',
    }),
  ),
};

export const restore = {
  operation: z.literal('restore'),
  backup: z
    .string()
    .regex(
      /^[^\s/][^\s]{0,1000}\/manifest\.json$/,
      'the key of a backup’s manifest, as "bellwether backup list" prints it',
    )
    .openapi({
      example: 'Default/backup!2fDefault!2fCHG0001234/manual/manifest.json',
      description: 'The key of a backup’s manifest; GET /clusters/{name}/backups lists them.',
    }),
  items: z
    .array(z.enum(['ovf', 'vm.conf', 'hosted-engine.conf', 'configuration-archive', 'ha-slots']))
    .min(1, 'names nothing to restore')
    .refine((items) => new Set(items).size === items.length, 'each item once')
    .openapi({ description: 'What to restore, in this order; each once.' }),
  apply: z.boolean().default(false).openapi({ description: 'False: shows what would change, and changes nothing.' }),
};

const REPAIRS = ['safe', ...REPAIRABLE] as const;

export const reconcile = {
  operation: z.literal('reconcile'),
  repair: z
    .array(z.enum(REPAIRS, { error: `names nothing that can be repaired: safe, or ${REPAIRABLE.join(', ')}` }))
    .refine((names) => new Set(names).size === names.length, 'each name once')
    .default([])
    .openapi({ description: 'Kinds of difference to repair, or "safe" for all that are safe; none: only the table.' }),
};
