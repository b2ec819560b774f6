/**
 * One token for all calls (engine.md 1.1, 1.2).
 *
 * The engine gives no lifetime: `exp` tells when the *account* ends and is as a rule the largest 64-bit number, so it
 * is not even read. A token is used until a call answers 401. Failed log-ins are never repeated by themselves: the
 * engine's directory locks an account after a few wrong passwords.
 */
import { z } from 'zod';
import { EngineError, answerError, unreadableAnswer, wireError, type CallContext } from './errors.ts';
import { jsonOrUndefined, readFault } from './faults.ts';
import { type WireAnswer, WireFailure } from './wire.ts';

/** Posts a form and gives the answer, whatever its status. */
export type PostForm = (path: string, form: URLSearchParams, signal?: AbortSignal) => Promise<WireAnswer>;

export interface SessionOptions {
  /** `user@profile`; the profile is what follows the last `@`. */
  readonly user: string;
  /** Asked at every log-in, so that a rotated secret is picked up. */
  readonly password: () => Promise<string> | string;
  readonly engine: string;
  readonly post: PostForm;
}

const TOKEN_PATH = '/ovirt-engine/sso/oauth/token';
const LOGOUT_PATH = '/ovirt-engine/services/sso-logout';

const tokenShape = z.object({ access_token: z.string().min(1) });
/** API-only scopes say `error_code` + `error`, others `error` + `error_description`. */
const refusalShape = z
  .object({ error: z.string(), error_code: z.string().optional(), error_description: z.string().optional() })
  .transform((body) => ({
    code: body.error_code ?? body.error,
    text: body.error_description ?? body.error,
  }));

function loginRefused(context: CallContext, code: string, text: string): EngineError {
  const credentials = code === 'access_denied';
  const transient = code === 'server_error';
  return new EngineError({
    type: credentials ? 'engine/credentials-refused' : 'engine/login-refused',
    kind: transient ? 'retryable' : 'needs-operator',
    subject: context.subject,
    what: `could not ${context.act}`,
    why: `${text.replace(/\.$/, '')} (${code})`,
    remedy: credentials
      ? 'Check the user (user@profile) and the password that its secret holds; do not try often, the account may lock'
      : "Check the user's profile and the engine's single sign-on service",
    code,
  });
}

/** Waits for shared work, but no longer than the caller wants to. The work itself goes on. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  let giveUp: (() => void) | undefined;
  const aborted = new Promise<never>((_resolve, reject) => {
    giveUp = () => reject(signal.reason);
    signal.addEventListener('abort', giveUp, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    if (giveUp !== undefined) signal.removeEventListener('abort', giveUp);
  }
}

export class Session {
  readonly #options: SessionOptions;
  #current: string | undefined;
  #login: Promise<string> | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
  }

  /** The shared token; logs in if there is none. However many ask at once, there is one log-in. */
  async token(signal?: AbortSignal): Promise<string> {
    signal?.throwIfAborted();
    if (this.#current !== undefined) return this.#current;
    this.#login ??= this.#logIn().finally(() => (this.#login = undefined));
    return unlessAborted(this.#login, signal);
  }

  /** Forgets a token that a call was refused with; a newer one stays. */
  invalidate(token: string): void {
    if (this.#current === token) this.#current = undefined;
  }

  /** Ends the engine's session. Without one nothing is sent; an unknown token is no error there. */
  async logout(): Promise<void> {
    await this.#login?.catch(() => undefined);
    const token = this.#current;
    this.#current = undefined;
    if (token === undefined) return;
    await this.#options.post(LOGOUT_PATH, new URLSearchParams({ scope: 'ovirt-app-api', token }));
  }

  async #logIn(): Promise<string> {
    const { user, engine } = this.#options;
    const context: CallContext = { subject: `engine ${engine}`, act: `log in as ${user}`, changes: false, engine };
    const form = new URLSearchParams({
      grant_type: 'password',
      scope: 'ovirt-app-api',
      username: user,
      password: await this.#options.password(),
    });
    let answer: WireAnswer;
    try {
      answer = await this.#options.post(TOKEN_PATH, form);
    } catch (error) {
      throw error instanceof WireFailure ? wireError(context, error) : error;
    }
    const json = jsonOrUndefined(answer.body);
    // An `error` member is a refusal under any status (engine.md 1.1: 400, not 401).
    const refusal = refusalShape.safeParse(json);
    if (refusal.success) throw loginRefused(context, refusal.data.code, refusal.data.text);
    if (answer.status !== 200) {
      const fault = readFault(answer.headers['content-type'], answer.body);
      throw answerError(context, { status: answer.status, fault, retryAfter: answer.headers['retry-after'] });
    }
    const token = tokenShape.safeParse(json);
    if (!token.success) throw unreadableAnswer(context, 'no access_token in it');
    this.#current = token.data.access_token;
    return token.data.access_token;
  }
}
