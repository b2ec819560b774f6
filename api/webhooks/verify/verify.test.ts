import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRequest } from '../request.ts';
import { SCHEME_NAMES } from './scheme.ts';
import { schemeOf } from './schemes.ts';
import { fixtures, recipes, sourceOf, type Fixture } from './testing.ts';

interface Change {
  readonly body?: Uint8Array;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly secrets?: readonly string[];
  readonly now?: Date;
}

function verify(of: Fixture, { body, headers = {}, secrets = of.secrets, now = of.receivedAt }: Change = {}) {
  const all = Object.entries({ ...of.headers, ...headers }).map(
    ([name, value]) => [name.toLowerCase(), value] as const,
  );
  const byName = new Map(all);
  const header = (name: string) => byName.get(name.toLowerCase());
  return schemeOf(sourceOf(of)).verify({ body: body ?? Buffer.from(of.body), header }, secrets, now);
}

function flipped(bytes: Uint8Array, bit: number): Buffer {
  const copy = Buffer.from(bytes);
  copy.writeUInt8(copy.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
  return copy;
}

const hour = (hours: number, of: Fixture) => new Date(of.receivedAt.getTime() + hours * 3_600_000);
const named = (name: string) => {
  const found = fixtures().find((one) => one.name === name);
  if (found === undefined) throw new Error(`no fixture ${name}`);
  return found;
};

describe('the schemes', () => {
  it('each have a recorded delivery, and a recipe in the README', () => {
    const recorded = new Set(fixtures().map(({ scheme }) => scheme));
    expect([...recorded].toSorted()).toEqual([...SCHEME_NAMES].toSorted());
    const inReadme = new Set(recipes().map(({ scheme }) => scheme));
    expect(SCHEME_NAMES.filter((name) => !inReadme.has(name))).toEqual([]);
  });

  it('need a secret that can be used', () => {
    for (const of of fixtures()) {
      expect(verify(of, { secrets: ['short'] }), of.name).toMatchObject({ ok: false });
      expect(verify(of, { secrets: [] }), of.name).toMatchObject({ ok: false });
    }
  });
});

describe.each(fixtures())('$name', (of) => {
  const body = Buffer.from(of.body);

  it('is accepted as recorded, with its id and time', () => {
    const { id, sentAt } = of.expect;
    expect(verify(of)).toEqual({ ok: true, id, ...(sentAt === undefined ? {} : { sentAt: new Date(sentAt) }) });
  });

  it('is accepted while a secret is rotated, and no longer when it is gone', () => {
    const other = of.secrets.map(
      (secret) => `${secret.slice(0, 12)}${secret[12] === 'A' ? 'B' : 'A'}${secret.slice(13)}`,
    );
    expect(verify(of, { secrets: [...other, ...of.secrets] }).ok).toBe(true);
    expect(verify(of, { secrets: other })).toEqual({ ok: false, reason: 'no-match' });
  });

  it('is refused after a change of any bit of what is covered', () => {
    const spots = of.covered.map((spot) => ({
      spot,
      bytes: spot === 'body' ? body : Buffer.from(of.headers[spot] ?? ''),
    }));
    const anyBit = fc.oneof(
      ...spots.map(({ spot, bytes }) =>
        fc.integer({ min: 0, max: bytes.length * 8 - 1 }).map((bit) => ({ spot, changed: flipped(bytes, bit) })),
      ),
      fc.constant({ spot: 'nothing', changed: Buffer.alloc(0) }),
    );
    fc.assert(
      fc.property(anyBit, ({ spot, changed }) => {
        if (spot === 'nothing') return;
        const change = spot === 'body' ? { body: changed } : { headers: { [spot]: changed.toString('latin1') } };
        expect(verify(of, change).ok).toBe(false);
      }),
      { numRuns: 300 },
    );
  });

  it('is refused by name without what its scheme wants', () => {
    const names = Object.keys(of.headers).filter((name) =>
      /signature|token|authorization|timestamp|sent-ms/i.test(name),
    );
    for (const name of names.filter((one) => one !== 'X-Hub-Signature' || of.scheme === 'jira')) {
      expect(verify(of, { headers: { [name]: undefined } }), name).toEqual({ ok: false, reason: 'missing-header' });
    }
  });

  it('is a replay two hours later, and of the future two hours before, where the sender says the time', () => {
    const timed = of.expect.sentAt !== undefined;
    const why = (now: Date) => {
      const result = verify(of, { now });
      return result.ok ? 'ok' : result.reason;
    };
    expect([why(hour(2, of)), why(hour(-2, of))]).toEqual(timed ? ['too-old', 'too-new'] : ['ok', 'ok']);
  });
});

it.each(fixtures().filter(({ request }) => request !== undefined))(
  '$name asks for what the README’s recipe says',
  (of) => {
    const reading = readRequest(sourceOf(of), Buffer.from(of.body));
    expect(reading).toMatchObject({ kind: 'request', request: of.request });
  },
);

describe('the edges of schemes', () => {
  it('Jira’s own retries of half an hour are taken', () => {
    expect(verify(named('jira'), { now: hour(0.6, named('jira')) }).ok).toBe(true);
    expect(verify(named('jira'), { now: hour(1.1, named('jira')) })).toEqual({ ok: false, reason: 'too-old' });
  });

  it('GitHub’s SHA-1 signature is not enough', () => {
    expect(verify(named('github'), { headers: { 'X-Hub-Signature-256': undefined } }).ok).toBe(false);
  });

  it('a bad signature is not saved by a good password', () => {
    const of = named('servicenow-basic');
    const headers = { 'webhook-timestamp': '1795271160', 'webhook-signature': 'v1,AAAA' };
    expect(verify(of, { headers }).ok).toBe(false);
  });

  it('a basic credential is no bearer token, and the other way round', () => {
    const bearer = { Authorization: 'Bearer bellwether:a long password: with colon' };
    expect(verify(named('servicenow-basic'), { headers: bearer })).toEqual({ ok: false, reason: 'no-match' });
    const secrets = ['Bearer bellwether:a long password: with colon'];
    expect(verify(named('servicenow-basic'), { secrets })).toEqual({ ok: false, reason: 'no-match' });
  });

  it('a signed id with a dot can’t be read as another id and body', () => {
    const of = named('hmac-sha512');
    const headers = { 'X-Request-Id': '8f14e45f-ea2b.1795271164500', 'X-Sent-Ms': '' };
    expect(verify(of, { headers })).toMatchObject({ ok: false });
    const early = { 'X-Request-Id': '8f14e45f', 'X-Sent-Ms': '2b.1795271164500' };
    expect(verify(of, { headers: early })).toMatchObject({ ok: false });
  });

  it('whatever comes, a verifier answers and never throws', () => {
    const line = fc.string({ maxLength: 60 });
    fc.assert(
      fc.property(fc.constantFrom(...fixtures()), fc.uint8Array(), line, line, (of, bytes, value, secret) => {
        const headers = Object.fromEntries(Object.keys(of.headers).map((name) => [name, value]));
        const result = verify(of, { body: bytes, headers, secrets: [secret, ...of.secrets] });
        expect(result.ok).toBe(false);
      }),
    );
  });
});
