/** The engine's health page (ha-agent.md 4.4): good only when the engine itself says that it and its database are up. */
import { readFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';

/** Of the page's body; more than a page is no answer of the engine. */
const BODY_BYTES_MAX = 64 * 1024;
const GOOD = 'DB Up';
/** The page could not be asked: no such name, no way there. That says nothing about the engine. */
const NO_WAY = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'ENETDOWN',
  'EADDRNOTAVAIL',
  'EACCES',
]);

export interface HealthAnswer {
  readonly engine: 'good' | 'bad' | 'unknown';
  /** How far the answer came: 0 nothing, 1 somebody listens, 2 an HTTP answer, 3 the engine's own words. */
  readonly depth: 0 | 1 | 2 | 3;
  readonly why: string;
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : '';
}

function judge(status: number, body: string): HealthAnswer {
  if (status === 200 && body.includes(GOOD)) return { engine: 'good', depth: 3, why: body.trim().slice(0, 120) };
  const spoke = /DB (Up|Down)|Unable to contact/i.test(body);
  return { engine: 'bad', depth: spoke ? 3 : 2, why: `HTTP ${status}: ${body.trim().slice(0, 120)}` };
}

/** Asks once; never rejects. `signal` ends it: then the engine counts as bad, as nobody answered in time. */
export async function askHealth(url: string, ca: string | undefined, signal: AbortSignal): Promise<HealthAnswer> {
  // Node's own; plain HTTP is the rule, and then this stays out of memory.
  const https = url.startsWith('https:') ? await import('node:https') : undefined;
  return new Promise((resolve) => {
    let connected = false;
    const failed = (error: Error) => {
      const code = codeOf(error);
      const why = signal.aborted ? 'no answer in time' : error.message || code;
      resolve({ engine: NO_WAY.has(code) && !connected ? 'unknown' : 'bad', depth: connected ? 1 : 0, why });
    };
    try {
      const options = { signal, agent: false, headers: { connection: 'close' } };
      const call =
        https === undefined
          ? httpRequest(url, options)
          : https.request(url, { ...options, ...(ca === undefined ? {} : { ca: readFileSync(ca) }) });
      call.on('socket', (socket) => socket.on('connect', () => (connected = true)));
      call.on('response', (response) => {
        let body = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          body += chunk;
          if (body.length > BODY_BYTES_MAX) response.destroy(new Error('it is no health page'));
        });
        response.on('end', () => resolve(judge(response.statusCode ?? 0, body)));
        response.on('error', failed);
      });
      call.on('error', failed);
      call.end();
    } catch (error) {
      failed(error instanceof Error ? error : new Error(String(error)));
    }
  });
}
