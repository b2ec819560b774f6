/** One signed POST to the orchestrator (Standard Webhooks). The secret is read at each send and appears nowhere else. */
import { readFile } from 'node:fs/promises';
import { CounterpartError, type ErrorKind } from '../../../activities/errors.ts';
import { createLookup } from './lookup.ts';
import type { IncomingMessage, RequestOptions } from 'node:http';
import type { Message } from './message.ts';

export interface WebhookTarget {
  readonly url: string;
  /** Holds `whsec_…`. */
  readonly secretFile: string;
  /** PEM of the authority that signed the orchestrator's certificate; default: those of the system. */
  readonly caFile?: string;
}

/** Without user, password and query: they may hold secrets. */
export function shownUrl(url: string): string {
  if (!URL.canParse(url)) return 'the webhook URL';
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

function failed(target: WebhookTarget, kind: ErrorKind, why: string, cause?: unknown): CounterpartError {
  return new CounterpartError(
    {
      type: 'alerts/webhook',
      kind,
      subject: shownUrl(target.url),
      what: 'the alert was not taken',
      why,
      remedy:
        kind === 'retryable'
          ? 'It is tried again by itself; look at the orchestrator if it lasts.'
          : 'Check webhook-url, webhook-secret-file and webhook-ca in the worker’s configuration.',
    },
    { cause },
  );
}

async function fileOf(target: WebhookTarget, file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw failed(target, 'needs-operator', error instanceof Error ? error.message : String(error), error);
  }
}

export function webhookBody(message: Message): string {
  const { hostname: host, kind, text, cause, effect, did, todo, atMs } = message;
  return JSON.stringify({ host, kind, text, cause, effect, did, todo, atIso: new Date(atMs).toISOString() });
}

async function headersOf(target: WebhookTarget, id: string, body: string): Promise<Record<string, string>> {
  const secret = await fileOf(target, target.secretFile);
  const { Webhook } = await import('standardwebhooks');
  const at = new Date();
  let signature: string;
  try {
    signature = new Webhook(secret).sign(id, at, body);
  } catch {
    // Not the library's words: they might quote what they could not read.
    throw failed(target, 'needs-operator', `${target.secretFile} holds no secret (whsec_ and base64)`);
  }
  return {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'webhook-id': id,
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': signature,
  };
}

async function post(target: WebhookTarget, options: RequestOptions & { ca?: string }, body: string): Promise<number> {
  const url = new URL(target.url);
  const { request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http');
  return new Promise((resolve, reject) => {
    const call = request(url, options, (response: IncomingMessage) => {
      response
        .on('error', reject)
        .on('end', () => resolve(response.statusCode ?? 0))
        .resume();
    });
    call.on('error', reject).end(body);
  });
}

/**
 * `id` is the same for each try of one message, so that the receiver can drop a repetition.
 *
 * @throws CounterpartError retryable on no answer, 408, 429 and 5xx; needs-operator on any other answer and without a secret
 */
export async function sendWebhook(
  message: Message,
  id: string,
  target: WebhookTarget,
  signal: AbortSignal,
): Promise<void> {
  const body = webhookBody(message);
  const headers = await headersOf(target, id, body);
  const ca = target.caFile === undefined ? {} : { ca: await fileOf(target, target.caFile) };
  let status: number;
  try {
    status = await post(target, { method: 'POST', headers, agent: false, lookup: createLookup(), signal, ...ca }, body);
  } catch (error) {
    throw failed(target, 'retryable', error instanceof Error ? error.message : String(error), error);
  }
  if (status >= 200 && status < 300) return;
  const again = status >= 500 || status === 408 || status === 429;
  throw failed(target, again ? 'retryable' : 'needs-operator', `it answered ${status}`);
}
