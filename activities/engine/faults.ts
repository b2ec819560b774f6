/**
 * The shapes in which the engine says no (engine.md 2, 3): a bare fault, an action with a fault inside, plain text,
 * HTML of the web server in front of it, or nothing at all.
 */
import { z } from 'zod';

export type Fault =
  /** The engine itself spoke. */
  | { readonly from: 'engine'; readonly reason: string; readonly detail: string }
  /** Text without the fault shape: an HTML page of the web server, or a sentence of the engine. */
  | { readonly from: 'text'; readonly html: boolean; readonly text: string }
  | { readonly from: 'nobody' };

const TEXT_CHARS_MAX = 400;

const faultShape = z.object({ reason: z.string().optional(), detail: z.string().optional() });
const wrappedShape = z.object({ fault: faultShape });
const bareShape = faultShape.refine((fault) => fault.reason !== undefined || fault.detail !== undefined);

/** JSON or undefined: what a failed call carries is often not what it claims to be. */
export function jsonOrUndefined(body: Buffer): unknown {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return value;
  } catch {
    return undefined;
  }
}

/** The fault in a parsed body: bare, or inside an action. */
export function faultIn(json: unknown): Extract<Fault, { from: 'engine' }> | undefined {
  const wrapped = wrappedShape.safeParse(json);
  const fault = wrapped.success ? wrapped.data.fault : bareShape.safeParse(json).data;
  return fault === undefined ? undefined : { from: 'engine', reason: fault.reason ?? '', detail: fault.detail ?? '' };
}

/** A finished action that failed, although the status of the answer says otherwise (engine.md 4: never trust it). */
export function failedAction(json: unknown): Extract<Fault, { from: 'engine' }> | undefined {
  const failed = z.object({ status: z.literal('failed') }).safeParse(json).success;
  if (!failed) return undefined;
  return faultIn(json) ?? { from: 'engine', reason: 'Operation Failed', detail: '' };
}

/** Reads the body of an unsuccessful answer. Never throws. */
export function readFault(contentType: string | undefined, body: Buffer): Fault {
  const fault = faultIn(jsonOrUndefined(body));
  if (fault !== undefined) return fault;
  const raw = body.toString('utf8').trim();
  if (raw === '') return { from: 'nobody' };
  const html = /^text\/html/i.test(contentType ?? '') || /^<(!doctype|html)/i.test(raw);
  const plain = raw.replace(/<(style|script)[\s\S]*?<\/\1>/gi, ' ').replace(/<[^>]*>/g, ' ');
  return { from: 'text', html, text: plain.replace(/\s+/g, ' ').trim().slice(0, TEXT_CHARS_MAX) };
}

/** One line for people: detail first, since the reason is nearly always "Operation Failed". Brackets are Java's. */
export function faultText(fault: Fault): string {
  if (fault.from === 'nobody') return 'the answer had no body';
  if (fault.from === 'text') return fault.text;
  const detail = fault.detail
    .replace(/^\[([\s\S]*)\]$/, '$1')
    .replace(/\s+/g, ' ')
    .trim();
  if (detail === '') return fault.reason === '' ? 'the engine gave no reason' : fault.reason;
  return /^operation failed$/i.test(fault.reason) || fault.reason === '' ? detail : `${fault.reason}: ${detail}`;
}
