/** The page's own files and the headers of everything below /ui. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { MiddlewareHandler } from 'hono';
import type { AppContext, AppEnv } from '../context.ts';

const FILES = {
  'style.css': 'text/css; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
} as const;
export type AssetName = keyof typeof FILES;

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** No script or style but ours, in no frame, kept by no cache. */
export function pageHeaders(): MiddlewareHandler<AppEnv> {
  return async function pageHeaders(c, next) {
    await next();
    const { headers } = c.res;
    headers.set('content-security-policy', POLICY);
    headers.set('x-content-type-options', 'nosniff');
    // Not no-referrer: a form's Origin would then be "null".
    headers.set('referrer-policy', 'same-origin');
    headers.set('cross-origin-opener-policy', 'same-origin');
    if (!headers.has('cache-control')) headers.set('cache-control', 'no-store');
  };
}

/** Read once, when first asked for; a browser asks each time and is told 304. */
export function assetRoute(name: AssetName): (c: AppContext) => Response {
  let read: { text: string; etag: string } | undefined;
  return (c) => {
    read ??= readAsset(name);
    const { text, etag } = read;
    const headers = { 'content-type': FILES[name], etag, 'cache-control': 'no-cache' };
    const known = c.req.header('if-none-match')?.includes(etag) === true;
    return known ? c.body(null, 304, headers) : c.body(text, 200, headers);
  };
}

function readAsset(name: AssetName): { text: string; etag: string } {
  const text = readFileSync(new URL(name, import.meta.url), 'utf8');
  return { text, etag: `"${createHash('sha256').update(text).digest('hex').slice(0, 20)}"` };
}
