import { z } from '@hono/zod-openapi';
import { VM_CONF_BYTES_MAX } from '../../../activities/ovf/vm-conf.ts';
import { optional } from '../optional.ts';

export const upgrade = {
  operation: z.literal('upgrade'),
  source: z.enum(['auto', 'request', 'configuration-volume', 'engine']).default('auto').openapi({
    description: 'Where the engine VM’s definition comes from; auto takes the newest consistent one.',
  }),
  vmConf: optional(
    z
      .string()
      .refine((text) => Buffer.byteLength(text) <= VM_CONF_BYTES_MAX, `at most ${VM_CONF_BYTES_MAX} bytes`)
      .openapi({
        description: `Text of a vm.conf, at most ${VM_CONF_BYTES_MAX} bytes; needed when source is request.`,
      }),
  ),
};
