import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BLOCK_BYTES } from '../../../activities/storage/whiteboard.ts';
import type { BoardChild, BoardChildEvents } from './board-child.ts';
import type { BoardRequest } from './board-messages.ts';
import { openWhiteboard, type WhiteboardFile, type WhiteboardOptions } from './whiteboard-file.ts';

const filled = (byte: string) => Buffer.alloc(BLOCK_BYTES, byte);

let directory: string;
let path: string;
const open: WhiteboardFile[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bellwether-board-'));
  path = join(directory, 'metadata');
  writeFileSync(path, Buffer.alloc(256 * BLOCK_BYTES));
});
afterEach(() => {
  for (const board of open.splice(0)) board.close();
  rmSync(directory, { recursive: true });
});

function board(more: Partial<WhiteboardOptions> = {}): WhiteboardFile {
  const opened = openWhiteboard({ path, ...more });
  open.push(opened);
  return opened;
}

const fault = (type: string, more: object = {}) => ({ facts: { type: `whiteboard/${type}`, ...more } });

async function childOf(file: WhiteboardFile): Promise<number> {
  await file.read([1]);
  const { pid } = file.health();
  if (pid === undefined) throw new Error('no child');
  return pid;
}

function ended(pid: number): boolean {
  return !existsSync(`/proc/${pid}`);
}

describe('the HA metadata on a file', () => {
  it('is written by slot and read back, with an age', async () => {
    let now = 1000;
    const file = board({ now: () => now });
    expect(file.health()).toMatchObject({ readAgeMs: undefined, access: undefined, stuck: 0 });
    await file.write(5, filled('a'));
    await file.write(0, filled('g'));
    const reading = await file.read([5, 9]);
    expect(reading).toMatchObject({ startedMs: 1000, whole: false });
    expect(reading.global.equals(filled('g'))).toBe(true);
    expect([...reading.slots.keys()]).toEqual([5, 9]);
    expect(Buffer.isBuffer(reading.slots.get(5))).toBe(true);
    expect(reading.slots.get(5)?.equals(filled('a'))).toBe(true);
    now = 4000;
    expect(file.health()).toMatchObject({ readAgeMs: 3000, writeAgeMs: 3000, stuck: 0 });
    const whole = await file.read();
    expect([...whole.slots.keys()]).toEqual([5]);
    expect(whole.whole).toBe(true);
    expect(file.health().readAgeMs).toBe(0);
    expect(
      readFileSync(path)
        .subarray(5 * BLOCK_BYTES, 6 * BLOCK_BYTES)
        .equals(filled('a')),
    ).toBe(true);
  });

  it('says what is wrong with the file, and finds it again', async () => {
    const file = board();
    renameSync(path, `${path}.away`);
    await expect(file.read()).rejects.toMatchObject(fault('io', { code: 'ENOENT', kind: 'retryable' }));
    writeFileSync(path, 'x');
    await expect(file.write(1, filled('a'))).rejects.toMatchObject(fault('short', { kind: 'needs-operator' }));
    renameSync(`${path}.away`, path);
    expect((await file.read([1])).slots.size).toBe(1);
  });

  it('refuses what can’t be a slot', async () => {
    const file = board();
    await expect(file.write(2001, filled('a'))).rejects.toMatchObject(fault('argument'));
    await expect(file.write(1, Buffer.alloc(1))).rejects.toMatchObject(fault('argument'));
    await expect(file.read([1.5])).rejects.toMatchObject(fault('argument'));
  });

  it('refuses what waits when it is closed, and ends its child', async () => {
    const file = board();
    const pid = await childOf(file);
    process.kill(pid, 'SIGSTOP');
    const all = [file.write(1, filled('a')), file.read([1])].map((each) =>
      expect(each).rejects.toMatchObject(fault('closed')),
    );
    file.close();
    await Promise.all(all);
    await expect(file.read()).rejects.toMatchObject(fault('closed'));
    await vi.waitFor(() => expect(ended(pid)).toBe(true));
  });
});

describe('storage that hangs', () => {
  const SOON = { timeout: 15_000, interval: 10 };

  it('costs one limit; the next access has a fresh child', async () => {
    const file = board({ limitMs: 1000 });
    const pid = await vi.waitFor(() => childOf(file), SOON);
    process.kill(pid, 'SIGSTOP');
    const lost = file.write(2, filled('b'));
    await expect(lost).rejects.toMatchObject(fault('timeout', { outcomeUnknown: true, kind: 'retryable' }));
    expect(file.health().readAgeMs).toBeGreaterThan(900);
    await vi.waitFor(() => file.write(2, filled('c')), SOON);
    expect((await file.read([2])).slots.get(2)?.equals(filled('c'))).toBe(true);
    expect(file.health().pid).not.toBe(pid);
    expect(ended(pid)).toBe(true);
  });

  it('holds up neither the worker’s own files nor more than one child', async () => {
    const file = board({ limitMs: 1000 });
    const pid = await vi.waitFor(() => childOf(file), SOON);
    // Opening a FIFO that nobody writes to hangs in the kernel, as a dead NFS server does.
    const healthy = `${path}.healthy`;
    renameSync(path, healthy);
    execFileSync('sh', ['-c', 'exec "$0" "$1"', 'mkfifo', path]);
    const hung = Array.from({ length: 5 }, () => expect(file.read([1])).rejects.toMatchObject(fault('timeout')));
    expect((await readFile(healthy)).length).toBe(256 * BLOCK_BYTES);
    expect(file.health().pid).toBe(pid);
    await Promise.all(hung);
    rmSync(path);
    renameSync(healthy, path);
    expect((await vi.waitFor(() => file.read([1]), SOON)).slots.size).toBe(1);
    expect(file.health().stuck).toBe(0);
  });

  it('comes back after its child was killed', async () => {
    const file = board();
    const pid = await childOf(file);
    process.kill(pid, 'SIGSTOP');
    const lost = expect(file.read([1])).rejects.toMatchObject(fault('process', { kind: 'retryable' }));
    process.kill(pid, 'SIGKILL');
    await lost;
    expect((await file.read([1])).slots.size).toBe(1);
  });

  it('takes no more waiting accesses than it can bear', async () => {
    const file = board();
    const pid = await childOf(file);
    process.kill(pid, 'SIGSTOP');
    const borne = Array.from({ length: 5 }, () => file.read([1]).catch((error: unknown) => error));
    await expect(file.read([1])).rejects.toMatchObject(fault('busy'));
    process.kill(pid, 'SIGCONT');
    for (const each of await Promise.all(borne)) expect(each).toHaveProperty('slots');
  });
});

describe('processes that not even SIGKILL ends', () => {
  /** Children that never answer, and are gone when the test says so. */
  function unkillable() {
    const children: { requests: BoardRequest[]; release: () => void }[] = [];
    const startChild = (events: BoardChildEvents): BoardChild => {
      setImmediate(() => events.ready());
      const requests: BoardRequest[] = [];
      let release = () => undefined as void;
      const gone = new Promise<void>((resolve) => (release = resolve));
      children.push({ requests, release });
      return { pid: undefined, send: (request) => void requests.push(request), kill: () => gone };
    };
    return { children, startChild };
  }

  it('are borne up to two; then nothing is begun until one is gone', async () => {
    const { children, startChild } = unkillable();
    const file = board({ limitMs: 20, startChild });
    await expect(file.read([1])).rejects.toMatchObject(fault('timeout'));
    await vi.waitFor(async () => {
      await expect(file.read([1])).rejects.toMatchObject(
        fault('timeout', { why: expect.stringContaining('did not answer') }),
      );
    }, 3000);
    await vi.waitFor(() => expect(file.read([1])).rejects.toMatchObject(fault('stuck', { kind: 'retryable' })), 3000);
    expect(file.health().stuck).toBe(2);
    expect(children.length).toBe(2);
    children[0]?.release();
    await vi.waitFor(() => expect(file.health().stuck).toBe(1));
    await expect(file.read([1])).rejects.toMatchObject(fault('timeout'));
    expect(children.length).toBe(3);
  });

  it('stop writes while an old write may still land', async () => {
    const { children, startChild } = unkillable();
    const file = board({ limitMs: 20, startChild });
    await expect(file.write(1, filled('a'))).rejects.toMatchObject(fault('timeout', { outcomeUnknown: true }));
    await vi.waitFor(() => expect(file.write(1, filled('b'))).rejects.toMatchObject(fault('stuck')), 3000);
    const reading = expect(file.read([1])).rejects.toMatchObject(fault('timeout'));
    await reading;
    expect(children.flatMap(({ requests }) => requests.map(({ kind }) => kind))).toEqual(['write', 'read']);
  });
});

describe('a process that starts slowly', () => {
  it('is waited for, not killed; the caller is answered in time all the same', async () => {
    const starts: BoardChildEvents[] = [];
    const sent: BoardRequest[] = [];
    const startChild = (events: BoardChildEvents): BoardChild => {
      starts.push(events);
      return { pid: undefined, send: (request) => void sent.push(request), kill: () => Promise.resolve() };
    };
    const file = board({ limitMs: 20, startChild });
    const why = expect.stringContaining('still starting');
    await expect(file.write(1, filled('a'))).rejects.toMatchObject(fault('timeout', { why }));
    await expect(file.read([1])).rejects.toMatchObject(fault('timeout', { why }));
    starts[0]?.ready();
    const reading = file.read([1]);
    starts[0]?.answered({ number: 3, ok: true, access: { direct: true }, slots: new Map([[0, filled('g')]]) });
    expect((await reading).global.equals(filled('g'))).toBe(true);
    // What was refused is never carried out late.
    expect(sent.map(({ number }) => number)).toEqual([3]);
    expect(starts.length).toBe(1);
  });

  it('is not started over and over when it can’t start', async () => {
    let starts = 0;
    const startChild = (events: BoardChildEvents): BoardChild => {
      starts += 1;
      setImmediate(() => events.gone('it ended with code 1'));
      return { pid: undefined, send: () => undefined, kill: () => Promise.resolve() };
    };
    const file = board({ startChild });
    const all = [file.read([1]), file.read([2])].map((each) => expect(each).rejects.toMatchObject(fault('process')));
    await Promise.all(all);
    expect(starts).toBe(1);
  });
});
