/**
 * Auditing around the routes, which know nothing of it: a middleware that writes down how each call ended, and ports
 * that write down who asks before anything reaches Temporal. What can't be written down is not done.
 *
 * Signed webhooks count once they ask for something; those that start nothing are in the delivery log.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import { readJson } from '../body.ts';
import { answeredProblem, refuse, type AppContext, type AppEnv } from '../context.ts';
import type { AppPorts } from '../ports.ts';
import { createBucket } from '../webhooks/bucket.ts';
import { fromOf, type Trusted } from './from.ts';
import { sha256, type AuditFields } from './line.ts';
import { AuditUnavailable, type AuditOptions } from './trail.ts';

/** What a port learned of the call that is under way. */
interface Call {
  readonly c: AppContext;
  readonly time: string;
  asked: boolean;
  known: { by?: string; action?: string; subject?: string; reason?: string };
}

export interface Audit {
  readonly middleware: MiddlewareHandler<AppEnv>;
  /** The same ports; those that change something are written down first. */
  around(ports: AppPorts): AppPorts;
}

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);
const REFUSED_PER_MINUTE = 60;
const STRANGERS = new Set(['unauthorized', 'foreign-host', 'not-found', 'secret-unavailable']);

function cut(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, 500) : undefined;
}

function said(c: AppContext): { by?: string; reason?: string } {
  const body = c.get('body');
  const read = body === undefined ? undefined : readJson(body);
  const json: unknown = read?.ok === true ? read.value : undefined;
  const field = (name: string) =>
    typeof json === 'object' && json !== null ? cut(Reflect.get(json, name)) : undefined;
  const by = field('by') ?? cut(c.req.header('x-requested-by'));
  const reason = field('reason');
  return { ...(by === undefined ? {} : { by }), ...(reason === undefined ? {} : { reason }) };
}

function whoOf(c: AppContext, by: string | undefined): AuditFields['who'] {
  const { tokenName, session, source, delivery, problem } = c.get('logged');
  const name = by === undefined ? {} : { by };
  if (typeof tokenName === 'string') return { ...name, authenticated: 'token', as: tokenName };
  if (typeof session === 'string') return { ...name, authenticated: 'session', as: session };
  if (typeof source === 'string') {
    return { ...name, authenticated: delivery === undefined ? 'no' : 'webhook', as: source };
  }
  const stranger = typeof problem === 'string' && STRANGERS.has(problem);
  return { ...name, authenticated: stranger ? 'no' : 'loopback' };
}

function fieldsOf({ c, time, known }: Call, trusted: Trusted | undefined): AuditFields {
  const { by, reason } = { ...said(c), ...known };
  const { action, subject } = known;
  const body = c.get('body');
  return {
    time,
    instance: c.get('instance'),
    who: whoOf(c, by),
    from: fromOf(c.env, c.req.header('x-forwarded-for'), trusted),
    what: {
      method: c.req.method,
      route: routePath(c, -1),
      path: c.req.path.slice(0, 500),
      ...(action === undefined ? {} : { action }),
      ...(subject === undefined ? {} : { subject }),
      ...(reason === undefined ? {} : { reason }),
      // A signing-in is all secret: not even its digest is kept.
      ...(body === undefined || c.req.path.endsWith('/sign-in') ? {} : { digest: sha256(body) }),
    },
  };
}

export function createAudit(options: AuditOptions, ports: Pick<AppPorts, 'clock' | 'logger'>): Audit {
  const { trail, required, trusted } = options;
  const calls = new AsyncLocalStorage<Call>();
  // Whoever holds no token could fill the disk with lines.
  const strangers = createBucket(REFUSED_PER_MINUTE, ports.clock);

  async function asks(known: Call['known']): Promise<void> {
    const call = calls.getStore();
    if (call === undefined) return;
    Object.assign(call.known, known);
    try {
      await trail.append('asked', fieldsOf(call, trusted));
      call.asked = true;
    } catch (error) {
      if (required) throw new AuditUnavailable(error instanceof Error ? error.message : String(error));
    }
  }

  /** Whether the call belongs into the trail at its end. */
  function counts({ c, asked }: Call): boolean {
    if (asked) return true;
    if (READS.has(c.req.method) || c.req.path.startsWith('/webhooks/')) return false;
    const { authenticated } = whoOf(c, undefined);
    return authenticated !== 'no' || strangers.take() === undefined;
  }

  async function answered(call: Call): Promise<void> {
    const { c } = call;
    if (!counts(call)) return;
    const problem = await answeredProblem(c);
    const { operation, window } = c.get('logged');
    const subject = call.known.subject ?? operation ?? window;
    if (typeof subject === 'string') call.known.subject = subject;
    const result = { status: c.res.status, ...(problem === undefined ? {} : { problem }) };
    try {
      c.get('logged').audit = await trail.append('answered', { ...fieldsOf(call, trusted), result });
    } catch (error) {
      ports.logger.error({ instance: c.get('instance'), error: String(error) }, 'the answer is not in the audit trail');
      // Nothing about it is on disk, and it is no refusal.
      if (!call.asked && required && c.res.status < 400) {
        c.res = undefined;
        c.res = refuse(c, 'audit-unavailable', String(error));
      }
    }
  }

  return {
    async middleware(c, next) {
      const call: Call = { c, time: ports.clock().toISOString(), asked: false, known: {} };
      await calls.run(call, next);
      await answered(call);
    },
    around: (all) => around(all, asks),
  };
}

function around(ports: AppPorts, asks: (known: Call['known']) => Promise<void>): AppPorts {
  const { starter, desk, windows } = ports;
  const window = (action: string, cluster: string, name: string, note?: string) =>
    asks({ action, subject: `window/${cluster}/${name}`, ...(note === undefined ? {} : { reason: note }) });
  return {
    ...ports,
    starter: {
      async start(order) {
        const { requestedBy: by, reason } = order.input.request;
        await asks({ action: 'start', subject: order.id, by, ...(reason === undefined ? {} : { reason }) });
        return starter.start(order);
      },
    },
    desk: {
      async act(id, action, command, updateId) {
        const { by, reason } = command;
        await asks({ action, subject: id, by, ...(reason === undefined ? {} : { reason }) });
        return desk.act(id, action, command, updateId);
      },
    },
    windows: {
      ...windows,
      async create(input) {
        await window('create', input.definition.cluster, input.definition.name);
        return windows.create(input);
      },
      async pause(cluster, name, note) {
        await window('pause', cluster, name, note);
        return windows.pause(cluster, name, note);
      },
      async resume(cluster, name, note) {
        await window('resume', cluster, name, note);
        return windows.resume(cluster, name, note);
      },
      async remove(cluster, name) {
        await window('delete', cluster, name);
        return windows.remove(cluster, name);
      },
      async runNow(cluster, name) {
        await window('run-now', cluster, name);
        return windows.runNow(cluster, name);
      },
    },
  };
}
