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
    /** The raw body once it was read. */
    body: Uint8Array | undefined;
  };
}

export type AppContext = Context<AppEnv>;

/** Problem document with the request's instance. */
export function refuse(c: AppContext, name: ProblemName, detail: string, extras: ProblemExtras = {}): Response {
  c.get('logged').problem = name;
  return problem(name, detail, { instance: c.get('instance'), ...extras });
}

/** The problem that is answered, also where a route made its document without `refuse`; from then on it is logged. */
export async function answeredProblem(c: AppContext): Promise<string | undefined> {
  const logged = c.get('logged');
  const type = c.res.headers.get('content-type') ?? '';
  if (logged.problem === undefined && type.startsWith('application/problem+json')) {
    const read = readJson(new Uint8Array(await c.res.clone().arrayBuffer()));
    const json: unknown = read.ok ? read.value : undefined;
    const uri: unknown = typeof json === 'object' && json !== null ? Reflect.get(json, 'type') : undefined;
    if (typeof uri === 'string') logged.problem = uri.replace(/^.*\//, '');
  }
  return typeof logged.problem === 'string' ? logged.problem : undefined;
}

export type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly response: Response };

/** The raw bytes within the limit, else the refusal. */
export async function bodyOf(c: AppContext, limit: number): Promise<Parsed<Uint8Array>> {
  const read = await readBody(c.req.raw, c.req.header('content-length'), limit);
  if (read.ok) {
    c.set('body', read.bytes);
    return { ok: true, value: read.bytes };
  }
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
