/**
 * Calls to the engine's REST API: HTTPS, JSON, one token, typed errors (engine.md 1 to 4).
 *
 * Reads share kept-alive connections. Each change gets a connection of its own: an idle connection that the web
 * server closes just then would look like a lost answer, and a lost answer costs a look-up.
 */
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import {
  type CallContext,
  EngineError,
  answerError,
  isCertificateFailure,
  unreadableAnswer,
  wireError,
} from './errors.ts';
import { observed, type CallObserver } from '../observe.ts';
import { failedAction, jsonOrUndefined, readFault } from './faults.ts';
import { Session } from './session.ts';
import { type Method, type WireAnswer, WireFailure, type WireRequest, exchange } from './wire.ts';

/** What is said about calls; pino's loggers fit. Never a token, a password or a body. */
export interface EngineLogger {
  debug(facts: Readonly<Record<string, unknown>>, message: string): void;
  warn(facts: Readonly<Record<string, unknown>>, message: string): void;
}

export interface EngineOptions {
  /** `https://engine.example`, also with `/ovirt-engine` or `/ovirt-engine/api` behind it, as the SDKs want it. */
  readonly baseUrl: string;
  /** PEM file of the authority that signed the engine's certificate. Read again after a certificate was refused. */
  readonly caFile: string;
  readonly user: string;
  readonly password: () => Promise<string> | string;
  /** Stored by the engine in the events and jobs of each call: how an operation finds its own. */
  readonly correlationId?: string;
  /** Of one call, connection included. Default 60,000: the engine's own calls to a host may take that long. */
  readonly timeoutMs?: number;
  readonly logger?: EngineLogger;
  /** Is told of each call at its end. */
  readonly observe?: CallObserver;
}

export interface Call {
  readonly method: Method;
  /** Below `/ovirt-engine/api`, each segment encoded: see `pathOf`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  readonly subject: string;
  readonly act: string;
  /** Of the operation on whose behalf the call is made. */
  readonly correlationId?: string | undefined;
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export const DEFAULT_TIMEOUT_MS = 60_000;
const LOGOUT_TIMEOUT_MS = 5_000;
/** Per agent; more would only queue up in the engine, which has other users too. */
const SOCKETS_MAX = 8;

/**
 * What the engine makes of a correlation id (engine.md 2): other characters dropped, cut to 36. Put what tells two
 * operations apart (the ticket) first. Undefined when nothing is left; the engine then draws one itself.
 */
export function correlationIdOf(text: string | undefined): string | undefined {
  const kept = (text ?? '').replace(/[^0-9A-Za-z_-]/g, '').slice(0, 36);
  return kept === '' ? undefined : kept;
}

/** A path of encoded segments: an id from outside can't leave its place. */
export function pathOf(...segments: readonly string[]): string {
  return segments.map((segment) => `/${encodeURIComponent(segment)}`).join('');
}

function badOption(subject: string, why: string, remedy: string, type: string, cause?: unknown): EngineError {
  const what = 'the engine can not be called';
  return new EngineError({ type, kind: 'needs-operator', subject, what, why, remedy }, { cause });
}

function originOf(baseUrl: string): string {
  const url = URL.canParse(baseUrl) ? new URL(baseUrl) : undefined;
  const known = /^\/(ovirt-engine(\/api(\/v4)?)?)?\/?$/.test(url?.pathname ?? '');
  if (url?.protocol !== 'https:' || !known || url.username !== '' || url.search !== '') {
    const remedy = 'Give it as https://engine.example or https://engine.example/ovirt-engine/api';
    throw badOption('engine address', 'it is no HTTPS address of an oVirt engine', remedy, 'engine/bad-address');
  }
  return url.origin;
}

/** `POST vms/start`: ids are left out, so that there are few different ones. */
function kindOf({ method, path }: Pick<Call, 'method' | 'path'>): string {
  const words = path.split('/').filter((part) => /^[a-z]{2,30}$/.test(part));
  return `${method} ${words.length === 0 ? '/' : words.join('/')}`;
}

const errorType = (error: unknown) => (error instanceof EngineError ? error.facts.type : 'stopped');

interface Agents {
  readonly reads: Agent;
  readonly changes: Agent;
}

export class EngineTransport {
  readonly origin: string;
  readonly #options: EngineOptions;
  readonly #session: Session;
  #agents: Agents | undefined;

  /** @throws EngineError `engine/bad-address`. Nothing is opened or read yet. */
  constructor(options: EngineOptions) {
    this.origin = originOf(options.baseUrl);
    this.#options = options;
    this.#session = new Session({
      user: options.user,
      password: options.password,
      engine: this.origin,
      post: (path, form, signal) => this.#postForm(path, form, signal),
    });
  }

  /**
   * One call with the token, repeated once with a new token after a 401. Returns the parsed body; undefined if empty.
   * @throws EngineError typed by `refusals.ts` and `errors.ts`; `outcomeUnknown` when a change may have happened.
   */
  call(call: Call): Promise<unknown> {
    const correlationId = correlationIdOf(call.correlationId);
    const facts = { counterpart: 'engine', subject: this.origin, call: kindOf(call) } as const;
    return observed(
      this.#options.observe,
      { ...facts, ...(correlationId === undefined ? {} : { correlationId }) },
      errorType,
      () => this.#call(call),
    );
  }

  async #call(call: Call): Promise<unknown> {
    const context: CallContext = {
      subject: call.subject,
      act: call.act,
      changes: call.method !== 'GET',
      engine: this.origin,
    };
    const token = await this.#session.token(call.signal);
    let answer = await this.#send(call, context, token);
    if (answer.status === 401) {
      // Sessions end after 30 idle minutes or when the engine restarts. A 401 had no effect: repeating is safe.
      this.#session.invalidate(token);
      const fresh = await this.#session.token(call.signal);
      answer = await this.#send(call, context, fresh);
    }
    return this.#read(context, answer);
  }

  /** A page beside the API, without a token, whatever its status. @throws EngineError when no answer came. */
  async page(path: string, call: Pick<Call, 'subject' | 'act' | 'signal' | 'timeoutMs'>): Promise<WireAnswer> {
    const { subject, act, signal, timeoutMs } = call;
    const url = new URL(path, this.origin);
    return this.#typed({ subject, act, changes: false, engine: this.origin }, () =>
      this.#exchange({ url, method: 'GET', headers: { Accept: '*/*' }, signal, timeoutMs }),
    );
  }

  /** Logs out (best effort) and closes the idle connections. */
  async close(): Promise<void> {
    try {
      await this.#session.logout();
    } catch (error) {
      // The engine drops the session by itself after 30 minutes.
      this.#options.logger?.debug({ engine: this.origin, error: String(error) }, 'engine logout failed');
    }
    this.#agents?.reads.destroy();
    this.#agents?.changes.destroy();
    this.#agents = undefined;
  }

  async #send(call: Call, context: CallContext, token: string): Promise<WireAnswer> {
    const url = new URL(`/ovirt-engine/api${call.path}`, this.origin);
    for (const [key, value] of Object.entries(call.query ?? {})) {
      if (value !== undefined) url.searchParams.set(key, String(value));
    }
    const correlationId = correlationIdOf(call.correlationId);
    const headers: Record<string, string> = {
      Accept: 'application/json',
      Authorization: `Bearer ${token}`,
      Version: '4',
      ...(correlationId === undefined ? {} : { 'Correlation-Id': correlationId }),
    };
    const body = call.body === undefined ? undefined : JSON.stringify(call.body);
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    const startedMs = performance.now();
    const { method, timeoutMs, signal } = call;
    const answer = await this.#typed(context, () => this.#exchange({ url, method, headers, body, timeoutMs, signal }));
    const ms = Math.round(performance.now() - startedMs);
    this.#options.logger?.debug({ method, path: call.path, status: answer.status, ms, correlationId }, 'engine call');
    return answer;
  }

  #read(context: CallContext, answer: WireAnswer): unknown {
    const { status, headers, body } = answer;
    if (status < 200 || status > 299) {
      const fault = readFault(headers['content-type'], body);
      throw answerError(context, { status, fault, retryAfter: headers['retry-after'] });
    }
    if (body.length === 0) return undefined;
    const json = jsonOrUndefined(body);
    if (json === undefined) throw unreadableAnswer(context, `no JSON, but ${headers['content-type'] ?? 'no type'}`);
    const failed = failedAction(json);
    if (failed !== undefined) throw answerError(context, { status: 409, fault: failed });
    return json;
  }

  #postForm(path: string, form: URLSearchParams, signal?: AbortSignal): Promise<WireAnswer> {
    return this.#exchange({
      url: new URL(path, this.origin),
      method: 'POST',
      // The servlet compares Accept for exact equality (engine.md 1.1).
      headers: { Accept: 'application/json', 'Content-Type': 'application/x-www-form-urlencoded' },
      body: form.toString(),
      timeoutMs: path.endsWith('sso-logout') ? LOGOUT_TIMEOUT_MS : undefined,
      signal,
    });
  }

  async #exchange(
    wire: Omit<WireRequest, 'agent' | 'timeoutMs'> & { timeoutMs?: number | undefined },
  ): Promise<WireAnswer> {
    const agents = this.#openAgents();
    const timeoutMs = wire.timeoutMs ?? this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const headers: Record<string, string> = { ...wire.headers, 'User-Agent': 'bellwether' };
    if (wire.body !== undefined) headers['Content-Length'] = String(Buffer.byteLength(wire.body));
    else if (wire.method !== 'GET') headers['Content-Length'] = '0';
    const agent = wire.method === 'GET' ? agents.reads : agents.changes;
    try {
      return await exchange({ ...wire, headers, timeoutMs, agent });
    } catch (error) {
      if (!(error instanceof WireFailure)) throw error;
      // Only forgotten, not closed: calls of others under way on them go on.
      if (isCertificateFailure(error)) this.#agents = undefined;
      // A kept connection that the server closed meanwhile says nothing about the engine; only reads have such.
      if (!error.facts.reused || error.facts.code === 'TIMEOUT') throw error;
      return exchange({ ...wire, headers, timeoutMs, agent: agents.changes });
    }
  }

  async #typed(context: CallContext, work: () => Promise<WireAnswer>): Promise<WireAnswer> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof WireFailure)) throw error;
      const typed = wireError(context, error);
      this.#options.logger?.warn({ ...typed.facts, engine: this.origin }, 'engine call without an answer');
      throw typed;
    }
  }

  #openAgents(): Agents {
    if (this.#agents !== undefined) return this.#agents;
    const { caFile } = this.#options;
    let ca: string;
    try {
      ca = readFileSync(caFile, 'utf8');
    } catch (error) {
      const remedy = `Fetch it from ${this.origin}/ovirt-engine/services/pki-resource?resource=ca-certificate&format=X509-PEM-CA`;
      throw badOption(`CA file ${caFile}`, String(error), remedy, 'engine/ca-file', error);
    }
    this.#agents = {
      reads: new Agent({ ca, keepAlive: true, maxSockets: SOCKETS_MAX }),
      changes: new Agent({ ca, keepAlive: false, maxSockets: SOCKETS_MAX }),
    };
    return this.#agents;
  }
}
