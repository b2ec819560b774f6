import { describe, expect, test } from 'vitest';
import { createApp } from '../app.ts';
import { memoryPorts } from '../testing/ports.ts';
import type { AppPorts } from '../ports.ts';
import { localTarget } from './session.ts';

const PAGE = 'http://door.test/ui/windows';

function door(change: Partial<AppPorts> = {}) {
  let now = Date.parse('2026-11-21T14:00:00Z');
  const files: Record<string, string[]> = { '/tokens': ['bob:read-only:t-bob', 't-plain'], '/secret': ['one'] };
  const { ports, logs } = memoryPorts(files, { apiTokenFile: '/tokens', sessionSecretFile: '/secret', ...change });
  const app = createApp({ ...ports, clock: () => new Date(now) });
  const get = (url: string, headers: Record<string, string> = {}) =>
    app.request(url, { headers: { accept: 'text/html', ...headers } });
  async function signIn(token: string, more: Record<string, string> = {}) {
    const page = await get('http://door.test/ui/sign-in');
    const cookie = page.headers.get('set-cookie')?.split(';')[0] ?? '';
    const form = /name="form" value="([^"]+)"/.exec(await page.text())?.[1] ?? '';
    const headers = { cookie, 'content-type': 'application/x-www-form-urlencoded', host: 'door.test', ...more };
    const body = new URLSearchParams({ form, token }).toString();
    const answer = await app.request('http://door.test/ui/sign-in', { method: 'POST', headers, body });
    return { answer, cookie: answer.headers.get('set-cookie') ?? '' };
  }
  return { get, signIn, files, logs, pass: (ms: number) => (now += ms) };
}

describe('sessions', () => {
  test('last 12 hours, and end when their token leaves the file or the signing secret changes', async () => {
    const { get, signIn, files, pass } = door();
    const { answer, cookie: set } = await signIn('t-bob');
    expect(answer.status).toBe(303);
    expect(set).toMatch(/Max-Age=43200; Path=\/ui; HttpOnly; SameSite=Strict$/);
    const [cookie = ''] = set.split(';');
    expect(await (await get(PAGE, { cookie })).text()).toContain('bob, read-only');
    const saved = files['/tokens'] ?? [];
    files['/tokens'] = ['t-plain'];
    expect((await get(PAGE, { cookie })).status).toBe(303);
    files['/tokens'] = ['bob:operator:t-bob'];
    expect(await (await get(PAGE, { cookie })).text()).toContain('bob, operator');
    files['/tokens'] = saved;
    files['/secret'] = ['two', 'one'];
    expect((await get(PAGE, { cookie })).status).toBe(200);
    files['/secret'] = ['two'];
    expect((await get(PAGE, { cookie })).status).toBe(303);
    files['/secret'] = ['one'];
    pass(12 * 3_600_000);
    expect((await get(PAGE, { cookie })).status).toBe(303);
  });

  test('a forged or changed cookie is none; over TLS it is Secure', async () => {
    const { get, signIn } = door();
    const { cookie: set } = await signIn('t-bob', { 'x-forwarded-proto': 'https' });
    expect(set).toContain('Secure');
    const [body = '', signature = ''] = (set.split(';')[0] ?? '').replace('bellwether=', '').split('.');
    const forged = Buffer.from(
      Buffer.from(body, 'base64url')
        .toString()
        .replace(/"until":\d+/, '"until":9e15'),
    );
    for (const value of [
      `${forged.toString('base64url')}.${signature}`,
      `${body}.`,
      body,
      '',
      'x.y',
      `${body}.${signature}x`,
    ]) {
      expect((await get(PAGE, { cookie: `bellwether=${value}` })).status).toBe(303);
    }
  });

  test('a bearer token serves as well; nobody’s is refused to programs, and led to the sign-in for people', async () => {
    const { get } = door();
    expect((await get(PAGE, { authorization: 'Bearer t-plain' })).status).toBe(200);
    const program = await get(PAGE, { accept: 'application/json', authorization: 'Bearer wrong' });
    expect([program.status, program.headers.get('content-type')]).toEqual([401, 'application/problem+json']);
    expect((await get(`${PAGE}?part=1`)).headers.get('location')).toBe('/ui/sign-in?to=%2Fui%2Fwindows%3Fpart%3D1');
  });

  test('without a token file only under a loopback name', async () => {
    const { ports } = memoryPorts({});
    const app = createApp(ports);
    expect((await app.request('http://127.0.0.1/ui/windows')).status).toBe(200);
    expect((await app.request('http://rebound.test/ui/windows')).status).toBe(403);
  });

  test('leads back to our own pages only', () => {
    expect(localTarget('/ui/operations/a%2Fb?do=retry')).toBe('/ui/operations/a%2Fb?do=retry');
    for (const evil of [
      '//evil.test/ui/',
      'https://evil.test/ui/',
      '/\\evil.test/ui/',
      'javascript:alert(1)',
      '/ui/..//evil.test',
      undefined,
    ]) {
      expect(localTarget(evil)).toBe('/ui/');
    }
  });
});
