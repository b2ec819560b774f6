/** The REST API: from a request to an answer (engine.md 2, 3). */
import { randomUUID } from 'node:crypto';

import type { Body } from '../codec/body.ts';
import { toJson } from '../codec/json-out.ts';
import { readJson, readXml, UnreadableBody } from '../codec/read.ts';
import type { Node } from '../codec/tree.ts';
import { toXml } from '../codec/xml-out.ts';
import type { Context } from '../context.ts';
import type { Answer } from './answer.ts';
import { answer } from './answer.ts';
import type { Call, PlainReply, Reply, Route } from './call.ts';
import { EngineFault } from './engine-fault.ts';
import { follow } from './follow.ts';
import type { Incoming } from './incoming.ts';
import type { Parameters } from './parameters.ts';
import { parseTarget } from './parameters.ts';
import type { Router } from './router.ts';
import type { Sessions } from './sessions.ts';

export const API = '/ovirt-engine/api';
const POLL_MS = 500;

interface Format {
  readonly json: boolean;
  readonly prefix: string;
}

export interface ApiRequest {
  readonly segments: readonly string[];
  readonly parameters: Parameters;
  readonly version: string;
  readonly prefix: string;
}

/** Takes the API path and its version apart; `undefined` when the target is not below the API. */
export function apiRequest(incoming: Incoming): ApiRequest | undefined {
  const parsed = parseTarget(incoming.target);
  if (parsed === undefined || parsed.segments[0] !== 'ovirt-engine' || parsed.segments[1] !== 'api') return undefined;
  const rest = parsed.segments.slice(2);
  const inPath = /^v(\d+)$/.exec(rest[0] ?? '')?.[1];
  return {
    segments: inPath === undefined ? rest : rest.slice(1),
    parameters: parsed.parameters,
    version: inPath ?? incoming.header('version') ?? '4',
    prefix: inPath === undefined ? API : `${API}/v${inPath}`,
  };
}

export class RestApi {
  readonly #context: Context;
  readonly #router: Router;
  readonly #sessions: Sessions;

  constructor(context: Context, router: Router, sessions: Sessions) {
    this.#context = context;
    this.#router = router;
    this.#sessions = sessions;
  }

  async answer(incoming: Incoming, request: ApiRequest): Promise<Answer> {
    const correlationId = correlation(incoming, request.parameters);
    const headers: Record<string, string> = { 'correlation-id': correlationId };
    const grant = this.#admit(incoming);
    if (!grant.ok) return answer(401, '', '', { ...headers, 'www-authenticate': 'Basic realm="RESTAPI"' });
    if (grant.cookie !== undefined) headers['set-cookie'] = `JSESSIONID=${grant.cookie}; path=${API}; secure; HttpOnly`;
    const format: Format = { json: wantsJson(incoming, request.parameters), prefix: request.prefix };
    const reply = await this.#reply(incoming, request, correlationId);
    if ('answer' in reply) return { ...reply.answer, headers: { ...reply.answer.headers, ...headers } };
    if (reply.node === undefined) return answer(reply.status, '', '', headers);
    const location =
      reply.location === undefined ? {} : { location: absolute(incoming, reply.location, request.prefix) };
    return encode(reply.status, reply.root, reply.node, format, { ...headers, ...location });
  }

  #admit(incoming: Incoming) {
    return this.#sessions.admit({
      authorization: incoming.header('authorization'),
      cookie: /(?:^|;\s*)JSESSIONID=([^;]+)/.exec(incoming.header('cookie') ?? '')?.[1],
      prefer: incoming.header('prefer') ?? '',
      sessionTtl: incoming.header('session-ttl'),
      csrfToken: incoming.header('jsessionid'),
    });
  }

  async #reply(
    incoming: Incoming,
    request: ApiRequest,
    correlationId: string,
  ): Promise<{ status: number; root: string; node?: Node; location?: string } | { answer: Answer }> {
    let route: Route | undefined;
    try {
      if (request.version !== '4')
        throw new EngineFault(400, 'Operation Failed', `[Version ${request.version} of the API is not supported]`);
      const method = incoming.method === 'HEAD' ? 'GET' : incoming.method;
      const found = this.#router.find(method, request.segments);
      route = found.route;
      const injected = this.#context.faults.error(method, `/${request.segments.join('/')}`);
      if (injected !== undefined) throw new EngineFault(injected.status, injected.reason, injected.detail);
      const call = this.#call(incoming, request, correlationId, found.path, bodyOf(incoming, found.route));
      const reply = await found.route.handler(call);
      if ('plain' in reply) return { answer: answer(reply.status, 'text/plain;charset=UTF-8', reply.plain) };
      return await this.#finish(incoming, call, reply);
    } catch (error) {
      if (error instanceof UnreadableBody) return { status: 400, root: 'usage_message', node: usage(error) };
      if (error instanceof EngineFault) return faultReply(error, route?.action === true);
      this.#context.log(
        `${incoming.method} ${incoming.target}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`,
      );
      return faultReply(new EngineFault(500, 'Operation Failed', '[Internal Engine Error]'), route?.action === true);
    }
  }

  #call(incoming: Incoming, request: ApiRequest, correlationId: string, path: Call['path'], body: Body): Call {
    const { parameters } = request;
    for (const name of ['filter', 'All-Content']) {
      const value = incoming.header(name);
      if (value !== undefined && parameters.text(name) === undefined) parameters.set(name, value);
    }
    return {
      context: this.#context,
      parameters,
      body,
      path,
      cause: { correlationId, userId: this.#context.state.user.id },
      allContent: parameters.flag('all_content') ?? false,
    };
  }

  /** Waiting for tasks and following links, both on request. */
  async #finish(incoming: Incoming, call: Call, reply: Reply): Promise<Reply> {
    const expect = `${incoming.header('expect') ?? ''} ${incoming.header('x-ovirt-expect') ?? ''}`;
    if (reply.pending !== undefined && expect.includes('201-created')) {
      while (reply.pending() && !this.#context.ending) await this.#context.sleep(POLL_MS);
      const href = reply.node['href'];
      const fresh = typeof href === 'string' ? await this.#get(href, call) : undefined;
      return { ...reply, status: 201, node: fresh?.node ?? reply.node };
    }
    const paths = call.parameters.text('follow');
    if (paths === undefined || paths === '' || incoming.method !== 'GET') return reply;
    const isList = Object.values(reply.node).every((value) => Array.isArray(value));
    return { ...reply, node: await follow(reply.node, isList, paths, async (href) => await this.#get(href, call)) };
  }

  async #get(href: string, call: Call): Promise<Reply | undefined> {
    const target = parseTarget(href);
    if (target === undefined) return undefined;
    try {
      const found = this.#router.find('GET', target.segments);
      const reply: Reply | PlainReply = await found.route.handler({
        ...call,
        parameters: target.parameters,
        path: found.path,
      });
      return 'plain' in reply ? undefined : reply;
    } catch (error) {
      if (error instanceof EngineFault) return undefined;
      throw error;
    }
  }
}

/** Kept characters only, cut to 36; empty: a new UUID (engine.md 2). */
function correlation(incoming: Incoming, parameters: Parameters): string {
  const given = incoming.header('correlation-id') ?? parameters.text('correlation_id') ?? '';
  return given.replaceAll(/[^\w-]/g, '').slice(0, 36) || randomUUID();
}

function wantsJson(incoming: Incoming, parameters: Parameters): boolean {
  const accept = (parameters.text('accept') ?? incoming.header('accept') ?? '').toLowerCase();
  const [json, xml] = [accept.indexOf('json'), accept.indexOf('xml')];
  return json >= 0 && (xml < 0 || json < xml);
}

/** A POST or PUT needs a body, at least `<action/>`, of a type the engine reads. */
function bodyOf(incoming: Incoming, route: Route): Body {
  if (route.method === 'GET') return {};
  const type = (incoming.header('content-type') ?? '').toLowerCase();
  if (incoming.body.trim() === '') {
    if (route.method === 'DELETE') return {};
    throw new UnreadableBody('the request has no body');
  }
  if (type.includes('json')) return readJson(incoming.body);
  if (type.includes('xml') || (type === '' && incoming.body.trimStart().startsWith('<'))) {
    const { root, body } = readXml(incoming.body);
    if (route.action === true && root !== 'action') throw new UnreadableBody(`an action is needed, not ${root}`);
    return body;
  }
  throw new EngineFault(415, 'Unsupported Media Type', `[${type || 'no content type'} is not supported]`);
}

function usage(error: UnreadableBody): Node {
  return {
    message: `Request syntactically incorrect: ${error.message}`,
    detailed_link: { href: `${API}/model` },
  };
}

/** Faults of actions come inside the action (engine.md 3). */
function faultReply(fault: EngineFault, action: boolean): { status: number; root: string; node?: Node } {
  if (fault.empty) return { status: fault.status, root: '' };
  const node = { detail: fault.detail, reason: fault.reason };
  if (action) return { status: fault.status, root: 'action', node: { status: 'failed', fault: node } };
  return { status: fault.status, root: 'fault', node };
}

function absolute(incoming: Incoming, location: string, prefix: string): string {
  return `https://${incoming.header('host') ?? 'localhost'}${prefix}${location}`;
}

function encode(status: number, root: string, node: Node, format: Format, headers: Record<string, string>): Answer {
  if (format.json) return answer(status, 'application/json', toJson(node, format.prefix), headers);
  return answer(status, 'application/xml;charset=UTF-8', toXml(root, node, format.prefix), headers);
}
