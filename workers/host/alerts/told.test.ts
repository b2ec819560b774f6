import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { scratch } from '../journal/testing.ts';
import { createTold } from './told.ts';

const HOUR = 3_600_000;
let wallMs = 1e12;
const folders: string[] = [];
const logged: string[] = [];
afterEach(() => {
  wallMs = 1e12;
  logged.length = 0;
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function place(): string {
  const folder = scratch();
  folders.push(folder);
  return join(folder, 'state', 'told.json');
}

const told = (file?: string) =>
  createTold({
    wallMs: () => wallMs,
    repeatMs: 2 * HOUR,
    log: (_, text) => logged.push(text),
    ...(file === undefined ? {} : { file }),
  });

describe('what was told', () => {
  it('is told again after two hours, or when it changed, and counts what was not said', () => {
    const memory = told();
    expect(memory.take('a', 'x', 6)).toEqual({ fresh: true, before: 0 });
    expect(memory.take('a', 'x', 6).fresh).toBe(false);
    expect(memory.take('a', 'y', 6).fresh).toBe(true);
    expect(memory.take('b', 'x', 6).fresh).toBe(true);
    wallMs += 2 * HOUR - 1;
    expect(memory.take('a', 'x', 6).fresh).toBe(false);
    wallMs += 1;
    expect(memory.take('a', 'x', 6)).toEqual({ fresh: true, before: 2 });
  });

  it('is limited for each kind, however its words change', () => {
    const memory = told();
    const count = (kind: string) =>
      Array.from({ length: 20 }, (_, at) => memory.take(kind, `${at}`, 6)).filter((one) => one.fresh).length;
    expect(count('a')).toBe(6);
    expect(count('b')).toBe(6);
    wallMs += 2 * HOUR;
    expect(count('a')).toBe(6);
  });

  it('is told again when it could not be delivered', () => {
    const memory = told();
    memory.take('a', 'x', 6);
    memory.forget('a', 'x');
    memory.forget('a', 'never told');
    expect(memory.take('a', 'x', 6).fresh).toBe(true);
  });

  it('is not silenced by a clock that was set back by a day', () => {
    const memory = told();
    memory.take('a', 'x', 6);
    wallMs -= 24 * HOUR;
    expect(memory.take('a', 'x', 6).fresh).toBe(true);
  });

  it('outlives the process', async () => {
    const file = place();
    const first = told(file);
    first.take('a', 'x', 6);
    first.take('a', 'y', 6);
    first.forget('a', 'y');
    await first.saved();
    const second = told(file);
    expect([second.take('a', 'x', 6).fresh, second.take('a', 'y', 6).fresh]).toEqual([false, true]);
    await second.saved();
    expect(JSON.parse(readFileSync(file, 'utf8'))).toHaveLength(2);
    expect(logged).toEqual([]);
  });

  it('begins anew with a file that makes no sense, and only complains when it cannot save', async () => {
    const file = place();
    const memory = told(file);
    writeFileSync(dirname(file), 'in the way');
    expect(memory.take('a', 'x', 6).fresh).toBe(true);
    await memory.saved();
    expect(logged.join()).toContain(file);
    rmSync(dirname(file));
    memory.take('a', 'y', 6);
    await memory.saved();
    writeFileSync(file, '[{"kind":1}]');
    expect(told(file).take('a', 'x', 6).fresh).toBe(true);
  });
});
