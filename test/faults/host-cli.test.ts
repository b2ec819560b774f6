/** What an administrator asks and orders on a host, through the program, against running workers. */
import { execFile, execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { quiet } from '../../infra/lab/failover/faults.ts';
import { startFailoverLab, type FailoverHost, type FailoverLab } from '../../infra/lab/failover/lab.ts';
import { until } from '../../infra/processes.ts';
import { bundleHostWorker, type Bundle } from '../../infra/systemd/bundle.ts';

const LIMIT_MS = 240_000;
const python = spawnSync('python3', ['-c', 'import xmlrpc.client']).status === 0;
if (!python)
  process.stdout.write('Skipped: the running worker’s broker socket with Python’s client (no python3 here)\n');

/** As VDSM's and the `hosted-engine` tool's client does it (ha-agent.md 4.1, 8). */
const HA_CLIENT = `
import http.client, json, socket, sys, xmlrpc.client
class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.connect(sys.argv[1])
class Unix(xmlrpc.client.Transport):
    def make_connection(self, host):
        return Connection('broker')
broker = xmlrpc.client.ServerProxy('http://broker', transport=Unix(), allow_none=True)
if len(sys.argv) > 2:
    broker.put_stats(0, xmlrpc.client.Binary(('maintenance=' + sys.argv[2]).ljust(4096, '\\0').encode()))
stats = broker.get_stats()
hosts = {i: b.data[:512].decode().split('|') for i, b in stats.items() if i != '0'}
print(json.dumps({'scores': {i: int(f[4]) for i, f in hosts.items()}, 'names': sorted(f[6] for f in hosts.values()),
                  'global': stats['0'].data.decode().rstrip('\\0'), 'alive': broker.is_host_alive(),
                  'health': broker.status_monitor(broker.start_monitor('engine-health', {'vm_uuid': 'x'}))}))
`;

let dir: string;
let bundle: Bundle;
let lab: FailoverLab;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'bw-cli-'));
  bundle = await bundleHostWorker(dir);
  lab = await startFailoverLab({ dir: join(dir, 'l'), sanlock: 'model', worker: [process.execPath, bundle.file] });
  await quiet(lab);
}, 120_000);
afterAll(async () => {
  await lab?.close();
  rmSync(dir, { recursive: true, force: true });
});

function host(at: number): FailoverHost {
  const found = lab.hosts[at];
  if (found === undefined) throw new Error(`no host ${at}`);
  return found;
}

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function ask(on: FailoverHost, ...args: string[]): Promise<Said> {
  const env = { ...process.env, BELLWETHER_HOST_SOCKET: on.socket };
  return new Promise((resolve) => {
    execFile(process.execPath, [bundle.file, ...args], { env }, (error, out, err) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, out, err }),
    );
  });
}

describe('the bundle', () => {
  test('carries nothing of Temporal, Hono or S3 and stays below 2 MB', () => {
    expect(bundle.heavy).toEqual([]);
    expect(bundle.bytes).toBeLessThan(2_000_000);
    expect(bundle.inputs.length).toBeGreaterThan(50);
  });
});

describe('questions', () => {
  test('status shows all hosts, the engine VM and the lease', async () => {
    const { code, out } = await ask(host(1), 'status');
    expect(code).toBe(0);
    for (const { name } of lab.hosts) expect(out).toContain(name);
    expect(out).toMatch(/EngineUp/);
    expect(out).toMatch(/lease/i);
  });

  test('status --json has the same, and --compat the shape of hosted-engine --vm-status', async () => {
    const own: unknown = JSON.parse((await ask(host(1), 'status', '--json')).out);
    expect(own).toMatchObject({ hosts: expect.arrayContaining([expect.objectContaining({ id: 1 })]) });
    const compat: unknown = JSON.parse((await ask(host(1), 'status', '--compat')).out);
    expect(compat).toMatchObject({
      '1': { hostname: 'host1', 'host-id': 1, 'live-data': true, score: expect.any(Number), stopped: false },
      global_maintenance: false,
    });
  });

  test('why is one screen', async () => {
    const { code, out } = await ask(host(0), 'why');
    expect(code).toBe(0);
    expect(out.split('\n').length).toBeLessThanOrEqual(25);
    expect(out).toContain('host1');
  });

  test('what-if tells what would come of the loss of the engine’s host', async () => {
    const { code, out } = await ask(host(1), 'what-if', 'host1', 'lost');
    expect(code).toBe(0);
    expect(out).toMatch(/host[23]/);
    const capacity = await ask(host(1), 'what-if', 'capacity');
    expect(capacity.out).toContain('2 host failures');
    const unknown = await ask(host(1), 'what-if', 'the moon falls down');
    expect(unknown.code).toBe(1);
    expect(unknown.err).toContain('host2');
  });

  test('the journal is whole and can be decided again', async () => {
    const file = join(host(0).dir, 'journal.jsonl');
    for (const what of ['verify', 'replay', 'show'])
      expect((await ask(host(0), 'journal', what, '--file', file)).code).toBe(0);
    expect((await ask(host(0), 'journal', 'eat', '--file', file)).code).toBe(1);
  });
});

describe.skipIf(!python)('the broker’s socket of a running worker', () => {
  const client = (on: FailoverHost, ...args: string[]): unknown =>
    JSON.parse(
      execFileSync('python3', ['-c', HA_CLIENT, join(on.dir, 'broker.socket'), ...args], { encoding: 'utf8' }),
    );

  test('tells VDSM the scores of all hosts and who lives', () => {
    expect(client(host(0))).toMatchObject({
      scores: { '1': expect.any(Number), '2': expect.any(Number), '3': expect.any(Number) },
      names: ['host1', 'host2', 'host3'],
      alive: [1, 2, 3],
      health: expect.stringContaining('"health":"good"'),
    });
  });

  test(
    'takes global maintenance from it: every host honours it, and leaves it again',
    { timeout: LIMIT_MS },
    async () => {
      const all = (state: string) => async () => {
        const states = await Promise.all(
          lab.hosts.map(async (each) => (await each.ask())?.round?.decision.memory.state),
        );
        return states.every((one) => one === state || (state !== 'GlobalMaintenance' && one !== 'GlobalMaintenance'));
      };
      expect(client(host(1), '1')).toMatchObject({ global: 'maintenance=1' });
      await until('all hosts to honour it', all('GlobalMaintenance'), 60_000);
      expect(client(host(2), '0')).toMatchObject({ global: 'maintenance=0' });
      await until('all hosts to leave it', all('left'), 60_000);
      await quiet(lab);
    },
  );
});

describe('orders', () => {
  test('guards refuse and say why', async () => {
    const second = await ask(host(1), 'vm', 'start');
    expect([second.code, second.err]).toEqual([1, expect.stringContaining('host1')]);
    const here = await ask(host(0), 'vm', 'start');
    expect(here.err).toContain('it is here already');
    const stop = await ask(host(0), 'vm', 'shutdown');
    expect(stop.err).toContain('without global maintenance');
    const own = await ask(host(0), 'slot', 'clean', '1');
    expect(own.err).toContain('this host’s own');
    const living = await ask(host(0), 'slot', 'clean', '2');
    expect(living.err).toContain('lives and writes it');
    const lockspace = await ask(host(0), 'lockspace', 'reinit');
    expect(lockspace.err).toContain('global maintenance is off');
    const drill = await ask(host(1), 'drill');
    expect(drill.err).toContain('not on this host');
    expect(lab.where()).toBe(host(0));
  });

  test('priority is told to the others, and kept', async () => {
    expect((await ask(host(2), 'priority', '7')).code).toBe(0);
    const seen = async () =>
      (await host(0).ask())?.round?.decision.memory.peers.get(host(2).id)?.report.said?.priority === 7;
    await until('the others to see it', seen, 60_000);
    expect(readFileSync(join(host(2).dir, 'priority'), 'utf8')).toBe('7\n');
    expect((await ask(host(2), 'priority', 'high')).code).toBe(1);
  });

  test('a drill moves the engine and comes back with the time', { timeout: LIMIT_MS }, async () => {
    const { code, out, err } = await ask(host(0), 'drill');
    expect([code, err]).toEqual([0, '']);
    expect(out).toMatch(/migrated to host3; that host reported it healthy after [\d.]+ s/);
  });

  test(
    'global maintenance is confirmed by reading it back; then the VM may be stopped and started by hand',
    { timeout: LIMIT_MS },
    async () => {
      const set = await ask(host(0), 'maintenance', 'global', '--reason', 'upgrade', '--until', '+2h');
      expect([set.code, set.err]).toEqual([0, '']);
      expect(set.out).toContain('read back from the board');
      await until(
        'host3 to honour it',
        async () => (await host(2).ask())?.round?.decision.memory.state === 'GlobalMaintenance',
        20_000,
      );
      expect((await ask(host(2), 'vm', 'poweroff')).code).toBe(0);
      await until('the VM to stop', () => lab.running() === undefined, 60_000);
      const start = async () => (await ask(host(1), 'vm', 'start')).code === 0;
      await until('host2 to be allowed to start it', start, 90_000);
      await until('the engine to be healthy', () => lab.healthy(), 60_000);
      expect(lab.where()).toBe(host(1));
      const none = await ask(host(1), 'maintenance', 'none');
      expect([none.code, none.err]).toEqual([0, '']);
      await quiet(lab);
    },
  );

  test('the slot of a host that is gone can be emptied', { timeout: LIMIT_MS }, async () => {
    await host(2).powerOff();
    const clean = async () => (await ask(host(0), 'slot', 'clean', '3')).code === 0;
    await until('host3 to count as gone', clean, 60_000);
    expect((await ask(host(0), 'status')).out).not.toMatch(/^host3 .*alive/m);
  });
});
