/** What of a delivery may be kept to look at: secrets are taken out, and it is cut. */
import type { Evidence } from './deliveries.ts';

const EVIDENCE_BYTES_MAX = 8192;
const HIDDEN = '***';
const HEADERS = /auth|cookie|credential|key|passw|secret|signature|token/i;
/** Not every "key": an issue's key is what one looks for. */
const MEMBERS = /api.?key|private.?key|authorization|credential|passw|secret|signature|token/i;

/** Values under names that sound like secrets are hidden, at any depth. */
function redacted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(redacted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, MEMBERS.test(name) ? HIDDEN : redacted(member)]),
  );
}

function cut(text: string, bytes: number): string {
  const whole = Buffer.from(text);
  return whole.length <= bytes ? text : `${whole.subarray(0, bytes).toString('utf8')}… (cut)`;
}

function bodyText(body: Uint8Array, json: unknown): string {
  return json === undefined ? Buffer.from(body).toString('utf8') : JSON.stringify(redacted(json));
}

/**
 * @param json of the body; undefined when it is none
 * @param hide names of headers and texts that must not be seen, beside those that sound like it
 */
export function evidenceOf(
  headers: Iterable<readonly [string, string]>,
  body: Uint8Array,
  json: unknown,
  hide: { readonly headers: readonly string[]; readonly texts: readonly string[] },
): Evidence {
  const hidden = new Set(hide.headers.map((name) => name.toLowerCase()));
  const withoutTexts = (text: string) =>
    hide.texts.reduce((left, secret) => (secret === '' ? left : left.replaceAll(secret, HIDDEN)), text);
  const kept: [string, string][] = [];
  let room = EVIDENCE_BYTES_MAX;
  for (const [name, value] of headers) {
    const shown = hidden.has(name) || HEADERS.test(name) ? HIDDEN : cut(withoutTexts(value), 500);
    room -= name.length + Buffer.byteLength(shown);
    if (room < 0) break;
    kept.push([name, shown]);
  }
  return { headers: Object.fromEntries(kept), body: cut(withoutTexts(bodyText(body, json)), Math.max(0, room)) };
}
