import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { freePorts } from '../../infra/processes.ts';
import { serveApp } from '../adapters/node.ts';
import { createApp } from '../app.ts';
import { startTestDoor, type TestDoor } from '../testing/door.ts';
import { main } from './main.ts';

let door: TestDoor;
beforeAll(async () => {
  door = await startTestDoor();
});
afterAll(() => door.stop());

async function run(argv: readonly string[], env: NodeJS.ProcessEnv = {}) {
  let out = '';
  let err = '';
  const io = {
    stdout: (text: string) => (out += text),
    stderr: (text: string) => (err += text),
    env: { BELLWETHER_URL: door.served.url, ...env },
  };
  const code = await main(argv, io);
  return { code, out, err };
}

const upgrade = (...more: string[]) => run(['upgrade', '--cluster', 'Default', ...more]);
const operation = (...argv: string[]) => run(['operation', ...argv]);

describe('bellwether upgrade', () => {
  it('sends the vm.conf, follows to the end and says 0', async () => {
    const conf = join(door.dir, 'vm.conf');
    writeFileSync(conf, 'vmId=7d1b6c0a-8e5f-4f3d-9a2c-0b1c2d3e4f50\nmemSize=16384\nsmp=4\nvmName=HostedEngine\n');
    const { code, out, err } = await upgrade('--vm-conf', conf, '--ticket', 'CHG1', '--by', 'cli:alice', '--watch');
    expect(err).toContain('accepted: upgrade/Default/CHG1 (queued)');
    expect(err).toContain('Temporal UI: http://127.0.0.1:8233/');
    expect(out).toContain('(by cli:alice, ticket CHG1');
    expect(out).toContain('outcome: done by the test');
    expect(code).toBe(0);
  });

  it('draws a key where none is given and tells it; the same key again starts nothing', async () => {
    const first = await upgrade('--json');
    const key = /--key (cli-[0-9a-f]{12})/.exec(first.err)?.[1] ?? '';
    expect(JSON.parse(first.out)).toMatchObject({ id: `upgrade/Default/${key}`, state: 'queued' });
    const again = await upgrade('--key', key, '--json');
    expect(JSON.parse(again.out)).toEqual(JSON.parse(first.out));
    expect((await upgrade('--key', key, '--source', 'engine')).code).toBe(1);
  });

  it('tells a bad vm.conf by line, key and remedy, and says 1', async () => {
    const conf = join(door.dir, 'bad.conf');
    writeFileSync(conf, 'vmId=not-a-uuid\nmemSize=lots\n');
    const { code, err } = await upgrade('--vm-conf', conf, '--ticket', 'CHG2');
    expect(code).toBe(1);
    expect(err).toMatch(/^failed: starting the operation\nwhy: {4}The vm.conf can’t be used/);
    expect(err).toMatch(/line 1, vmId: .*UUID/);
    expect(err).toContain(`curl ${door.served.url}/problems/invalid-vm-conf`);
  });

  it('parked says 3 with what to run, and the run of it leads to the end', async () => {
    const { code, out } = await upgrade('--ticket', 'PARK-cli', '--watch');
    const id = 'upgrade/Default/PARK-cli';
    expect(code).toBe(3);
    expect(out).toContain(`then:        npx bellwether operation retry ${id}`);
    expect(await operation('list', '--state', 'queued', '--json')).toMatchObject({ code: 0 });
    const skip = await operation('skip', id, '--by', 'alice');
    expect([skip.code, skip.err]).toEqual([
      1,
      expect.stringContaining('skip is not possible: the operation is parked'),
    ]);
    expect(skip.err).toContain(`run:    npx bellwether operation show ${id}`);
    expect((await operation('retry', id, '--by', 'alice', '--reason', 'it is up')).code).toBe(0);
    expect((await operation('watch', id)).code).toBe(0);
    expect((await operation('show', id)).out).toContain('[2/2] import-domain             done');
  });
});

describe('bellwether operation', () => {
  it('abort ends in 1 for who watches', async () => {
    const id = 'upgrade/Default/PARK-abort';
    await upgrade('--key', 'PARK-abort', '--watch');
    const abort = await operation('abort', id, '--by', 'alice', '--json');
    expect(JSON.parse(abort.out)).toMatchObject({ id, action: 'abort', by: 'alice' });
    const watch = await operation('watch', id, '--json');
    expect(watch.code).toBe(1);
    expect(JSON.parse(watch.out.trim().split('\n').at(-1) ?? '')).toMatchObject({ state: 'aborted' });
  });

  it('crashed in Temporal is a failure', async () => {
    await upgrade('--key', 'CRASH-1');
    const { code, out } = await operation('watch', 'upgrade/Default/CRASH-1');
    expect(code).toBe(1);
    expect(out).toContain('failed');
  });

  it('unknown is a problem with what to run', async () => {
    const { code, err } = await operation('show', 'upgrade/Default/nothing');
    expect(code).toBe(1);
    expect(err).toContain('run:    npx bellwether operation list');
    const asJson = await operation('show', 'upgrade/Default/nothing', '--json');
    expect(JSON.parse(asJson.err)).toMatchObject({ type: '/problems/operation-not-found' });
  });
});

describe('exit codes', () => {
  it('2 for a wrong command line or setting', async () => {
    expect((await run(['frobnicate'])).code).toBe(2);
    expect((await run(['upgrade'])).err).toContain('--cluster');
    vi.stubEnv('BELLWETHER_CLUSTER', 'Default');
    try {
      expect((await run(['upgrade', '--vm-conf', '/nowhere'])).err).toContain('/nowhere');
    } finally {
      vi.unstubAllEnvs();
    }
    expect((await upgrade('--ticket', 'a', '--key', 'b')).code).toBe(2);
    expect((await run(['operation', 'list'], { BELLWETHER_URL: 'nonsense' })).code).toBe(2);
    expect((await run(['operation', 'list'], { BELLWETHER_API_TOKEN_FILE: '/nowhere' })).code).toBe(2);
    expect(await run(['--help'])).toMatchObject({ code: 0, out: expect.stringContaining('Exit codes: 0 done') });
  });

  it('4 when the front door is not reached, with the cause and what to run', async () => {
    const [port = 0] = await freePorts(1);
    const { code, err } = await run(['operation', 'list'], { BELLWETHER_URL: `http://127.0.0.1:${port}` });
    expect(code).toBe(4);
    expect(err).toMatch(/failed: calling the front door.*\nwhy: {4}.*ECONNREFUSED.*\nrun: {4}npm start/);
  });

  it('1 for something that answers and is no front door', async () => {
    const page = createServer((_, response) => response.end('<html>hello</html>'));
    await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve));
    const address = page.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const { code, err } = await run(['operation', 'list'], { BELLWETHER_URL: `http://127.0.0.1:${port}/prefix/` });
    page.closeAllConnections();
    page.close();
    expect(code).toBe(1);
    expect(err).toContain('is it Bellwether’s front door?');
    expect(err).toContain(`run:    curl http://127.0.0.1:${port}/prefix/healthz`);
  });

  it('1 under a prefix that leads nowhere', async () => {
    const { code, err } = await run(['operation', 'list'], { BELLWETHER_URL: `${door.served.url}/nowhere/` });
    expect([code, err]).toEqual([1, expect.stringContaining('GET /nowhere/operations leads nowhere')]);
  });
});

describe('a front door with a token', () => {
  it('is used with the token of the file, and tells what is missing without', async () => {
    const token = join(door.dir, 'token');
    writeFileSync(token, '# for the operators\ntoken-of-the-test\n');
    const served = await serveApp(createApp({ ...door.ports, apiTokenFile: token }), { host: '127.0.0.1', port: 0 });
    try {
      const list = (env: NodeJS.ProcessEnv) =>
        run(['operation', 'list', '--json'], { BELLWETHER_URL: served.url, ...env });
      expect((await list({ BELLWETHER_API_TOKEN_FILE: token })).code).toBe(0);
      expect((await run(['operation', 'list'], { BELLWETHER_URL: served.url })).err).toContain(
        'BELLWETHER_API_TOKEN_FILE',
      );
    } finally {
      await served.close(0);
    }
  });
});

describe('the program', () => {
  it('runs as its own process from any folder, without a build', async () => {
    const program = fileURLToPath(new URL('bellwether.mjs', import.meta.url));
    const conf = join(door.dir, 'broken.conf');
    writeFileSync(conf, 'vmId=1\n');
    const { stdout } = await promisify(execFile)(program, ['--help'], { cwd: door.dir });
    expect(stdout).toContain('Usage: bellwether');
    const failed = await promisify(execFile)(program, ['convert', conf], { cwd: door.dir }).catch(
      (error: unknown) => error,
    );
    expect(failed).toMatchObject({ code: 1, stderr: expect.stringContaining('line 1, vmId') });
  });
});
