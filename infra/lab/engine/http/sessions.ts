/** Who may use the API: tokens, basic authentication, cookies (engine.md 1). */
import { randomBytes } from 'node:crypto';

/** A session dies after this many minutes without a request (`UserSessionTimeOutInterval`). */
const IDLE_MINUTES = 30;

interface Session {
  lastUsed: number;
  readonly idleMs: number;
  readonly csrf: boolean;
}

export interface Credentials {
  /** `user@profile`; the profile is what follows the last `@`. */
  readonly user: string;
  readonly password: string;
}

/** What a request says about its sender. */
export interface Claim {
  readonly authorization: string | undefined;
  readonly cookie: string | undefined;
  readonly prefer: string;
  readonly sessionTtl: string | undefined;
  readonly csrfToken: string | undefined;
}

export interface Grant {
  readonly ok: boolean;
  /** Cookie to set: a persistent session was opened. */
  readonly cookie?: string;
}

/** Sessions live in the engine's memory: a restart ends them all. */
export class Sessions {
  readonly #credentials: Credentials;
  readonly #now: () => number;
  readonly #tokens = new Map<string, Session>();
  readonly #cookies = new Map<string, Session>();

  /** @param now lab milliseconds */
  constructor(credentials: Credentials, now: () => number) {
    this.#credentials = credentials;
    this.#now = now;
  }

  /** Why a login fails, in the server's words; `undefined` = it does not. */
  refusal(user: string, password: string): string | undefined {
    const at = user.lastIndexOf('@');
    if (at < 0) return 'No profile found in credentials.';
    if (at === 0) return 'No user name found in credentials.';
    const [, profile] = split(this.#credentials.user);
    if (user.slice(at + 1) !== profile) return 'No valid profile found in credentials.';
    if (user === this.#credentials.user && password === this.#credentials.password) return undefined;
    return `Cannot authenticate user '${user}': Unable to log in. Verify your login information or contact the system administrator..`;
  }

  issue(): string {
    const token = randomBytes(48).toString('base64url');
    this.#tokens.set(token, { lastUsed: this.#now(), idleMs: IDLE_MINUTES * 60_000, csrf: false });
    return token;
  }

  knows(token: string): boolean {
    return this.#alive(this.#tokens, token);
  }

  revoke(token: string): void {
    this.#tokens.delete(token);
  }

  revokeAll(): void {
    this.#tokens.clear();
    this.#cookies.clear();
  }

  /** Decides on one API request; a good one keeps its session alive. */
  admit(claim: Claim): Grant {
    const [scheme = '', value = ''] = (claim.authorization ?? '').split(/\s+/, 2);
    if (/^bearer$/i.test(scheme)) return { ok: this.#alive(this.#tokens, value) };
    if (/\bnew-auth\b/i.test(claim.prefer) && claim.cookie !== undefined) this.#cookies.delete(claim.cookie);
    else if (claim.cookie !== undefined && this.#cookieHolds(claim.cookie, claim.csrfToken)) return { ok: true };
    if (!/^basic$/i.test(scheme)) return { ok: false };
    const [user, password] = splitOnce(Buffer.from(value, 'base64').toString('utf8'), ':');
    if (this.refusal(user, password) !== undefined) return { ok: false };
    if (!/\bpersistent-auth\b/i.test(claim.prefer)) return { ok: true };
    return { ok: true, cookie: this.#openCookie(claim) };
  }

  #openCookie(claim: Claim): string {
    const cookie = randomBytes(24).toString('base64url');
    const minutes =
      claim.sessionTtl !== undefined && /^\d{1,6}$/.test(claim.sessionTtl) ? Number(claim.sessionTtl) : IDLE_MINUTES;
    this.#cookies.set(cookie, {
      lastUsed: this.#now(),
      idleMs: minutes * 60_000,
      csrf: /\bcsrf-protection\b/i.test(claim.prefer),
    });
    return cookie;
  }

  #cookieHolds(cookie: string, csrfToken: string | undefined): boolean {
    const session = this.#cookies.get(cookie);
    if (session === undefined || (session.csrf && csrfToken !== cookie)) return false;
    return this.#alive(this.#cookies, cookie);
  }

  #alive(sessions: Map<string, Session>, key: string): boolean {
    const session = sessions.get(key);
    if (session === undefined) return false;
    const now = this.#now();
    if (now - session.lastUsed > session.idleMs) {
      sessions.delete(key);
      return false;
    }
    session.lastUsed = now;
    return true;
  }
}

function split(user: string): readonly [string, string] {
  const at = user.lastIndexOf('@');
  return [user.slice(0, at), user.slice(at + 1)];
}

function splitOnce(text: string, mark: string): readonly [string, string] {
  const at = text.indexOf(mark);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
