/**
 * JSON-RPC 2.0 as VDSM speaks it (vdsm.md 4): what is answered where, what is answered twice, what is not answered.
 *
 * Unlike VDSM it survives notifications and batches; like VDSM it answers neither.
 */
import { fail, VdsmError } from './errors.ts';
import { asciiJson, isJsonObject, type Json, type JsonObject } from './python.ts';
import { DEFAULT_RESPONSES } from './stomp-broker.ts';

export interface RpcRequest {
  readonly method: string;
  readonly params: readonly Json[] | JsonObject;
}

/** Result of the verb, or `drop` when the fault board wants the connection cut instead of an answer. */
export type Execute = (request: RpcRequest) => Promise<{ readonly result: Json } | 'drop'>;

export interface RpcPeer {
  /** Sends one answer; an undefined destination means that nobody asked for it. */
  reply(destination: string | undefined, body: string): void;
  cut(): void;
}

function errorAnswer(id: Json, error: VdsmError): string {
  return asciiJson({ jsonrpc: '2.0', id, error: { code: error.code, message: error.message } });
}

/** @throws VdsmError -32600 or -32603 */
function parseRequest(raw: Json): RpcRequest & { readonly id: Json } {
  if (!isJsonObject(raw)) throw fail.internal();
  const { method, id = null, params = [] } = raw;
  if (raw['jsonrpc'] !== '2.0') throw fail.invalidRequest({ request: raw, reason: 'Wrong protocol version' });
  if (method === undefined || method === null) {
    throw fail.invalidRequest({ request: raw, reason: 'missing method header in method' });
  }
  if (!Array.isArray(params) && !isJsonObject(params)) {
    throw fail.invalidRequest({ request: raw, reason: 'wrong params type' });
  }
  return { method: typeof method === 'string' ? method : asciiJson(method), params, id };
}

function toVdsmError(error: unknown): VdsmError {
  if (error instanceof VdsmError) return error;
  return fail.internal({ reason: error instanceof Error ? error.message : String(error) });
}

/** The answer's text; undefined when the connection is to be cut. */
async function answer(request: RpcRequest, id: Json, execute: Execute): Promise<string | undefined> {
  try {
    const outcome = await execute(request);
    return outcome === 'drop' ? undefined : asciiJson({ jsonrpc: '2.0', id, result: outcome.result });
  } catch (error) {
    return errorAnswer(id, toVdsmError(error));
  }
}

async function serveOne(raw: Json, replyTo: string | undefined, peer: RpcPeer, execute: Execute): Promise<void> {
  let request: ReturnType<typeof parseRequest>;
  try {
    request = parseRequest(raw);
  } catch (error) {
    // VDSM flushes such an answer twice, and has lost the reply-to by then.
    const body = errorAnswer(null, toVdsmError(error));
    peer.reply(DEFAULT_RESPONSES, body);
    peer.reply(DEFAULT_RESPONSES, body);
    return;
  }
  const text = await answer(request, request.id, execute);
  if (text === undefined) peer.cut();
  else if (request.id !== null) peer.reply(replyTo, text);
}

/** Serves one message body. Never rejects. */
export async function serve(body: Buffer, replyTo: string | undefined, peer: RpcPeer, execute: Execute): Promise<void> {
  let raw: Json;
  try {
    raw = JSON.parse(body.toString('utf8')) as Json;
  } catch {
    peer.reply(DEFAULT_RESPONSES, errorAnswer(null, fail.parse()));
    return;
  }
  if (!Array.isArray(raw)) {
    await serveOne(raw, replyTo, peer, execute);
    return;
  }
  const batch = raw as readonly Json[];
  const [first] = batch;
  if (first === undefined) {
    const error = fail.invalidRequest({ request: batch, reason: 'request batch is empty' });
    peer.reply(DEFAULT_RESPONSES, errorAnswer(null, error));
  } else if (batch.length === 1) {
    await serveOne(first, replyTo, peer, execute);
  } else {
    // Each is executed; VDSM then fails to send the combined answer, so there is none.
    const mute: RpcPeer = { reply: () => undefined, cut: () => peer.cut() };
    await Promise.all(batch.map((one) => serveOne(one, undefined, mute, execute)));
  }
}
