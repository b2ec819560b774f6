import type { IncomingMessage } from 'node:http';

const BODY_LIMIT = 4 * 1024 * 1024;

/** One request, read completely. */
export interface Incoming {
  readonly method: string;
  /** Target as sent: path and query. */
  readonly target: string;
  readonly header: (name: string) => string | undefined;
  readonly body: string;
}

/** Reads a request; `undefined` = larger than any the engine takes. */
export async function readIncoming(request: IncomingMessage): Promise<Incoming | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > BODY_LIMIT) return undefined;
    chunks.push(bytes);
  }
  return {
    method: request.method ?? 'GET',
    target: request.url ?? '/',
    header: (name) => {
      const value = request.headers[name.toLowerCase()];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    body: Buffer.concat(chunks).toString('utf8'),
  };
}

/** Path without query, and all form and query parameters; the form wins. */
export function formOf(incoming: Incoming): { readonly path: string; readonly form: URLSearchParams } {
  const mark = incoming.target.indexOf('?');
  const path = mark < 0 ? incoming.target : incoming.target.slice(0, mark);
  const form = new URLSearchParams(mark < 0 ? '' : incoming.target.slice(mark + 1));
  if (/^application\/x-www-form-urlencoded\b/i.test(incoming.header('content-type') ?? '')) {
    for (const [name, value] of new URLSearchParams(incoming.body)) form.set(name, value);
  }
  return { path, form };
}
