import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../../infra/processes.ts';
import { bootClock } from './clock.ts';
import { keptFile } from './kept-file.ts';
import { repeat } from './repeat.ts';
import { vmFact } from './vdsm/vm-fact.ts';
import { readBytes } from './board-io.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'bellwether-parts-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

describe('the boot clock', () => {
  test('never goes back and keeps to the kernel’s', () => {
    const clock = bootClock();
    let last = clock();
    for (let look = 0; look < 2000; look += 1) {
      const now = clock();
      expect(now).toBeGreaterThanOrEqual(last);
      last = now;
    }
    expect(Math.abs(last - Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]) * 1000)).toBeLessThan(50);
  });

  test('goes on while the host sleeps, which Node’s own clock does not', () => {
    const file = join(dir, 'uptime');
    writeFileSync(file, '1000.00 1.0\n');
    const clock = bootClock(file);
    const before = clock();
    writeFileSync(file, '4600.00 1.0\n');
    expect(clock() - before).toBeGreaterThan(3_599_000);
  });
});

describe('repeated work', () => {
  test('never runs twice at once, and one that hangs is left behind', async () => {
    let running = 0;
    let most = 0;
    let runs = 0;
    const work = repeat(1, 30, async (signal) => {
      running += 1;
      most = Math.max(most, running);
      runs += 1;
      if (runs === 2) await new Promise((resolve) => signal.addEventListener('abort', resolve));
      running -= 1;
    });
    await until('five runs', () => runs >= 5, 2000);
    work.stop();
    expect(most).toBe(1);
  });

  test('a failure is followed by the next run, and now() does not wait for its turn', async () => {
    let runs = 0;
    const work = repeat(60_000, 1000, async () => {
      runs += 1;
      throw new Error('it failed');
    });
    await until('the first run', () => runs === 1, 2000);
    work.now();
    await until('the next', () => runs === 2, 2000);
    work.stop();
  });
});

describe('the kept counts', () => {
  const problems: string[] = [];
  const open = (bootId: string, now = 5000) =>
    keptFile({ file: join(dir, 'kept.json'), bootMs: () => now, bootId, problem: (why) => problems.push(why) });

  test('come back after a restart; after a reboot they count as just happened', () => {
    expect(open('a').load()).toBeUndefined();
    open('a').keep({ failures: [1, 2], engineRestarts: [3], moves: [], mine: { sinceMs: 4, healthyMs: undefined } });
    expect(open('a').load()).toEqual({
      failures: [1, 2],
      engineRestarts: [3],
      moves: [],
      mine: { sinceMs: 4, healthyMs: undefined },
    });
    expect(open('b').load()).toEqual({ failures: [5000, 5000], engineRestarts: [5000], moves: [], mine: undefined });
  });

  test('rubbish is named and costs the counts only', () => {
    writeFileSync(join(dir, 'kept.json'), '{"version":1,"failures":"many"}');
    expect(open('a').load()).toBeUndefined();
    expect(problems.at(-1)).toContain('begun anew');
  });
});

describe('VDSM’s words', () => {
  const stats = (status: string, more: object = {}) => vmFact({ vmId: 'x', status, ...more }, 1);

  test.each([
    ['WaitForLaunch', 'launching'],
    ['Powering up', 'up'],
    ['Up', 'up'],
    ['RebootInProgress', 'up'],
    ['Paused', 'paused'],
    ['Powering down', 'stopping'],
    ['Migration Source', 'leaving'],
    ['Migration Destination', 'arriving'],
  ])('%s is %s', (status, state) => expect(stats(status).state).toBe(state));

  test.each([
    [{ exitCode: 1, exitReason: 1, exitMessage: 'Failed to acquire lock: error -243' }, 'lock-held'],
    [{ exitCode: 1, exitReason: 1, exitMessage: 'Lease is held by another host' }, 'lock-held'],
    [{ exitCode: 1, exitReason: 1, exitMessage: 'Is another process using the image [/x]?' }, 'lock-held'],
    [{ exitCode: 1, exitReason: 1, exitMessage: 'no such device' }, 'failed'],
    [{ exitCode: 0, exitReason: 4 }, 'migrated'],
    [{ exitCode: 0, exitReason: 6 }, 'shutdown'],
    [{ exitCode: 0, exitReason: 7 }, 'shutdown'],
    [{ exitCode: 1, exitReason: 2 }, 'crashed'],
    [{ exitCode: 1, exitReason: 14 }, 'crashed'],
  ])('Down with %o is %s', (more, exit) => expect(stats('Down', more)).toMatchObject({ state: 'down', exit }));
});

describe('a volume’s first bytes', () => {
  test('are read past a chunk’s end, fewer when it is shorter', () => {
    const file = join(dir, 'volume');
    const content = Buffer.alloc(3 * 2 ** 20 + 4096, 'bellwether');
    writeFileSync(file, content);
    expect(readBytes(file, 2 ** 20 + 100).bytes.equals(content.subarray(0, 2 ** 20 + 100))).toBe(true);
    expect(readBytes(file, 2 ** 23).bytes.equals(content)).toBe(true);
    expect(() => readBytes(join(dir, 'none'), 100)).toThrow(/ENOENT/);
  });
});
