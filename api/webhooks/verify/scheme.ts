/**
 * What every scheme is made of: raw bytes, headers, secrets and time go in; the sender's id of the delivery, or the
 * reason of the refusal, comes out.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Verification } from './verification.ts';

export const SCHEME_NAMES = ['standard', 'github', 'gitlab', 'jira', 'servicenow', 'pagerduty', 'hmac'] as const;
export type SchemeName = (typeof SCHEME_NAMES)[number];

/** One delivery as it came in; header names in any case. */
export interface Delivery {
  readonly body: Uint8Array;
  readonly header: (name: string) => string | undefined;
}

export interface Scheme {
  readonly verify: (delivery: Delivery, secrets: readonly string[], now: Date) => Verification;
  /** What a forger can't change unseen, in words. */
  readonly covers: string;
  /**
   * Problem statuses after which this sender would send the same again, or switch the webhook off. It gets 200 instead,
   * with the same problem in the body: nothing that it can do would change the answer.
   */
  readonly toldAs200: readonly number[];
}

/** A conflict and a mistake in the request: a person must read them, a machine that repeats them helps nobody. */
export const FOR_PEOPLE: readonly number[] = [409, 422];

/** A sender rotating its secret sends two or three; more is somebody guessing at our cost. */
export const SIGNATURES_MAX = 10;

/** Equal texts, in time that depends on their lengths only: for values whose length is no secret. */
export function equal(a: string, b: string): boolean {
  const left = Buffer.from(a);
  const right = Buffer.from(b);
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Stands in where the sender gives no id: the same body again is the same delivery. */
export function bodyId(body: Uint8Array): string {
  return `sha256:${createHash('sha256').update(body).digest('hex')}`;
}

/** Printable and bounded, so that it can be logged and kept. */
export function isDeliveryId(text: string): boolean {
  return /^[\x21-\x7e]{1,255}$/.test(text);
}

/** The first of these headers, else the body's digest. Undefined: what the header holds is no id. */
export function headerId(delivery: Delivery, names: readonly string[]): string | undefined {
  const given = names.map((name) => delivery.header(name)).find((value) => value !== undefined && value !== '');
  if (given === undefined) return bodyId(delivery.body);
  return isDeliveryId(given) ? given : undefined;
}
