import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { makePki } from '../pki.ts';
import { testFixture } from '../vdsm/lab-for-tests.ts';

let dir: string;
let port: number;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'lab-engine-main-'));
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  ({ port } = probe.address() as AddressInfo);
  probe.close();
  const fixture = testFixture(dir);
  makePki(dir, { engine: [fixture.engine.fqdn], hosts: fixture.hosts });
  mkdirSync(`${dir}/engine`);
  writeFileSync(fixture.engine.passwordFile, 'secret\n');
  writeFileSync(`${dir}/lab.json`, JSON.stringify({ ...fixture, engine: { ...fixture.engine, port } }));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

async function start(): Promise<ChildProcess> {
  const main = fileURLToPath(new URL('./main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', main, '--dir', dir], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data');
  expect(String(line)).toBe(`engine listens on https://127.0.0.1:${port}/ovirt-engine/api\n`);
  return child;
}

function health(): Promise<string> {
  return new Promise((resolve, reject) => {
    const ca = readFileSync(`${dir}/pki/ca.pem`);
    request({ host: '127.0.0.1', port, path: '/ovirt-engine/services/health', ca, agent: false }, (response) => {
      response.on('data', (chunk: Buffer) => resolve(chunk.toString()));
    })
      .on('error', reject)
      .end();
  });
}

it('is the engine: there while it lives, gone when killed, with its database when it comes back', async () => {
  const first = await start();
  expect(await health()).toBe('DB Up!Welcome to Health Status!');
  first.kill('SIGKILL');
  await once(first, 'exit');
  await expect(health()).rejects.toThrow(/ECONNREFUSED/);
  const { instanceId } = JSON.parse(readFileSync(`${dir}/engine/database.json`, 'utf8')) as { instanceId: string };
  const key = readFileSync(`${dir}/engine/lab-key`, 'utf8');

  const second = await start();
  second.kill('SIGTERM');
  expect(await once(second, 'exit')).toEqual([0, null]);
  const after = JSON.parse(readFileSync(`${dir}/engine/database.json`, 'utf8')) as { instanceId: string };
  expect([after.instanceId, readFileSync(`${dir}/engine/lab-key`, 'utf8')]).toEqual([instanceId, key]);
  expect(existsSync(`${dir}/engine/database.json.new`)).toBe(false);
});

it('ends when the lab that holds its standard input dies', async () => {
  const child = await start();
  child.stdin?.destroy();
  expect(await once(child, 'exit')).toEqual([0, null]);
});
