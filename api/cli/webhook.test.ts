import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { serveApp, type ServedApp } from '../adapters/node.ts';
import { createApp } from '../app.ts';
import { memoryPorts } from '../testing/ports.ts';
import { fixtures, recipes, type Fixture } from '../webhooks/verify/testing.ts';
import { main } from './main.ts';

let dir: string;
let served: ServedApp;
const found = fixtures().find(({ name }) => name === 'jira');
if (found === undefined) throw new Error('no fixture jira');
const JIRA: Fixture = found;
const AT = JIRA.receivedAt.toISOString();

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'bellwether-webhook-'));
  writeFileSync(join(dir, 'secret'), `${JIRA.secrets.join('\n')}\n`);
  const native = { name: 'desk-native', scheme: 'standard' };
  const sources = [...recipes(), native].map((source) => ({ ...source, secretFiles: [join(dir, 'secret')] }));
  writeFileSync(join(dir, 'sources.json'), JSON.stringify(sources));
  writeFileSync(join(dir, 'body.json'), JIRA.body);
  const { ports } = memoryPorts({ '/secrets/servicedesk': ['x'] });
  served = await serveApp(createApp(ports), { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await served.close();
  rmSync(dir, { recursive: true, force: true });
});

async function run(...argv: string[]) {
  let out = '';
  let err = '';
  const env = { BELLWETHER_URL: served.url, BELLWETHER_WEBHOOKS_FILE: join(dir, 'sources.json') };
  const io = { stdout: (text: string) => (out += text), stderr: (text: string) => (err += text), env };
  return { code: await main(['webhook', ...argv], io), out, err };
}

const headers = Object.entries(JIRA.headers).flatMap(([name, value]) => ['--header', `${name}: ${value}`]);
const file = (text?: string) => {
  if (text !== undefined) writeFileSync(join(dir, 'other.json'), text);
  return join(dir, text === undefined ? 'body.json' : 'other.json');
};
const test = (body?: string, ...more: string[]) => run('test', '--source', 'jira', '--file', file(body), ...more);

describe('bellwether webhook test', () => {
  it('shows signature, conditions, fields, request and id of a recorded delivery, and says 0', async () => {
    const { code, out, err } = await test(undefined, ...headers, '--at', AT);
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/signature: {2}good; delivery 3a1f5c0e-\S+, sent 2026-11-21T14:26:02\.750Z/);
    expect(out).toContain(
      'holds: /changelog/items has an element where /field is "status" and /toString is "Approved"',
    );
    expect(out).toContain(
      'operation      "upgrade" from /issue/fields/customfield_10042/value (there: "Upgrade hosted engine")',
    );
    expect(out).toContain('host           left out (nothing at /issue/fields/customfield_10044)');
    expect(out).toContain('"requestedBy": "webhook:jira"');
    expect(out).toContain('would start upgrade/Default/OPS-17');
  });

  it('shows the tracker of a request, and what an operator’s word in the ticket would do', async () => {
    const [source] = recipes().filter(({ name }) => name === 'rt');
    writeFileSync(join(dir, 'rt.json'), JSON.stringify([{ ...source, secretFiles: [join(dir, 'secret')] }]));
    const ofRt = (body: object) =>
      run(
        'test',
        '--source',
        'rt',
        '--unsigned',
        '--config',
        join(dir, 'rt.json'),
        '--file',
        file(JSON.stringify(body)),
      );
    const ticket = { id: 7, operation: 'Back up configuration', cluster: 'Default', subject: 'nightly' };
    const request = await ofRt({ event: 'status', to: 'approved', ticket });
    expect([request.code, request.out]).toEqual([0, expect.stringContaining('tracker:    rt (not checked here')]);
    const alice = await ofRt({ event: 'comment', ticket, user: 'alice', comment: 'bellwether retry it is mended' });
    expect([alice.code, alice.out]).toEqual([
      0,
      expect.stringContaining('would take retry by alice for the operations of RT-7, because: it is mended'),
    ]);
    const mallory = await ofRt({ event: 'comment', ticket, user: 'mallory', comment: 'bellwether abort' });
    expect([mallory.code, mallory.out]).toEqual([1, expect.stringContaining('refused: abort by mallory')]);
  });

  it('refuses with the reason, parses nothing then, and says 1', async () => {
    const late = await test(undefined, ...headers);
    const verdict = (out: string) => /signature: .*/.exec(out)?.[0];
    expect([late.code, verdict(late.out)]).toEqual([1, expect.stringContaining('REFUSED, too-')]);
    const changed = await test(`${JIRA.body} `, ...headers, '--at', AT);
    expect([changed.code, verdict(changed.out)]).toEqual([1, expect.stringContaining('REFUSED, no-match')]);
    expect(changed.out).not.toContain('fields:');
    expect((await test()).out).toContain('REFUSED, missing-header');
  });

  it('without the signature shows which condition does not hold, and each field that can’t be had', async () => {
    const open = await test(JIRA.body.replaceAll('"Approved"', '"Open"'), '--unsigned');
    expect(open.code).toBe(1);
    expect(open.out).toContain('DOES NOT HOLD: /changelog/items');
    expect(open.out).toContain('nothing to do: /changelog/items is');
    const bad = await test(JIRA.body.replace('"Default"', '"a/b"').replace('Upgrade hosted', 'Update'), '--unsigned');
    expect(bad.code).toBe(1);
    expect(bad.out).toContain(
      'operation      PROBLEM: /issue/fields/customfield_10042/value is "Update engine", and the map',
    );
    const slash = await test(JIRA.body.replace('"Default"', '"a/b"'), '--unsigned');
    expect(slash.out).toMatch(/cluster: a cluster: letters.* \(It came from \/issue\/fields\/customfield_10043\.\)/);
  });

  it('is machine-readable, and checks what is checked before a start', async () => {
    const { code, out } = await test(undefined, '--unsigned', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      source: 'jira',
      signature: 'skipped',
      operation: 'upgrade/Default/OPS-17',
      wouldStart: true,
      reading: { kind: 'request', request: { operation: 'upgrade', key: 'OPS-17' } },
    });
    const data = { operation: 'upgrade', cluster: 'Default', ticket: 'T', source: 'request', vmConf: 'memSize=lots\n' };
    const native = await run('test', '--source', 'desk-native', '--file', file(JSON.stringify(data)), '--unsigned');
    expect(native.code).toBe(1);
    expect(native.out).toContain('the native body is expected');
    expect(native.out).toMatch(/memSize: /);
  });

  it('tells wrong usage with 2: no such source, no file, no header, no time, a bad file of sources', async () => {
    const unknown = await run('test', '--source', 'nobody', '--file', file());
    expect([unknown.code, unknown.err]).toEqual([2, expect.stringMatching(/has: servicenow, jira, github/)]);
    expect((await run('test', '--source', 'jira', '--file', join(dir, 'none'))).code).toBe(2);
    expect((await test(undefined, '--header', 'nonsense')).code).toBe(2);
    expect((await test(undefined, '--at', 'noon')).code).toBe(2);
    const bad = await test(undefined, '--config', file('[{"name":"A"}]'));
    expect([bad.code, bad.err]).toEqual([2, expect.stringContaining('0.name: lower-case')]);
  });
});

describe('bellwether webhook deliveries', () => {
  it('lists what came, with the last refusal of each source', async () => {
    expect(await run('deliveries')).toMatchObject({ code: 0, err: 'no deliveries\n' });
    await fetch(`${served.url}/webhooks/servicedesk`, { method: 'POST', body: '{}' });
    const { code, out } = await run('deliveries', '--source', 'servicedesk');
    expect(code).toBe(0);
    expect(out).toMatch(/Z {2}servicedesk {4}refused {7}401 {2}- +signature-refused: missing-header\n/);
    expect(out).toMatch(/last refused, by source:\n {2}servicedesk: .*signature-refused: missing-header \(urn:uuid:/);
    const { deliveries } = JSON.parse((await run('deliveries', '--json')).out);
    expect(deliveries).toMatchObject([{ remote: '127.0.0.1', size: 2 }]);
    expect((await run('deliveries', '--limit', '0')).code).toBe(1);
  });
});
