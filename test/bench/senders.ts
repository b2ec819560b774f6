/** A closed loop: each of `senders` sends its next request when the last one was answered. */
import { Agent, request, type OutgoingHttpHeaders } from 'node:http';
import { quantile, timed } from './stats.ts';

export interface Sent {
  readonly requests: number;
  readonly senders: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly perSecond: number;
}

/**
 * Ends after `requests`, or after `limitMs` when the machine is busy.
 * @param send resolves to whether the answer was the wanted one
 */
export async function closedLoop(
  senders: number,
  requests: number,
  limitMs: number,
  send: (index: number) => Promise<boolean>,
): Promise<Sent> {
  const times: number[] = [];
  const deadline = performance.now() + limitMs;
  let next = 0;
  let failed = 0;
  const sender = async () => {
    while (next < requests && performance.now() < deadline) {
      const index = next;
      next += 1;
      const { ms, value } = await timed(() => send(index));
      times.push(ms);
      if (!value) failed += 1;
    }
  };
  const { ms } = await timed(() => Promise.all(Array.from({ length: senders }, sender)));
  return {
    requests: times.length,
    senders,
    failed,
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
    perSecond: times.length / (ms / 1000),
  };
}

/** Connections that stay open, as those of a sender under load do. */
export function keepAlive(connections: number): Agent {
  return new Agent({ keepAlive: true, maxSockets: connections });
}

/** Resolves to the status once the whole answer is read. */
export function post(agent: Agent, url: string, headers: OutgoingHttpHeaders, body: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const length = { 'content-length': Buffer.byteLength(body) };
    const call = request(url, { method: 'POST', agent, headers: { ...headers, ...length } }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
      response.on('error', reject);
    });
    call.on('error', reject);
    call.end(body);
  });
}
