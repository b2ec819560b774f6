import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { startTestEngine, until } from './testing.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'lab-engine-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

it('keeps its database over a restart, goes on with what was under way, and forgets tokens', async () => {
  const database = join(dir, 'engine', 'database.json');
  const first = await startTestEngine({}, { database });
  // Nothing ends by itself until the engine is "killed".
  first.clock.hold();
  const { server, path } = first.fixture.heDomain;
  await first.api('POST', '/storagedomains', {
    type: 'data',
    host: { name: 'host1' },
    storage: { type: 'nfs', address: server, path },
  });
  const attached = `/datacenters/${first.fixture.dataCenter.id}/storagedomains`;
  await first.api('POST', attached, { id: first.fixture.heDomain.id });
  await first.api('POST', '/hosts', {
    name: 'new',
    address: 'new',
    root_password: 'host-root-password',
    cluster: { name: 'Default' },
  });
  // What a killed engine leaves: the file as the last answer wrote it.
  const killed = readFileSync(database, 'utf8');
  await first.close();
  writeFileSync(database, killed);

  const second = await startTestEngine({}, { database, memory: first.gateway });
  second.token = first.token;
  expect((await second.api('GET', '/hosts')).status).toBe(401);
  await second.login();
  await until(
    'attached in the end',
    async () => (await second.api('GET', `${attached}/${first.fixture.heDomain.id}`)).json['status'] === 'active',
  );
  await until('installed in the end', async () =>
    (await second.api('GET', '/hosts?search=name%3Dnew')).body.includes('"status":"up"'),
  );
  expect((await second.api('GET', '/jobs')).body).toContain('"unknown"');
  await second.close();
});

it('does not start on a file that is none of its own', async () => {
  const database = join(dir, 'broken.json');
  writeFileSync(database, '{"version":99}');
  await expect(startTestEngine({}, { database })).rejects.toThrow(/not one that this version wrote/);
});
