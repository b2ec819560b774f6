/** The session cookie: signed, out of a script's reach, sent from our own pages only, valid for 12 hours. */
import { createHmac, randomBytes } from 'node:crypto';
import { getCookie, setCookie } from 'hono/cookie';
import { z } from 'zod';
import type { AppContext } from '../context.ts';
import type { AppPorts } from '../ports.ts';
import { optional } from '../schemas/optional.ts';
import { sameSecret } from '../secrets.ts';

const COOKIE = 'bellwether';
export const SESSION_S = 12 * 3600;

/** `holder`: the fingerprint of the token that it was opened with; without it nobody has signed in. */
const sessionBody = z.object({ id: z.string(), until: z.number(), holder: optional(z.string()) });
type Session = z.infer<typeof sessionBody>;

const mac = (secret: string, text: string) => createHmac('sha256', secret).update(text).digest('base64url');

/** TLS may end at a proxy before us; believing its header wrongly costs a session, never a secret. */
function overTls(c: AppContext): boolean {
  return new URL(c.req.url).protocol === 'https:' || c.req.header('x-forwarded-proto') === 'https';
}

export function createCookies({ sessionSecretFile, readSecrets, clock, logger }: AppPorts) {
  // Without a file sessions end with the process.
  const ofProcess = [randomBytes(32).toString('hex')];

  async function secrets(): Promise<readonly string[]> {
    if (sessionSecretFile === undefined) return ofProcess;
    const lines = await readSecrets(sessionSecretFile).catch((error: unknown) => {
      logger.error({ file: sessionSecretFile, error: String(error) }, 'session secret file can’t be read');
      return [];
    });
    return lines.length > 0 ? lines : ofProcess;
  }

  return {
    /** The session, if its signature is ours and its time is not over. */
    async read(c: AppContext): Promise<Session | undefined> {
      const [body = '', signature = ''] = (getCookie(c, COOKIE) ?? '').split('.');
      const good = (await secrets()).filter((secret) => sameSecret(mac(secret, `session ${body}`), signature));
      if (good.length === 0) return undefined;
      const session = sessionBody.safeParse(JSON.parse(Buffer.from(body, 'base64url').toString()));
      return session.success && session.data.until > clock().getTime() ? session.data : undefined;
    },
    /** A new session, always with a new id. */
    async write(c: AppContext, holder?: string): Promise<Session> {
      const until = clock().getTime() + SESSION_S * 1000;
      const session = { id: randomBytes(16).toString('hex'), until, ...(holder === undefined ? {} : { holder }) };
      const [secret = ''] = await secrets();
      const body = Buffer.from(JSON.stringify(session)).toString('base64url');
      const options = {
        httpOnly: true,
        sameSite: 'Strict',
        path: '/ui',
        maxAge: SESSION_S,
        secure: overTls(c),
      } as const;
      setCookie(c, COOKIE, `${body}.${mac(secret, `session ${body}`)}`, options);
      return session;
    },
    /** What a form of this session carries. */
    async formToken({ id }: Session): Promise<string> {
      const [secret = ''] = await secrets();
      return mac(secret, `form ${id}`);
    },
    clear: (c: AppContext): void =>
      setCookie(c, COOKIE, '', { httpOnly: true, sameSite: 'Strict', path: '/ui', maxAge: 0 }),
  };
}
