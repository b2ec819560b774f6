import type { Body } from '../codec/body.ts';
import { text } from '../codec/body.ts';
import type { Node } from '../codec/tree.ts';
import type { Cause, Context } from '../context.ts';
import { BadSearch, parseSearch } from '../search/parse.ts';
import type { SearchRecord } from '../search/match.ts';
import { search } from '../search/match.ts';
import { EngineFault, notFound } from './engine-fault.ts';
import type { Parameters } from './parameters.ts';

/** One request below the API root, after authentication. */
export interface Call {
  readonly context: Context;
  readonly parameters: Parameters;
  readonly body: Body;
  readonly cause: Cause;
  /** `all_content` by query, matrix or header. */
  readonly allContent: boolean;
  /** Values of the path's variables. */
  readonly path: Readonly<Record<string, string>>;
}

export interface Reply {
  readonly status: number;
  readonly root: string;
  readonly node: Node;
  readonly location?: string;
  /** True while tasks of a create run: `X-Ovirt-Expect: 201-created` waits for it. */
  readonly pending?: () => boolean;
}

/** An answer without the engine's document types. */
export interface PlainReply {
  readonly status: number;
  readonly plain: string;
}

export type Handler = (call: Call) => Reply | PlainReply | Promise<Reply | PlainReply>;

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** `hosts/:id/install`; `:x` takes UUIDs only, `*x` any text. */
  readonly path: string;
  /** Actions wrap their faults in `<action>`. */
  readonly action?: true;
  readonly handler: Handler;
}

/** A variable of the path; the router has filled it. */
export function variable(call: Call, name: string): string {
  const value = call.path[name];
  if (value === undefined) throw new TypeError(`the route has no variable ${name}`);
  return value;
}

/** The object with the id on the path, or 404 with an empty body. */
export function byId<T extends { readonly id: string }>(list: readonly T[], id: string): T {
  const found = list.find((one) => one.id === id);
  if (found === undefined) throw notFound();
  return found;
}

export function entity(root: string, node: Node): Reply {
  return { status: 200, root, node };
}

export function created(root: string, node: Node, pending?: () => boolean): Reply {
  const location = typeof node['href'] === 'string' ? node['href'] : undefined;
  return { status: 201, root, node, ...(location !== undefined && { location }), ...(pending && { pending }) };
}

export function list(root: string, item: string, nodes: readonly Node[]): Reply {
  return { status: 200, root, node: { [item]: nodes } };
}

/** Parameters a client must not get back. */
const SECRET = new Set(['root_password', 'ssh', 'power_management', 'ticket']);

/** An action's answer: what was sent, the job if there is one, and the status (engine.md 4). */
export function actionReply(call: Call, jobId?: string, status = 200): Reply {
  const echo = Object.fromEntries(Object.entries(call.body).filter(([name]) => !SECRET.has(name)));
  return {
    status,
    root: 'action',
    node: {
      ...echo,
      ...(jobId !== undefined && { job: { id: jobId, href: `/jobs/${jobId}` } }),
      status: status === 202 ? 'in_progress' : 'complete',
    },
  };
}

/** Answer of a delete: 200 with an action. */
export function deleted(jobId?: string): Reply {
  const job = jobId === undefined ? {} : { job: { id: jobId, href: `/jobs/${jobId}` } };
  return { status: 200, root: 'action', node: { ...job, status: 'complete' } };
}

/** True when the client asked for an answer before the work is done. */
export function wantsAsync(call: Call): boolean {
  return /^(?:true|1)$/i.test(text(call.body, 'async') ?? '') || call.parameters.flag('async') === true;
}

/** What a collection is made of. */
export interface Collection<T> {
  readonly root: string;
  readonly item: string;
  readonly all: readonly T[];
  readonly fields: (one: T) => SearchRecord;
  readonly view: (one: T) => Node;
  readonly newestFirst?: string;
}

/** Answers a list with `search`, `case_sensitive` and `max` applied. A bad expression is 400. */
export function listing<T>(call: Call, collection: Collection<T>): Reply {
  const max = call.parameters.int('max');
  try {
    const found = search(collection.all, collection.fields, parseSearch(call.parameters.text('search') ?? ''), {
      caseSensitive: call.parameters.flag('case_sensitive') ?? false,
      ...(max !== undefined && { max }),
      ...(collection.newestFirst !== undefined && { sortBy: { field: collection.newestFirst, descending: true } }),
    });
    return list(collection.root, collection.item, found.map(collection.view));
  } catch (error) {
    if (error instanceof BadSearch)
      throw new EngineFault(400, 'Operation Failed', `[Bad search expression: ${error.message}]`);
    throw error;
  }
}
