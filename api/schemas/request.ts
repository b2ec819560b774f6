/** What may come in: requests that start operations, and operators' commands. Typed against `workflows/model`. */
import { z } from '@hono/zod-openapi';
import { VM_CONF_BYTES_MAX } from '../../activities/ovf/vm-conf.ts';
import { KEY_PATTERN } from '../../workflows/model/ids.ts';
import type { OperatorCommand } from '../../workflows/model/operation.ts';
import type { UpgradeRequest } from '../../workflows/model/requests.ts';
import { optional } from './optional.ts';

const key = (what: string, example: string) =>
  z
    .string()
    .regex(KEY_PATTERN, `${what}: letters, digits and . _ : - only, at most 100, the first a letter or digit`)
    .openapi({ example });

/** Who did it: a claim of the caller, kept for the auditor. */
export const actor = z
  .string()
  .regex(
    /^[\p{L}\p{N}][\p{L}\p{N} .@_:+-]{0,99}$/u,
    'a name: letters, digits, spaces and . @ _ : + - only, at most 100',
  )
  .openapi({ example: 'cli:alice' });

const upgradeFields = {
  version: z.literal(1).default(1),
  operation: z.literal('upgrade'),
  cluster: key('a cluster', 'Default'),
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
  ifBusy: z.enum(['queue', 'refuse']).default('queue').openapi({
    description: 'What to do while another operation holds the cluster.',
  }),
};

function needsVmConf(request: { source: string; vmConf?: string }): boolean {
  return request.source !== 'request' || request.vmConf !== undefined;
}

const vmConfRule = { path: ['vmConf'], error: 'needed because source is request' };

/** What a caller says itself; key and requestedBy come from where it came in. */
type Asked = Omit<UpgradeRequest, 'key' | 'requestedBy'>;

/** The body of POST /operations: the caller is known otherwise, and `key` may come as Idempotency-Key. */
export const operationBody = z
  .strictObject({
    ...upgradeFields,
    key: optional(key('a key', 'CHG0001234')),
    ticket: optional(key('a ticket', 'CHG0001234')),
  })
  .refine(needsVmConf, vmConfRule)
  .openapi('OperationRequest') satisfies z.ZodType<Asked & { readonly key?: string }>;

/** The request in a native webhook: the ticket is the key. */
export const webhookRequest = z
  .strictObject({ ...upgradeFields, ticket: key('a ticket', 'CHG0001234') })
  .refine(needsVmConf, vmConfRule)
  .openapi('WebhookRequest') satisfies z.ZodType<Asked & { readonly ticket: string }>;

/** The documented form of a native webhook; a bare `WebhookRequest` is taken too. */
export const webhookEvent = z
  .object({ type: z.literal('operation.requested'), data: webhookRequest })
  .openapi('OperationRequestedEvent');

export const operatorCommand = z
  .strictObject({ by: actor, reason: optional(z.string().max(500).openapi({ example: 'data center is up again' })) })
  .openapi('OperatorCommand') satisfies z.ZodType<OperatorCommand>;

/** `Idempotency-Key`: printable, bounded; the quotes of the IETF draft's structured form are taken off. */
export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'printable ASCII without spaces, at most 255')
  .transform((text) => text.replace(/^"(.+)"$/, '$1'));
