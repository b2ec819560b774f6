/** A delivery on its way through the front door, and the line about it in the delivery log. */
import { createHash } from 'node:crypto';
import { readJson } from '../body.ts';
import type { AppContext } from '../context.ts';
import type { WebhookSource } from '../ports.ts';
import type { DeliveryLog, Verdict } from './deliveries.ts';
import { evidenceOf } from './redact.ts';
import { remoteOf } from './remote.ts';
import type { Scheme } from './verify/scheme.ts';

/** Each stage adds what it learned. */
export interface Incoming {
  readonly c: AppContext;
  readonly source: WebhookSource;
  readonly scheme: Scheme;
  body?: Uint8Array;
  secrets: readonly string[];
  /** The sender's id; only a verified delivery has one. */
  id?: string;
}

/** What became of it: the answer, and what the log says. */
export interface Handled {
  readonly response: Response;
  readonly verdict: Verdict;
  /** Without any value of the body. */
  readonly reason?: string;
  readonly operation?: string;
}

function evidence({ c, source, body = new Uint8Array(), secrets }: Incoming) {
  const read = readJson(body);
  const headers = source.hmac === undefined ? [] : [source.hmac.header];
  return evidenceOf(c.req.raw.headers, body, read.ok ? read.value : undefined, { headers, texts: secrets });
}

/** One line per delivery; in test mode a refused one is kept to be looked at. */
export function note(deliveries: DeliveryLog, now: Date, incoming: Incoming, handled: Handled): void {
  const { c, source, body, id } = incoming;
  const { verdict, reason, operation, response } = handled;
  const remote = remoteOf(c.env);
  deliveries.record(
    {
      time: now.toISOString(),
      instance: c.get('instance'),
      source: source.name,
      verdict,
      status: response.status,
      ...(id === undefined ? {} : { delivery: id }),
      ...(reason === undefined ? {} : { reason }),
      ...(operation === undefined ? {} : { operation }),
      ...(body === undefined ? {} : { digest: createHash('sha256').update(body).digest('hex'), size: body.length }),
      ...(remote === undefined ? {} : { remote }),
    },
    source.test === true && verdict === 'refused' ? evidence(incoming) : undefined,
  );
}
