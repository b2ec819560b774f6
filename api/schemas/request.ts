/** What may come in: requests that start operations, and operators' commands. Typed against `workflows/model`. */
import { z } from '@hono/zod-openapi';
import type { OperatorCommand } from '../../workflows/model/operation.ts';
import type { OperationRequest } from '../../workflows/model/requests.ts';
import { backup, reconcile, restore } from './operations/archive.ts';
import { editEngineVm } from './operations/engine-vm.ts';
import { commonFields, key } from './operations/fields.ts';
import {
  addHost,
  deadLeaves,
  deadRule,
  needsSshLogin,
  oneWayIn,
  oneWayInRule,
  removeHost,
  sshLoginRule,
  sshOnlyForOurs,
  sshOnlyRule,
} from './operations/hosts.ts';
import { install } from './operations/install.ts';
import {
  enterHostMaintenance,
  globalMaintenance,
  leaveHostMaintenance,
  rollingHostUpdate,
} from './operations/maintenance.ts';
import { upgrade } from './operations/upgrade.ts';
import { optional } from './optional.ts';

/** Who did it: a claim of the caller, kept for the auditor. */
export const actor = z
  .string()
  .regex(
    /^[\p{L}\p{N}][\p{L}\p{N} .@_:+-]{0,99}$/u,
    'a name: letters, digits, spaces and . @ _ : + - only, at most 100',
  )
  .openapi({ example: 'cli:alice', description: 'Who does it, for the auditor.' });

const needsVmConf = (request: { source: string; vmConf?: string }) =>
  request.source !== 'request' || request.vmConf !== undefined;
const vmConfRule = { path: ['vmConf'], error: 'needed because source is request' };
const untilOnlyOn = (request: { mode: string; until?: string }) => request.mode === 'on' || request.until === undefined;
const untilRule = { path: ['until'], error: 'only with mode on' };

/** What a caller says itself; key and requestedBy come from where it came in. */
type Without<R, K extends PropertyKey> = R extends unknown ? Omit<R, K> : never;
type Asked = Without<OperationRequest, 'key' | 'requestedBy'>;

const TICKET = 'Of the ticket that asks for it; it is told how things go.';

/** The body of POST /operations: the caller is known otherwise, and `key` may come as Idempotency-Key. */
const bodyKeys = {
  ...commonFields,
  key: optional(
    key('a key', 'CHG0001234').openapi({
      description: 'Ends the operation’s id: with the same key it runs once only.',
    }),
  ),
  ticket: optional(key('a ticket', 'CHG0001234').openapi({ description: TICKET })),
};
export const operationBody = z
  .discriminatedUnion('operation', [
    z.strictObject({ ...bodyKeys, ...upgrade }).refine(needsVmConf, vmConfRule),
    z.strictObject({ ...bodyKeys, ...globalMaintenance }).refine(untilOnlyOn, untilRule),
    z.strictObject({ ...bodyKeys, ...enterHostMaintenance }),
    z.strictObject({ ...bodyKeys, ...leaveHostMaintenance }),
    z.strictObject({ ...bodyKeys, ...rollingHostUpdate }),
    z
      .strictObject({ ...bodyKeys, ...addHost })
      .refine(needsSshLogin, sshLoginRule)
      .refine(sshOnlyForOurs, sshOnlyRule),
    z
      .strictObject({ ...bodyKeys, ...removeHost })
      .refine(deadLeaves, deadRule)
      .refine(oneWayIn, oneWayInRule),
    z.strictObject({ ...bodyKeys, ...editEngineVm }),
    z.strictObject({ ...bodyKeys, ...backup }),
    z.strictObject({ ...bodyKeys, ...restore }),
    z.strictObject({ ...bodyKeys, ...reconcile }),
    z.strictObject({ ...bodyKeys, ...install }),
  ])
  .openapi('OperationRequest') satisfies z.ZodType<Asked & { readonly key?: string }>;

/** The request in a native webhook: the ticket is the key. */
const webhookKeys = { ...commonFields, ticket: key('a ticket', 'CHG0001234').openapi({ description: TICKET }) };
export const webhookRequest = z
  .discriminatedUnion('operation', [
    z.strictObject({ ...webhookKeys, ...upgrade }).refine(needsVmConf, vmConfRule),
    z.strictObject({ ...webhookKeys, ...globalMaintenance }).refine(untilOnlyOn, untilRule),
    z.strictObject({ ...webhookKeys, ...enterHostMaintenance }),
    z.strictObject({ ...webhookKeys, ...leaveHostMaintenance }),
    z.strictObject({ ...webhookKeys, ...rollingHostUpdate }),
    z
      .strictObject({ ...webhookKeys, ...addHost })
      .refine(needsSshLogin, sshLoginRule)
      .refine(sshOnlyForOurs, sshOnlyRule),
    z
      .strictObject({ ...webhookKeys, ...removeHost })
      .refine(deadLeaves, deadRule)
      .refine(oneWayIn, oneWayInRule),
    z.strictObject({ ...webhookKeys, ...editEngineVm }),
    z.strictObject({ ...webhookKeys, ...backup }),
    z.strictObject({ ...webhookKeys, ...restore }),
    z.strictObject({ ...webhookKeys, ...reconcile }),
    z.strictObject({ ...webhookKeys, ...install }),
  ])
  .openapi('WebhookRequest') satisfies z.ZodType<Asked & { readonly ticket: string }>;

/** The documented form of a native webhook; a bare `WebhookRequest` is taken too. */
export const webhookEvent = z
  .object({ type: z.literal('operation.requested'), data: webhookRequest })
  .openapi('OperationRequestedEvent');

export const operatorCommand = z
  .strictObject({
    by: actor,
    reason: optional(
      z.string().max(500).openapi({ example: 'data center is up again', description: 'Why; kept for the auditor.' }),
    ),
  })
  .openapi('OperatorCommand') satisfies z.ZodType<OperatorCommand>;

/** `Idempotency-Key`: printable, bounded; the quotes of the IETF draft's structured form are taken off. */
export const idempotencyKey = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'printable ASCII without spaces, at most 255')
  .transform((text) => text.replace(/^"(.+)"$/, '$1'));
