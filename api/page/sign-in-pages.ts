/** Signing in with a token, and out. Tries are bounded for each address. */
import type { Hono } from 'hono';
import { refuse, type AppContext, type AppEnv } from '../context.ts';
import { createBucket, type Bucket } from '../webhooks/bucket.ts';
import { remoteOf } from '../webhooks/remote.ts';
import { formOf } from './forms.ts';
import type { Desk } from './desk.ts';
import { localTarget } from './session.ts';
import { layout } from './views/layout.ts';
import { signInForm } from './views/sign-in.ts';

const TRIES_PER_MINUTE = 10;
/** All addresses together: many of them must not fill the memory. */
const ALL_PER_MINUTE = 120;

function createTries(clock: () => Date): (remote: string) => number | undefined {
  const all = createBucket(ALL_PER_MINUTE, clock);
  const each = new Map<string, Bucket>();
  return (remote) => {
    const waitS = all.take();
    if (waitS !== undefined) return waitS;
    const bucket = each.get(remote) ?? createBucket(TRIES_PER_MINUTE, clock);
    // The latest last: the oldest go first.
    each.delete(remote);
    each.set(remote, bucket);
    const [oldest] = each.keys();
    if (each.size > ALL_PER_MINUTE && oldest !== undefined) each.delete(oldest);
    return bucket.take();
  };
}

export function signInPages(app: Hono<AppEnv>, { ports, sessions }: Pick<Desk, 'ports' | 'sessions'>): void {
  const tries = createTries(ports.clock);
  async function page(c: AppContext, to: string, wrong?: string): Promise<Response> {
    const around = { title: 'Sign in', now: ports.clock(), clusters: [] };
    const form = signInForm(await sessions.stranger(c), to, wrong);
    return c.html(layout(around, '/ui/sign-in', form), wrong === undefined ? 200 : 401);
  }
  app.get('/ui/sign-in', async (c): Promise<Response> =>
    sessions.open ? c.redirect('/ui/', 303) : page(c, localTarget(c.req.query('to'))),
  );
  app.post('/ui/sign-in', async (c) => {
    const form = await formOf(c, await sessions.stranger(c), true);
    if (!form.ok) return form.response;
    const waitS = tries(remoteOf(c.env) ?? 'unknown');
    if (waitS !== undefined) return refuse(c, 'too-many-tries', `try again in ${waitS} s`);
    const to = localTarget(form.value['to']);
    const holder = await sessions.signIn(c, (form.value['token'] ?? '').trim());
    if (holder !== undefined) return c.redirect(to, 303);
    c.get('logged').problem = 'unauthorized';
    return page(c, to, 'This token is not in the front door’s token file.');
  });
  app.post('/ui/sign-out', async (c) => {
    const visitor = await sessions.visitorOf(c);
    if (visitor instanceof Response) return visitor;
    const form = await formOf(c, visitor.formToken);
    if (!form.ok) return form.response;
    sessions.signOut(c);
    return c.redirect('/ui/sign-in', 303);
  });
}
