import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { FORM, LAB_KEY, PASSWORD, startTestEngine } from '../testing.ts';
import type { TestEngine } from '../testing.ts';

const TOKEN = '/ovirt-engine/sso/oauth/token';
const GOOD = { grant_type: 'password', scope: 'ovirt-app-api', username: 'admin@internal', password: PASSWORD };

let lab: TestEngine;
beforeAll(async () => {
  lab = await startTestEngine();
});
afterAll(async () => await lab.close());

async function token(form: Record<string, string>, headers: Record<string, string> = FORM) {
  return await lab.raw('POST', TOKEN, headers, new URLSearchParams(form).toString());
}

describe('the token endpoint', () => {
  it('gives a bearer token, and the end of the account as a text', async () => {
    const { status, headers, json } = await token(GOOD);
    expect(status).toBe(200);
    expect(headers['content-type']).toMatch(/^application\/json/);
    expect(json).toMatchObject({ token_type: 'bearer', exp: '9223372036854775807' });
  });

  it('takes any method and query parameters', async () => {
    const query = new URLSearchParams(GOOD).toString();
    expect((await lab.raw('GET', `${TOKEN}?${query}`, { accept: 'application/json' })).json).toHaveProperty(
      'access_token',
    );
  });

  it.each(['*/*', 'application/json, text/plain', 'application/xml', ''])('refuses Accept: %s', async (accept) => {
    const { status, json } = await token(GOOD, { ...FORM, accept });
    expect([status, json['error_code']]).toEqual([400, 'invalid_request']);
  });

  it.each([
    [{ ...GOOD, password: 'bad' }, 'access_denied', "Cannot authenticate user 'admin@internal': Unable to log in."],
    [{ ...GOOD, username: 'admin' }, 'access_denied', 'No profile found in credentials.'],
    [{ ...GOOD, username: 'admin@other' }, 'access_denied', 'No valid profile found in credentials.'],
    [{ ...GOOD, username: '@internal' }, 'access_denied', 'No user name found in credentials.'],
    [{ ...GOOD, grant_type: '' }, 'invalid_request', "Missing parameter: 'grant_type'"],
    [{ ...GOOD, grant_type: 'magic' }, 'unsupported_grant_type', ''],
    [{ ...GOOD, scope: 'openid' }, 'invalid_scope', ''],
  ])('%o is 400 %s', async (form, code, text) => {
    const { status, json } = await token(form);
    expect(status).toBe(400);
    expect([json['error_code'], json['error']]).toContain(code);
    expect(`${String(json['error'])} ${String(json['error_description'])}`).toContain(text);
  });

  it('has the members the other way round for other scopes', async () => {
    const { json } = await token({ ...GOOD, scope: 'ovirt-app-api openid', password: 'bad' });
    expect(json).toMatchObject({
      error: 'access_denied',
      error_description: expect.stringContaining('Unable to log in'),
    });
  });
});

describe('a token', () => {
  it('opens the API until it is revoked; an unknown or empty one is logged out without complaint', async () => {
    const mine = String((await token(GOOD)).json['access_token']);
    const get = async () => await lab.api('GET', '', undefined, { authorization: `Bearer ${mine}` });
    expect((await get()).status).toBe(200);
    for (const one of [mine, mine, '']) {
      const out = await lab.raw(
        'POST',
        '/ovirt-engine/services/sso-logout',
        FORM,
        new URLSearchParams({ scope: 'ovirt-app-api', token: one }).toString(),
      );
      expect([out.status, out.json]).toEqual([200, {}]);
    }
    const dead = await get();
    expect(dead.status).toBe(401);
    expect(dead.headers['www-authenticate']).toBe('Basic realm="RESTAPI"');
    expect(dead.body).toBe('');
  });

  it('dies of thirty minutes without a request, and all of them by a fault', async () => {
    let now = 0;
    const sleep = async (_ms: number, signal?: AbortSignal) =>
      await new Promise<void>((end) => signal?.addEventListener('abort', () => end()));
    const slow = await startTestEngine({}, { clock: { now: () => now, sleep, speed: 1 } });
    now += 29 * 60_000;
    expect((await slow.api('GET', '')).status).toBe(200);
    now += 29 * 60_000;
    expect((await slow.api('GET', '')).status).toBe(200);
    now += 31 * 60_000;
    expect((await slow.api('GET', '')).status).toBe(401);
    await slow.login();
    await slow.raw('POST', '/lab/faults', { 'x-lab-key': LAB_KEY }, JSON.stringify({ kind: 'engine-token-expired' }));
    expect((await slow.api('GET', '')).status).toBe(401);
    await slow.login();
    expect((await slow.api('GET', '')).status).toBe(200);
    await slow.close();
  });
});

describe('basic authentication', () => {
  const basic = (password: string) => `Basic ${Buffer.from(`admin@internal:${password}`).toString('base64')}`;

  it('works on each request, and refuses a wrong password', async () => {
    expect((await lab.api('GET', '', undefined, { authorization: basic(PASSWORD) })).status).toBe(200);
    expect((await lab.api('GET', '', undefined, { authorization: basic('bad') })).status).toBe(401);
    expect((await lab.raw('GET', '/ovirt-engine/api')).status).toBe(401);
  });

  it('opens a session on request, protected against forgery on request', async () => {
    const prefer = 'persistent-auth, csrf-protection';
    const first = await lab.api('GET', '', undefined, { authorization: basic(PASSWORD), prefer });
    const cookie = /JSESSIONID=([^;]+); path=\/ovirt-engine\/api/.exec(String(first.headers['set-cookie']))?.[1] ?? '';
    expect(cookie).not.toBe('');
    const by = async (headers: Record<string, string>) =>
      (await lab.raw('GET', '/ovirt-engine/api', { cookie: `JSESSIONID=${cookie}`, ...headers })).status;
    expect(await by({})).toBe(401);
    expect(await by({ jsessionid: cookie })).toBe(200);
  });
});

describe('services beside the API', () => {
  it('shows the health page without login, exactly', async () => {
    const { status, body, headers } = await lab.raw('GET', '/ovirt-engine/services/health');
    expect([status, body, headers['content-type']]).toEqual([200, 'DB Up!Welcome to Health Status!', 'text/html']);
    lab.engine.faults.inject({
      kind: 'engine-error',
      match: 'GET /ovirt-engine/services/health',
      status: 500,
      reason: '',
      detail: 'DB Down!',
      times: 1,
    });
    const sick = await lab.raw('GET', '/ovirt-engine/services/health');
    expect([sick.status, sick.body]).toEqual([500, 'DB Down!']);
  });

  it('gives out the authority and the key for authorized_keys', async () => {
    const pki = '/ovirt-engine/services/pki-resource?resource=';
    expect((await lab.raw('GET', `${pki}ca-certificate&format=X509-PEM-CA`)).body).toContain('BEGIN CERTIFICATE');
    expect((await lab.raw('GET', `${pki}engine-certificate&format=OPENSSH-PUBKEY`)).body).toMatch(
      /^ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABB\S+ ovirt-engine\n$/,
    );
  });
});
