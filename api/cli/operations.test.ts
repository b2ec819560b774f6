/** Each command that starts an operation, against a front door whose Temporal is a list. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { OperationRequest } from '../../workflows/model/requests.ts';
import { serveApp } from '../adapters/node.ts';
import { createApp } from '../app.ts';
import { memoryPorts } from '../testing/ports.ts';
import { main } from './main.ts';

const { ports, orders } = memoryPorts({});
let served: Awaited<ReturnType<typeof serveApp>>;
let dir: string;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'bellwether-test-'));
  served = await serveApp(createApp(ports), { host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await served.close();
  rmSync(dir, { recursive: true, force: true });
});
beforeEach(() => {
  orders.length = 0;
});

async function run(...argv: string[]) {
  let err = '';
  const io = {
    stdout: () => undefined,
    stderr: (text: string) => (err += text),
    env: { BELLWETHER_URL: served.url },
  };
  const code = await main([...argv, '--cluster', 'Default', '--ticket', 'CHG7', '--by', 'cli:alice'], io);
  const requests: OperationRequest[] = orders.map(({ input }) => input.request);
  return { code, err, id: orders[0]?.id, summary: orders[0]?.summary, request: requests[0] };
}

const ANSWERS = {
  fqdn: 'engine.example.test',
  adminPasswordSecret: 'admin',
  appliancePasswordSecret: 'appliance',
  host: { name: 'host1', address: 'host1.example.test', bridgeInterface: 'eth0' },
  storage: { type: 'nfs', address: 'storage.example.test', path: '/exports/he' },
  vm: { mac: '00:16:3E:12:34:56' },
  appliance: { source: 's3://images/appliance.qcow2', sha256: 'a'.repeat(64) },
};

describe('a command says', () => {
  it.each([
    [
      'maintenance global on --until 2999-01-01T00:00:00Z',
      { mode: 'on', until: '2999-01-01T00:00:00Z' },
      'global-maintenance/Default/CHG7',
    ],
    ['maintenance global off --reason done', { mode: 'off', reason: 'done' }, 'global-maintenance/Default/CHG7'],
    [
      'host add host4 --address 192.0.2.4 --password-secret root4',
      { host: 'host4', access: { kind: 'password', passwordSecret: 'root4' }, agent: 'reference' },
      'add-host/Default/host4/CHG7',
    ],
    [
      `host add host4 --address 192.0.2.4 --agent bellwether --ssh-key-secret key4 --ssh-port 2222 --ssh-fingerprint SHA256:${'a'.repeat(43)}`,
      { access: { kind: 'public-key' }, agent: 'bellwether', sshKeySecret: 'key4', sshPort: 2222 },
      'add-host/Default/host4/CHG7',
    ],
    [
      'host remove host3 --ssh-key-secret key3',
      { host: 'host3', sshKeySecret: 'key3' },
      'remove-host/Default/host3/CHG7',
    ],
    ['host remove host3 --from-engine', { host: 'host3', fromEngine: true }, 'remove-host/Default/host3/CHG7'],
    [
      'host maintenance host1 --reason DIMM',
      { host: 'host1', reason: 'DIMM' },
      'enter-host-maintenance/Default/host1/CHG7',
    ],
    ['host activate host1', { host: 'host1' }, 'leave-host-maintenance/Default/host1/CHG7'],
    ['host update host2 host3', { hosts: ['host2', 'host3'] }, 'rolling-host-update/Default/CHG7'],
    [
      'vm edit --memory 16384 --cpu 4 --disk data=100 --nic nic1=ovirtmgmt --nic nic2=link-down',
      {
        change: {
          memoryMiB: 16_384,
          cpu: { sockets: 4, cores: 1, threads: 1 },
          disks: [{ disk: 'data', sizeGiB: 100 }],
          nics: [
            { nic: 'nic1', profile: 'ovirtmgmt' },
            { nic: 'nic2', linked: false },
          ],
        },
      },
      'edit-engine-vm/Default/CHG7',
    ],
    ['backup --keep 5', { keep: 5 }, 'backup/Default/CHG7'],
    [
      'restore a/b/manifest.json --item ovf vm.conf',
      { backup: 'a/b/manifest.json', items: ['ovf', 'vm.conf'], apply: false },
      'restore/Default/CHG7',
    ],
    ['reconcile --repair safe', { repair: ['safe'] }, 'reconcile/Default/CHG7'],
  ])('%s', async (words, asked, id) => {
    const done = await run(...words.split(' '));
    expect([done.code, done.err]).toEqual([0, expect.stringContaining(`accepted: ${id}`)]);
    expect(done.request).toMatchObject({ ...asked, ticket: 'CHG7', requestedBy: 'cli:alice', cluster: 'Default' });
    expect(done.summary).toContain('Default (CHG7)');
  });

  it('install with answers from a file, defaults filled in', async () => {
    const file = join(dir, 'answers.json');
    writeFileSync(file, JSON.stringify(ANSWERS));
    const done = await run('install', '--answers', file);
    expect([done.code, done.id]).toEqual([0, 'install/Default/CHG7']);
    expect(done.request).toMatchObject({
      answers: {
        vm: { name: 'HostedEngine', memoryMiB: 16_384, mac: '00:16:3e:12:34:56' },
        networkTest: { kind: 'dns' },
      },
    });
  });
});

describe('what can’t work is refused before anything starts:', () => {
  const answers = (change: object) => () => {
    const file = join(dir, 'bad.json');
    writeFileSync(file, JSON.stringify({ ...ANSWERS, ...change }));
    return ['install', '--answers', file];
  };
  it.each<[string, string[] | (() => string[]), string]>([
    [
      'a time that is past',
      ['maintenance', 'global', 'on', '--until', '2020-01-01T00:00:00Z'],
      'until: 2020-01-01T00:00:00Z is past',
    ],
    [
      'a time with off',
      ['maintenance', 'global', 'off', '--until', '2999-01-01T00:00:00Z'],
      'until: only with mode on',
    ],
    ['memory below the engine’s minimum', ['vm', 'edit', '--memory', '512'], 'at least 4096 MiB'],
    ['an edit of nothing', ['vm', 'edit'], 'says nothing that is to change'],
    ['a disk without a size', ['vm', 'edit', '--disk', 'data'], 'NAME=GIB is meant'],
    ['a host twice', ['host', 'update', 'host1', 'host1'], 'each host once'],
    ['a multicast MAC', answers({ vm: { mac: '01:16:3e:12:34:56' } }), 'answers.vm.mac: a unicast MAC address'],
    [
      'a gateway outside the network',
      answers({
        vm: {
          mac: ANSWERS.vm.mac,
          staticIp: { address: '192.0.2.10', prefix: 24, gateway: '198.51.100.1', dns: ['192.0.2.1'] },
        },
      }),
      'outside the network',
    ],
    ['localhost as the engine’s name', answers({ fqdn: 'localhost.localdomain' }), 'not localhost'],
    ['answers of another version', answers({ version: 2 }), 'Unrecognized key'],
    [
      'a password instead of its name',
      ['host', 'add', 'h', '--address', 'h', '--password-secret', 'p@ss word'],
      'never the secret itself',
    ],
  ])('%s', async (_what, argv, told) => {
    const { code, err } = await run(...(typeof argv === 'function' ? argv() : argv));
    expect(code === 1 || code === 2).toBe(true);
    expect(err).toContain(told);
    expect(orders).toEqual([]);
  });
});
