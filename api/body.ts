/**
 * Reads a request's body within limits. Hono's `bodyLimit` costs two thirds of the throughput on Node because it forces
 * a web stream for every request (orchestration.md finding 5): here the declared length is looked at first, and only
 * chunked bodies are counted as they come.
 */

export type BodyReading =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly limit: number };

export type JsonReading = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly why: string };

const JSON_DEPTH_MAX = 32;

async function readCounted(stream: ReadableStream<Uint8Array>, limit: number): Promise<BodyReading> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { ok: true, bytes: Buffer.concat(chunks) };
    size += value.byteLength;
    if (size > limit) {
      // Cancelled, not drained: whoever sends without end must not keep us reading.
      void reader.cancel().catch(() => {});
      return { ok: false, limit };
    }
    chunks.push(value);
  }
}

/** The raw bytes, at most `limit` of them. */
export async function readBody(
  request: Request,
  contentLength: string | undefined,
  limit: number,
): Promise<BodyReading> {
  if (contentLength === undefined) {
    return request.body === null ? { ok: true, bytes: new Uint8Array() } : readCounted(request.body, limit);
  }
  if (!/^\d{1,15}$/.test(contentLength) || Number(contentLength) > limit) return { ok: false, limit };
  const bytes = new Uint8Array(await request.arrayBuffer());
  return bytes.byteLength > limit ? { ok: false, limit } : { ok: true, bytes };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Deepest nesting of arrays and objects, found without building them. */
export function jsonDepth(bytes: Uint8Array): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i];
    if (inString) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === 0x5b || byte === 0x7b) deepest = Math.max(deepest, ++depth);
    else if (byte === 0x5d || byte === 0x7d) depth--;
  }
  return deepest;
}

/** JSON in UTF-8, nested at most 32 deep: the depth is checked first, so that a hostile body can't exhaust the parser. */
export function readJson(bytes: Uint8Array): JsonReading {
  const depth = jsonDepth(bytes);
  if (depth > JSON_DEPTH_MAX) return { ok: false, why: `nested ${depth} deep, ${JSON_DEPTH_MAX} are allowed` };
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    return { ok: true, value };
  } catch (error) {
    return { ok: false, why: error instanceof Error ? error.message : String(error) };
  }
}
