import * as fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import { decodeSecret, signStandard, verifyStandard } from './standard.ts';

const secretOf = (text: string) => `whsec_${Buffer.from(text.padEnd(32, '.')).toString('base64')}`;
const SECRET = secretOf('first');
const NEXT = secretOf('second');
const NOW = new Date('2026-11-21T14:00:00Z');
const SECONDS = String(NOW.getTime() / 1000);
const BODY = Buffer.from('{"type":"operation.requested","data":{"ticket":"CHG0001234"}}');

type Headers = Record<string, string | undefined>;

function signed(body: Uint8Array = BODY, id = 'msg_1', timestamp = SECONDS, secret = SECRET): Headers {
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signStandard(body, id, timestamp, secret),
  };
}

const verify = (body: Uint8Array, headers: Headers, secrets: readonly string[] = [SECRET], now = NOW) =>
  verifyStandard(body, (name) => headers[name], secrets, now);

function flipBit(bytes: Uint8Array, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  return copy;
}

describe('a Standard Webhooks delivery', () => {
  it('is accepted with its id and time', () => {
    expect(verify(BODY, signed())).toEqual({ ok: true, id: 'msg_1', sentAt: NOW });
  });

  it('verifies with the reference library, and theirs with ours', () => {
    const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/);
    fc.assert(
      fc.property(
        id,
        fc.string({ unit: 'grapheme' }),
        fc.uint8Array({ minLength: 24, maxLength: 64 }),
        (id, text, key) => {
          const secret = `whsec_${Buffer.from(key).toString('base64')}`;
          const now = new Date();
          const timestamp = String(Math.floor(now.getTime() / 1000));
          const reference = new Webhook(secret);
          const body = Buffer.from(text);
          const ours = signed(body, id, timestamp, secret);
          const headers = Object.fromEntries(Object.entries(ours).map(([name, value]) => [name, value ?? '']));
          expect(() => reference.verify(text, headers, { jsonParse: false })).not.toThrow();
          const theirs = { ...ours, 'webhook-signature': reference.sign(id, now, text) };
          expect(verify(body, theirs, [secret], now).ok).toBe(true);
        },
      ),
    );
  });

  it('is refused after a change of any bit of body, id, timestamp or signature', () => {
    const headers = signed();
    const refuses = (body: Uint8Array, changed: Headers) => expect(verify(body, changed).ok).toBe(false);
    for (let bit = 0; bit < BODY.length * 8; bit++) refuses(flipBit(BODY, bit), headers);
    for (const name of ['webhook-id', 'webhook-timestamp', 'webhook-signature']) {
      const value = Buffer.from(headers[name] ?? '');
      for (let bit = 0; bit < value.length * 8; bit++) {
        refuses(BODY, { ...headers, [name]: flipBit(value, bit).toString('latin1') });
      }
    }
  });

  it('is refused when body and headers come from different deliveries', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (body, other) => {
        fc.pre(Buffer.compare(body, other) !== 0);
        expect(verify(other, signed(body))).toEqual({ ok: false, reason: 'no-match' });
      }),
    );
  });

  it('is accepted with any of several active secrets, and with any of several signatures', () => {
    const old = signed();
    expect(verify(BODY, old, [NEXT, SECRET]).ok).toBe(true);
    expect(verify(BODY, old, [NEXT])).toEqual({ ok: false, reason: 'no-match' });
    const both = `${signStandard(BODY, 'msg_1', SECONDS, NEXT)} v1a,abc ${old['webhook-signature']}`;
    expect(verify(BODY, { ...old, 'webhook-signature': both }).ok).toBe(true);
  });

  it('looks at ten signatures at most', () => {
    const many = `${'v1,x '.repeat(10)}${signed()['webhook-signature']}`;
    expect(verify(BODY, { ...signed(), 'webhook-signature': many })).toEqual({ ok: false, reason: 'no-match' });
  });

  it.each([
    [300, true],
    [301, 'too-old'],
    [-300, true],
    [-301, 'too-new'],
  ])('sent %i s ago: %s', (age, expected) => {
    const result = verify(BODY, signed(BODY, 'msg_1', String(Number(SECONDS) - age)));
    expect(result.ok ? true : result.reason).toBe(expected);
  });

  it.each(['webhook-id', 'webhook-timestamp', 'webhook-signature'])('without %s is refused by name', (name) => {
    expect(verify(BODY, { ...signed(), [name]: undefined })).toEqual({ ok: false, reason: 'missing-header' });
  });

  it.each([
    ['webhook-timestamp', '1e9'],
    ['webhook-timestamp', '1763733600.5'],
    ['webhook-timestamp', ' 1763733600'],
    ['webhook-id', 'a.b'],
    ['webhook-id', 'a b'],
    ['webhook-id', 'x'.repeat(256)],
  ])('with %s: %s is malformed', (name, value) => {
    expect(verify(BODY, { ...signed(), [name]: value })).toEqual({ ok: false, reason: 'malformed-header' });
  });

  it('needs a usable secret of ours', () => {
    const short = `whsec_${Buffer.from('too short').toString('base64')}`;
    expect(verify(BODY, signed(), ['plain', short, 'whsec_', 'whsec_§§'])).toEqual({ ok: false, reason: 'no-secret' });
    expect(decodeSecret(SECRET)?.length).toBe(32);
    expect(() => signStandard(BODY, 'a', '1', 'plain')).toThrow('whsec_');
  });
});
