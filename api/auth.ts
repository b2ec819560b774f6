/** Who may use `/operations`: the holder of the token, or without a token whoever is on this machine. */
import type { MiddlewareHandler } from 'hono';
import { refuse, type AppEnv } from './context.ts';
import type { AppPorts } from './ports.ts';
import { sameSecret } from './secrets.ts';

/** Names under which a machine reaches itself. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * With a token: constant-time bearer check. Without: only requests addressed to this machine by a loopback name, which
 * keeps a web page in a local browser from reaching the API by pointing its own name at 127.0.0.1.
 */
export function authenticate(ports: AppPorts): MiddlewareHandler<AppEnv> {
  const file = ports.apiTokenFile;
  return async function authenticate(c, next) {
    if (file === undefined) {
      const host = new URL(c.req.url).hostname;
      return isLoopback(host) ? next() : refuse(c, 'foreign-host', `this request was sent to ${host}`);
    }
    const tokens = await ports.readSecrets(file).catch((error: unknown) => {
      ports.logger.error({ file, error: String(error) }, 'API token file can’t be read');
      return [];
    });
    if (tokens.length === 0) return refuse(c, 'secret-unavailable', 'the API token can’t be read');
    const given = /^Bearer +([\x21-\x7e]+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
    if (given === undefined) return refuse(c, 'unauthorized', 'no bearer token was sent');
    // Each of them is compared: which one matched must not show in the time taken.
    const matches = tokens.filter((token) => sameSecret(token, given));
    return matches.length > 0 ? next() : refuse(c, 'unauthorized', 'the token is not the right one');
  };
}
