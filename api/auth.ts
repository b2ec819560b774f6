/** Who may use `/operations`: the holder of the token, or without a token whoever is on this machine. */
import type { MiddlewareHandler } from 'hono';
import { refuse, type AppEnv } from './context.ts';
import type { AppPorts } from './ports.ts';
import { holderName, holderOf } from './tokens.ts';

const READS = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Names under which a machine reaches itself. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}

/**
 * With a token: constant-time bearer check; a read-only one may not change anything. Without: only requests addressed to this machine by a loopback name, which
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
    const holder = holderOf(tokens, given);
    if (holder === undefined) return refuse(c, 'unauthorized', 'the token is not the right one');
    c.get('logged').tokenName = holderName(holder);
    if (holder.role === 'read-only' && !READS.has(c.req.method)) {
      return refuse(c, 'read-only', `the token of ${holderName(holder)} may look, not change`);
    }
    return next();
  };
}
