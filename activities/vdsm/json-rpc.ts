/**
 * JSON-RPC 2.0 as VDSM speaks it (vdsm.md 4). A request always has an id made here, and there is no way to build a
 * batch: an id-less request stops VDSM's parser for every client, a batch is never answered.
 */
import { randomUUID } from 'node:crypto';
import { z } from 'zod';

/** Above this the host's one I/O thread is busy for seconds with one frame (vdsm.md 2). */
export const REQUEST_BYTES_MAX = 1024 * 1024;

export interface Request {
  /** Unique across all clients of the host: its map from id to reply queue is server-wide. */
  readonly id: string;
  readonly text: string;
}

export function encodeRequest(method: string, params: object): Request {
  const id = randomUUID();
  return { id, text: JSON.stringify({ jsonrpc: '2.0', method, params, id }) };
}

export type Outcome =
  | { readonly kind: 'result'; readonly result: unknown }
  | { readonly kind: 'error'; readonly code: number; readonly message: string };

export interface Answer {
  /** Null when VDSM could not read the request. */
  readonly id: string | null;
  readonly outcome: Outcome;
}

const answerSchema = z
  .looseObject({
    id: z.string().nullable().default(null),
    error: z.looseObject({ code: z.coerce.number().int(), message: z.string().default('') }).nullish(),
    result: z.unknown().optional(),
  })
  .transform(({ id, error, result }): Answer => {
    if (error === undefined || error === null) return { id, outcome: { kind: 'result', result } };
    return { id, outcome: { kind: 'error', code: error.code, message: error.message } };
  });

/** VDSM answers a bare object; a list is taken too. */
const answersSchema = z.union([answerSchema.transform((one) => [one]), z.array(answerSchema)]);

/** Answers in a message's body; undefined when it holds none. */
export function parseAnswers(body: Buffer): readonly Answer[] | undefined {
  const parsed = answersSchema.safeParse(parseJson(body));
  return parsed.success ? parsed.data : undefined;
}

/** undefined when it is no JSON. */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    return undefined;
  }
}
