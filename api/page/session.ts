/**
 * Who looks at the page: a session cookie or a bearer token; without a token file whoever is on this machine. A session
 * only says which line of the token file it was opened with: name and role are read from there for each request, so that
 * a token taken out of the file ends its sessions at once.
 */
import { isLoopback } from '../auth.ts';
import { refuse, type AppContext } from '../context.ts';
import type { AppPorts } from '../ports.ts';
import { fingerprint, holderName, holderOf, readHolder, type Holder, type Role } from '../tokens.ts';
import { createCookies, SESSION_S } from './cookie.ts';

export interface Visitor {
  /** Undefined: not known, so a form that changes something asks for it. */
  readonly name?: string;
  readonly role: Role;
  /** `bearer`: sent on purpose with each request, so no form token is needed. */
  readonly via: 'cookie' | 'bearer' | 'loopback';
  /** Proves that a form was made for this visitor; '' for `bearer`. */
  readonly formToken: string;
  readonly expiresAtMs: number;
}

export interface Sessions {
  /** Who it is, or the refusal (for a browser: the way to the sign-in page). */
  visitorOf(c: AppContext): Promise<Visitor | Response>;
  /** For the sign-in page: a form token for somebody who is not known yet. */
  stranger(c: AppContext): Promise<string>;
  /** Opens the session of the token's holder; undefined when nobody has this token. */
  signIn(c: AppContext, token: string): Promise<Holder | undefined>;
  signOut(c: AppContext): void;
  /** True when there is nothing to sign in to. */
  readonly open: boolean;
}

export function createSessions(ports: AppPorts): Sessions {
  const { apiTokenFile, readSecrets, clock } = ports;
  const { read, write, formToken, clear } = createCookies(ports);

  const tokenLines = (file: string) =>
    readSecrets(file).catch((error: unknown) => {
      ports.logger.error({ file, error: String(error) }, 'API token file can’t be read');
      return [];
    });

  async function bearer(c: AppContext, lines: readonly string[]): Promise<Visitor | undefined> {
    const given = /^Bearer +([\x21-\x7e]+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
    const holder = given === undefined ? undefined : holderOf(lines, given);
    if (holder === undefined) return undefined;
    c.get('logged').tokenName = holderName(holder);
    return visitor(holder, 'bearer', '', clock().getTime() + SESSION_S * 1000);
  }

  async function signedIn(c: AppContext, lines: readonly string[]): Promise<Visitor | undefined> {
    const session = await read(c);
    const holder = lines.map(readHolder).find(({ token }) => fingerprint(token) === session?.holder);
    if (session === undefined || holder === undefined) return undefined;
    c.get('logged').session = holderName(holder);
    return visitor(holder, 'cookie', await formToken(session), session.until);
  }

  return {
    open: apiTokenFile === undefined,
    async visitorOf(c) {
      if (apiTokenFile === undefined) {
        const host = new URL(c.req.url).hostname;
        if (!isLoopback(host)) return refuse(c, 'foreign-host', `this request was sent to ${host}`);
        const session = (await read(c)) ?? (await write(c));
        return { role: 'operator', via: 'loopback', formToken: await formToken(session), expiresAtMs: session.until };
      }
      const lines = await tokenLines(apiTokenFile);
      if (lines.length === 0) return refuse(c, 'secret-unavailable', 'the API token can’t be read');
      const known = c.req.header('authorization') === undefined ? await signedIn(c, lines) : await bearer(c, lines);
      return known ?? stranger(c);
    },
    async stranger(c) {
      return formToken((await read(c)) ?? (await write(c)));
    },
    async signIn(c, token) {
      const holder = holderOf(apiTokenFile === undefined ? [] : await tokenLines(apiTokenFile), token);
      if (holder !== undefined) await write(c, fingerprint(holder.token));
      return holder;
    },
    signOut: clear,
  };
}

function visitor({ name, role }: Holder, via: Visitor['via'], formToken: string, expiresAtMs: number): Visitor {
  return { role, via, formToken, expiresAtMs, ...(name === undefined ? {} : { name }) };
}

/** A person is led to the sign-in page and back again; a program is told. */
function stranger(c: AppContext): Response {
  const { pathname, search } = new URL(c.req.url);
  const reads = c.req.method === 'GET' && wantsHtml(c);
  if (!reads) return refuse(c, 'unauthorized', 'nobody is signed in');
  return c.redirect(`/ui/sign-in?to=${encodeURIComponent(pathname + search)}`, 303);
}

export function wantsHtml(c: AppContext): boolean {
  return c.req.header('accept')?.includes('text/html') === true;
}

/** Where to go after the sign-in: a page of ours only. */
export function localTarget(to: string | undefined): string {
  if (to === undefined || !URL.canParse(to, 'http://here')) return '/ui/';
  const { origin, pathname, search } = new URL(to, 'http://here');
  return origin === 'http://here' && pathname.startsWith('/ui/') ? pathname + search : '/ui/';
}
