import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../../../processes.ts';
import { guestRuns, splitBrain } from '../guest-log.ts';
import { watchDisk } from './disk-watch.ts';

let dir: string;
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'bw-disk-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** Each write is seen before the next one is made. */
async function play(boots: readonly string[]) {
  const [disk, log] = [join(dir, 'disk'), join(dir, 'log')];
  writeFileSync(disk, Buffer.alloc(4096));
  const end = watchDisk(disk, log, (token) => token);
  try {
    for (const [n, boot] of boots.entries()) {
      const before = seen(log);
      writeFileSync(disk, `boot=${boot} host=host${n} pid=${n + 1} n=${n}`.padEnd(512), { flag: 'r+' });
      await until('the write to be seen', () => seen(log) !== before, 5000);
    }
  } finally {
    end();
  }
  return guestRuns(log);
}
const seen = (log: string) => JSON.stringify(guestRuns(log));

const [one, two] = [randomUUID(), randomUUID()];

test('one guest after the other is no split brain', async () => {
  const runs = await play([one, one, two, two]);
  expect(runs).toMatchObject([
    { boot: one, host: 'host1', pid: 2 },
    { boot: two, host: 'host3', pid: 4 },
  ]);
  expect(splitBrain(runs)).toBeUndefined();
});

test('two guests that take turns are', async () => {
  const pair = splitBrain(await play([one, two, one]));
  expect(pair?.map(({ boot }) => boot)).toEqual([one, two]);
});
