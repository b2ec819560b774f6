import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BLOCK_BYTES,
  extraText,
  formatGlobalBlock,
  formatHostBlock,
  type HostBlock,
} from '../../../activities/storage/whiteboard.ts';
import { main } from './main.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'bellwether-status-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

function slot(hostId: number, more: Partial<HostBlock> = {}, state: Record<string, string | boolean> = {}): Buffer {
  const score = more.score ?? 3400;
  const at = new Date('2026-01-02T03:04:05Z');
  const formatted = formatHostBlock({
    hostId,
    hostTs: 5000 + hostId,
    score,
    engineStatus: { vm: 'down', health: 'bad', detail: 'unknown', reason: 'vm not running on this host' },
    hostname: `node-${hostId}.example.test`,
    localMaintenance: false,
    stopped: false,
    confOnSharedStorage: true,
    localConfTimestamp: 4990,
    extra: extraText({
      hostTs: 5000 + hostId,
      at,
      hostId,
      score,
      localConfTimestamp: 4990,
      confRefreshedAt: at,
      confOnSharedStorage: true,
      state: { state: 'EngineDown', maintenance: false, stopped: false, ...state },
    }),
    ...more,
  });
  if (!formatted.ok) throw new Error(formatted.why);
  return formatted.bytes;
}

function board(name: string, slots: Readonly<Record<number, Buffer>>): string {
  const bytes = Buffer.alloc(64 * BLOCK_BYTES);
  for (const [id, block] of Object.entries(slots)) block.copy(bytes, Number(id) * BLOCK_BYTES);
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

async function run(...argv: string[]) {
  let out = '';
  let err = '';
  const code = await main(argv, { stdout: (text) => void (out += text), stderr: (text) => void (err += text) });
  return { code, out, err };
}

const healthy = () =>
  board('healthy', {
    0: formatGlobalBlock(true),
    1: slot(1, { engineStatus: { vm: 'up', health: 'good', detail: 'Up' } }, { state: 'EngineUp' }),
    2: slot(2, { score: 0, localMaintenance: true }, { state: 'LocalMaintenance', maintenance: true }),
    11: slot(
      11,
      { score: 2600 },
      {
        bellwether: '1',
        'interval-ms': '2000',
        network: '1',
        'network-age-ms': '500',
        'sanlock-io': '10',
        'sanlock-watchdog': '60',
        'cannot-run': 'not enough memory',
      },
    ),
  });

describe('bellwether-host status --metadata', () => {
  it('shows every host on one line', async () => {
    const path = healthy();
    const { code, out, err } = await run('status', '--metadata', path);
    expect(err).toBe('');
    expect(code).toBe(0);
    expect(out.split('\n')).toEqual([
      `HA metadata in ${path}, as it was when it was read`,
      'global maintenance: ON: no agent starts, stops or moves the engine VM',
      'engine VM:          on host 1 (node-1.example.test)',
      '',
      expect.stringMatching(/^id +host +state +score +engine VM +maintenance +agent +heartbeat$/),
      expect.stringMatching(
        /^1 +node-1\.example\.test +EngineUp +3400 +up, health good \(Up\) +- +reference +age not known \(host-ts 5001\)$/,
      ),
      expect.stringMatching(
        /^2 +node-2\.example\.test +LocalMaintenance +0 +down \(vm not running.*\) +local +reference /,
      ),
      expect.stringMatching(/^11 +node-11\.example\.test +EngineDown +2600 +down .* - +bellwether, 2 s +age not known/),
      'host 11 can’t run the engine VM: not enough memory',
      '',
    ]);
  });

  it('says the same as JSON', async () => {
    const path = healthy();
    const { code, out } = await run('status', '--metadata', path, '--json');
    expect(code).toBe(0);
    const said: unknown = JSON.parse(out);
    expect(said).toMatchObject({
      source: path,
      globalMaintenance: { on: true },
      hosts: [
        { id: 1, hostname: 'node-1.example.test', state: 'EngineUp', score: 3400, heartbeatAgeSeconds: null },
        { id: 2, localMaintenance: true, engine: { vm: 'down' }, extra: { state: 'LocalMaintenance' } },
        { id: 11, agent: 'bellwether', announcement: { intervalMs: 2000, cannotRun: 'not enough memory' } },
      ],
      faulty: [],
    });
  });

  it('speaks as hosted-engine does', async () => {
    const path = board('compat', {
      0: formatGlobalBlock(false),
      3: slot(3, { engineStatus: { vm: 'up', health: 'good', detail: 'Up' }, extra: 'state=EngineUp\n' }),
      9: Buffer.alloc(BLOCK_BYTES, 'x'),
    });
    const { code, out } = await run('status', '--metadata', path, '--compat');
    expect(code).toBe(0);
    expect(out).toContain('"engine-status": {"vm": "up", "health": "good", "detail": "Up"}, "hostname": "node-3');
    expect(JSON.parse(out)).toEqual({
      '3': {
        'host-id': 3,
        'host-ts': 5003,
        score: 3400,
        'engine-status': { vm: 'up', health: 'good', detail: 'Up' },
        hostname: 'node-3.example.test',
        maintenance: false,
        stopped: false,
        crc32: expect.stringMatching(/^[0-9a-f]{8}$/),
        conf_on_shared_storage: true,
        local_conf_timestamp: 4990,
        extra: 'state=EngineUp\n',
        'live-data': false,
      },
      global_maintenance: false,
    });
  });
});

describe('garbage in slots', () => {
  const garbage = () => {
    const corrupt = slot(5);
    corrupt.write('9', 4);
    const escape = slot(6, { extra: 'state=Engine\tDown\n' });
    return board('garbage', {
      0: Buffer.from('maintenance=perhaps'),
      1: slot(1, { engineStatus: { vm: 'up', health: 'bad', detail: 'Paused' } }),
      2: slot(2, { engineStatus: { vm: 'up', health: 'good', detail: 'Up' } }),
      3: Buffer.from([0xff, 0xfe, 0x00, 0x41]),
      4: Buffer.from('2|2|of tomorrow'),
      5: corrupt,
      6: escape,
    });
  };

  it('is named slot by slot and hides no host', async () => {
    const { code, out } = await run('status', '--metadata', garbage());
    expect(code).toBe(0);
    expect(out).toContain('global maintenance: NOT READABLE: maintenance is "perhaps"');
    expect(out).toContain('claimed by 2 hosts: host 1 (node-1.example.test), host 2 (node-2.example.test)');
    expect(out).toContain('3 slots not readable');
    expect(out).toMatch(/slot 3 +not-text +the machine part is not UTF-8/);
    expect(out).toMatch(/slot 4 +too-new +written by a newer agent \(format 2\)/);
    expect(out).toMatch(/slot 5 +bad-checksum/);
    expect(out).toContain('--host-id=3');
    expect(out).toContain('Engine?Down');
  });

  it('is in the JSON too', async () => {
    const { out } = await run('status', '--metadata', garbage(), '--json');
    expect(JSON.parse(out)).toMatchObject({
      globalMaintenance: { on: null, fault: 'maintenance is "perhaps"' },
      hosts: [{ id: 1 }, { id: 2 }, { id: 6 }],
      faulty: [
        { id: 3, fault: 'not-text' },
        { id: 4, fault: 'too-new' },
        { id: 5, fault: 'bad-checksum' },
      ],
    });
  });

  it('and nothing else means that it is another file', async () => {
    const path = join(directory, 'other');
    writeFileSync(path, Buffer.alloc(64 * BLOCK_BYTES, 'not a board '));
    const { code, out, err } = await run('status', '--metadata', path);
    expect([code, out]).toEqual([1, '']);
    expect(err).toContain(`failed: ${path}: none of its slots can be read\nwhy:    63 slots hold something else`);
    expect(err).toContain('do:     Make sure that it is the he_metadata volume');
  });
});

describe('what can’t be done', () => {
  it('is told with why and what to do', async () => {
    const { code, err } = await run('status', '--metadata', join(directory, 'missing'));
    expect(code).toBe(1);
    expect(err).toMatch(/^failed: .*missing: the HA metadata can’t be read\nwhy: +ENOENT.*\ndo: +/);
    writeFileSync(join(directory, 'tiny'), 'x');
    expect((await run('status', '--metadata', join(directory, 'tiny'))).err).toContain('it has not even slot 0');
  });

  it('is JSON where JSON was asked for', async () => {
    const { code, out, err } = await run('status', '--metadata', join(directory, 'missing'), '--compat');
    expect([code, out]).toEqual([1, '']);
    expect(JSON.parse(err)).toMatchObject({ type: 'whiteboard/io', code: 'ENOENT' });
  });

  it('asks the worker when no file is named, and says what to do when none runs', async () => {
    const { code, err } = await run('status', '--socket', join(directory, 'none.socket'));
    expect(code).toBe(1);
    expect(err).toContain('the worker of this host does not answer');
    expect(err).toContain('--metadata FILE');
  });

  it('an empty board is no failure', async () => {
    const { code, out } = await run('status', '--metadata', board('empty', {}));
    expect(code).toBe(0);
    expect(out).toContain('off (never set)');
    expect(out).toContain('no host has written here');
  });
});

it('runs as a program', async () => {
  const program = fileURLToPath(new URL('bellwether-host.mjs', import.meta.url));
  const { stdout } = await promisify(execFile)(program, ['status', '--metadata', healthy()]);
  expect(stdout).toContain('node-11.example.test');
});
