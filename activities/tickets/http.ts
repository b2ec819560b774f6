/** Calls of a ticket system's REST API: one way to sign in, to wait and to fail, for all kinds. */
import { readFile } from 'node:fs/promises';
import { CounterpartError } from '../errors.ts';
import type { TrackerAccess } from './tracker.ts';

const TIMEOUT_MS = 20_000;
const ANSWER_CHARACTERS = 300;
/** What may work later without anybody's help. */
const LATER = [408, 409, 423, 425, 429];

export interface RestAnswer {
  readonly status: number;
  readonly json: unknown;
}

export interface RestCall {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH';
  readonly path: string;
  readonly body?: unknown;
  /** Statuses above 299 that the caller understands. */
  readonly expected?: readonly number[];
}

async function secretIn(file: string): Promise<string> {
  return (await readFile(file, 'utf8')).trim();
}

async function credentials(access: TrackerAccess, scheme: string): Promise<string> {
  if ('tokenFile' in access) return `${scheme} ${await secretIn(access.tokenFile)}`;
  const both = `${await secretIn(access.userFile)}:${await secretIn(access.passwordFile)}`;
  return `Basic ${Buffer.from(both).toString('base64')}`;
}

function parsed(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

export class RestClient {
  readonly #name: string;
  readonly #url: string;
  readonly #access: TrackerAccess;
  readonly #scheme: string;

  /** @param scheme before a token: RT says `token`, the others `Bearer` */
  constructor(name: string, url: string, access: TrackerAccess, scheme: string) {
    this.#name = name;
    this.#url = url.replace(/\/+$/, '');
    this.#access = access;
    this.#scheme = scheme;
  }

  /** @throws CounterpartError retryable on no answer, 429 and 5xx; needs-operator on any other refusal. */
  async call(call: RestCall, signal: AbortSignal): Promise<RestAnswer> {
    const { response, text } = await this.#send(call, signal);
    if (response.ok || call.expected?.includes(response.status) === true) {
      return { status: response.status, json: parsed(text) };
    }
    const retryable = LATER.includes(response.status) || response.status >= 500;
    const error = new CounterpartError({
      type: 'tickets/refused',
      kind: retryable ? 'retryable' : 'needs-operator',
      subject: `tracker ${this.#name}`,
      what: `${call.method ?? 'GET'} ${call.path} was refused`,
      why: `it answered ${response.status}: ${text.replaceAll(/\s+/g, ' ').slice(0, ANSWER_CHARACTERS)}`,
      remedy:
        'Check the tracker’s entry in BELLWETHER_TRACKERS_FILE, its user’s rights and the ticket; it is tried again.',
      code: response.status,
    });
    const after = Number(response.headers.get('retry-after'));
    return Promise.reject(after > 0 ? Object.assign(error, { retryAfterMs: after * 1000 }) : error);
  }

  async #send(call: RestCall, signal: AbortSignal): Promise<{ response: Response; text: string }> {
    const { method = 'GET', path, body } = call;
    try {
      const response = await fetch(`${this.#url}${path}`, {
        method,
        headers: {
          accept: 'application/json',
          authorization: await credentials(this.#access, this.#scheme),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        // With credentials in hand we go nowhere else.
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      });
      return { response, text: await response.text() };
    } catch (cause) {
      const reason = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
      throw new CounterpartError(
        {
          type: 'tickets/no-answer',
          kind: 'retryable',
          subject: `tracker ${this.#name}`,
          what: 'the ticket system can’t be reached',
          why: reason instanceof Error ? reason.message : String(reason),
          remedy: 'It is tried again by itself; check the tracker’s url and files if it lasts.',
          outcomeUnknown: true,
        },
        { cause },
      );
    }
  }
}
