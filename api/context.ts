/** What one request carries through the app, and the helpers that every route needs. */
import type { Context, MiddlewareHandler } from 'hono';
import { readBody, readJson } from './body.ts';
import type { AppLogger, AppPorts } from './ports.ts';
import { problem, type ProblemExtras, type ProblemName } from './problems.ts';

export interface AppEnv {
  Variables: {
    /** Of the log line and of the problem document. */
    instance: string;
    /** Added to the log line: ids and outcomes, never bodies, headers or secrets. */
    logged: Record<string, string | number | boolean>;
  };
}

export type AppContext = Context<AppEnv>;

/** Problem document with the request's instance. */
export function refuse(c: AppContext, name: ProblemName, detail: string, extras: ProblemExtras = {}): Response {
  c.get('logged').problem = name;
  return problem(name, detail, { instance: c.get('instance'), ...extras });
}

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly response: Response };

/** The raw bytes within the limit, else the refusal. */
export async function bodyOf(c: AppContext, limit: number): Promise<Parsed<Uint8Array>> {
  const read = await readBody(c.req.raw, c.req.header('content-length'), limit);
  if (read.ok) return { ok: true, value: read.bytes };
  return { ok: false, response: refuse(c, 'body-too-large', `at most ${read.limit} bytes`) };
}

/** The bytes as JSON, else the refusal. */
export function jsonOf(c: AppContext, bytes: Uint8Array): Parsed<unknown> {
  const read = readJson(bytes);
  return read.ok ? read : { ok: false, response: refuse(c, 'malformed-json', read.why) };
}

/** One JSON line per request. Query strings and headers stay out: they may hold what others must not read. */
export function requestLog(logger: AppLogger, clock: AppPorts['clock']): MiddlewareHandler<AppEnv> {
  return async function requestLog(c, next) {
    const started = clock().getTime();
    c.set('instance', `urn:uuid:${crypto.randomUUID()}`);
    c.set('logged', {});
    await next();
    const { method, path } = c.req;
    const ms = clock().getTime() - started;
    const fields = { method, path, status: c.res.status, ms, instance: c.get('instance'), ...c.get('logged') };
    if (c.res.status >= 500) logger.warn(fields, 'request');
    else logger.info(fields, 'request');
  };
}
