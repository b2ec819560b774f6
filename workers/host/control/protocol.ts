/** What the command line and the running worker say to each other: HTTP with JSON on a Unix socket of root's. */
import { z } from 'zod';

export const commandSchema = z.discriminatedUnion('command', [
  z.object({
    command: z.literal('maintenance'),
    mode: z.enum(['global', 'local', 'none']),
    reason: z.string().max(500).optional(),
    /** ISO time at which global maintenance is to end by itself. */
    until: z.iso.datetime({ offset: true }).optional(),
    by: z.string().max(100),
  }),
  z.object({ command: z.literal('priority'), value: z.number().int().min(-1000).max(1000) }),
  z.object({
    command: z.literal('vm'),
    action: z.enum(['start', 'shutdown', 'poweroff']),
    force: z.boolean(),
    by: z.string().max(100),
  }),
  z.object({ command: z.literal('slot-clean'), hostId: z.number().int().min(1), force: z.boolean() }),
  z.object({ command: z.literal('lockspace-reinit'), force: z.boolean() }),
  z.object({ command: z.literal('drill') }),
]);

export type ControlCommand = z.output<typeof commandSchema>;

/** `lines` are for people; a refusal carries the facts of its CounterpartError. */
export const replySchema = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), lines: z.array(z.string()) }),
  z.object({
    ok: z.literal(false),
    type: z.string(),
    kind: z.enum(['retryable', 'needs-operator', 'fatal']),
    subject: z.string(),
    what: z.string(),
    why: z.string(),
    remedy: z.string(),
  }),
]);

export type ControlReply = z.output<typeof replySchema>;

export const SNAPSHOT_PATH = '/snapshot';
export const COMMAND_PATH = '/command';
/** The board as it was read last: slots by host id, base64. */
export const BOARD_PATH = '/board';
export const boardSchema = z.record(z.string(), z.base64());
