import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createApp } from './app.ts';
import { memoryPorts } from './testing/ports.ts';
import { holderOf, readHolder } from './tokens.ts';

describe('lines of the token file', () => {
  test('name:role:token, token and name, token alone', () => {
    expect(readHolder('alice:read-only:s3cret')).toEqual({ name: 'alice', role: 'read-only', token: 's3cret' });
    expect(readHolder('Zoë B.:operator:a:b')).toEqual({ name: 'Zoë B.', role: 'operator', token: 'a:b' });
    expect(readHolder('s3cret night shift')).toEqual({ name: 'night shift', role: 'operator', token: 's3cret' });
    expect(readHolder('s3cret')).toEqual({ role: 'operator', token: 's3cret' });
  });

  test('a whole line of a named token is no token: the role can’t be got around', () => {
    const line = fc.tuple(fc.constantFrom('read-only', 'operator'), fc.stringMatching(/^[!-~]{1,40}$/));
    fc.assert(
      fc.property(line, ([role, token]) => {
        const whole = `bob:${role}:${token}`;
        expect(holderOf([whole], token)).toMatchObject({ name: 'bob', role, token });
        expect(holderOf([whole], whole)).toBeUndefined();
      }),
    );
  });

  test('any line is read, and gives nobody a token that does not stand in it', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), (line, given) => {
        const holder = holderOf([line], given);
        if (holder !== undefined) expect(line).toContain(given);
      }),
    );
  });

  test('the API: a read-only token may look, not change', async () => {
    const lines = ['bob:read-only:t-bob', 'alice:operator:t-alice'];
    const memory = memoryPorts({ '/tokens': lines }, { apiTokenFile: '/tokens' });
    const app = createApp(memory.ports);
    const send = (token: string, method: string) =>
      app.request('/operations', {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(method === 'POST' ? { body: JSON.stringify({ operation: 'backup', cluster: 'Default', key: 'k1' }) } : {}),
      });
    const statuses = async (token: string) => [(await send(token, 'GET')).status, (await send(token, 'POST')).status];
    expect(await statuses('t-bob')).toEqual([200, 403]);
    expect(await statuses('bob:read-only:t-bob')).toEqual([401, 401]);
    expect(await statuses('t-alice')).toEqual([200, 202]);
  });
});
