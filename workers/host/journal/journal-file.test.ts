import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import { encodeEntry } from './codec.ts';
import { journalFiles } from './files.ts';
import { openJournal, type Journal, type JournalOptions } from './journal-file.ts';
import { readLine, sha256, type Line } from './line.ts';
import { scratch, story } from './testing.ts';
import { splitLines, verifyJournal } from './verify.ts';

const entries = story();
const [one] = entries;
if (one === undefined) throw new Error('the story has rounds');
const WALL = Date.parse('2026-11-21T03:10:00Z');

const opened: Journal[] = [];
const folders: string[] = [];
afterEach(() => {
  for (const journal of opened.splice(0)) journal.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function place(): string {
  const folder = scratch();
  folders.push(folder);
  return join(folder, 'journal.jsonl');
}

function open(file: string, more: Partial<JournalOptions> = {}): Journal {
  const journal = openJournal({ file, maxBytes: 1e7, keep: 3, wallMs: () => WALL, version: '0.1.0', ...more });
  opened.push(journal);
  return journal;
}

function linesIn(file: string): readonly Line[] {
  return journalFiles(file).flatMap((path) =>
    splitLines(readFileSync(path)).lines.map((bytes) => {
      const read = readLine(bytes);
      if ('why' in read) throw new Error(read.why);
      return read.line;
    }),
  );
}

const kinds = (file: string) => linesIn(file).map((line) => line.kind);

/** The chain of all files is whole and runs to `last`. */
function whole(file: string, last: number): void {
  expect(verifyJournal(journalFiles(file))).toMatchObject({ ok: true, broken: undefined, last: { seq: last } });
}

describe('the journal', () => {
  it('has each entry on disk when append returns, numbered, dated and chained', () => {
    const file = place();
    const journal = open(file);
    for (const [at, entry] of entries.entries()) {
      expect(journal.append(entry)).toBe(true);
      const line = linesIn(file).at(-1);
      expect(line).toMatchObject({ seq: at + 1, at: '2026-11-21T03:10:00.000Z', kind: 'decision', version: '0.1.0' });
      expect(line?.kind === 'decision' && encodeEntry(line.entry)).toBe(encodeEntry(entry));
    }
    const raw = readFileSync(file, 'utf8').trimEnd().split('\n');
    expect(linesIn(file).map((line) => line.prev)).toEqual([
      '0'.repeat(64),
      ...raw.slice(0, -1).map((line) => sha256(line)),
    ]);
    expect(journal.stats()).toMatchObject({ appended: entries.length, missed: 0, failing: undefined });
    expect(journal.stats().worstMs).toBeGreaterThan(0);
  });

  it('goes on where an earlier worker ended, and across files', () => {
    const file = place();
    open(file).append(one);
    const size = readFileSync(file).length;
    const second = open(file, { maxBytes: 3 * size, keep: 2 });
    for (let count = 0; count < 20; count += 1) second.append(one);
    whole(file, 21);
    expect(readdirSync(dirname(file)).sort()).toEqual(['journal.jsonl', 'journal.jsonl.1', 'journal.jsonl.2']);
    for (const path of journalFiles(file)) expect(readFileSync(path).length).toBeLessThanOrEqual(3 * size);
    expect(verifyJournal(journalFiles(file)).notes.join()).toMatch(/^lines before number \d+ were rotated away$/);
  });

  it('goes on from the older file when the worker died between renaming and writing', () => {
    const file = place();
    const first = open(file);
    for (const entry of entries) first.append(entry);
    first.close();
    renameSync(file, `${file}.1`);
    open(file).append(one);
    whole(file, entries.length + 1);
  });

  it('keeps a torn end aside, names it, and goes on, wherever the cut was', () => {
    const file = place();
    const source = open(file);
    for (const entry of entries.slice(0, 3)) source.append(entry);
    source.close();
    const full = readFileSync(file);
    const lastStart = full.lastIndexOf('\n', full.length - 2) + 1;
    // Without its last byte alone, garbage that begins with a newline would make the line whole.
    const cut = fc.integer({ min: lastStart + 1, max: full.length - 2 });
    const tail = fc.oneof(
      fc.constant(Buffer.alloc(0)),
      fc.constant(Buffer.alloc(700)),
      fc.constant(Buffer.from('\n\n{}\n')),
    );
    fc.assert(
      fc.property(cut, tail, (at, garbage) => {
        const torn = place();
        const bytes = Buffer.concat([full.subarray(0, at), garbage]);
        writeFileSync(torn, bytes);
        const said: string[] = [];
        expect(open(torn, { report: (text) => said.push(text) }).append(one)).toBe(true);
        expect(kinds(torn)).toEqual(['decision', 'decision', 'torn', 'decision']);
        whole(torn, 4);
        const note = linesIn(torn)[2];
        if (note?.kind !== 'torn') throw new Error('no note');
        const kept = readFileSync(join(dirname(torn), note.keptAs));
        expect(kept.equals(bytes.subarray(lastStart))).toBe(true);
        expect(note).toMatchObject({ bytes: kept.length, sha256: sha256(kept) });
        expect(said.join()).toContain(note.keptAs);
      }),
      { numRuns: 25 },
    );
  });

  it('finds its last line behind more garbage than it looks at first', () => {
    const file = place();
    open(file).append(one);
    appendFileSync(file, Buffer.alloc(600_000, 'x\n'));
    open(file).append(one);
    expect(kinds(file)).toEqual(['decision', 'torn', 'decision']);
    whole(file, 3);
  });

  it('leaves no heap of torn pieces', () => {
    const file = place();
    for (let count = 0; count < 12; count += 1) {
      const journal = open(file);
      journal.append(one);
      journal.close();
      appendFileSync(file, 'torn');
    }
    expect(readdirSync(dirname(file)).filter((name) => name.includes('.torn-'))).toHaveLength(8);
  });
});

describe('a journal that cannot be written', () => {
  it('answers false on a full disk, and names what it missed when there is room again', () => {
    const file = place();
    const said: string[] = [];
    const journal = open(file, { report: (text) => said.push(text) });
    journal.append(one);
    renameSync(file, `${file}.1`);
    symlinkSync('/dev/full', file);
    expect([journal.append(one), journal.append(one)]).toEqual([false, false]);
    expect(journal.stats()).toMatchObject({ appended: 1, missed: 2, failing: expect.stringContaining('ENOSPC') });
    rmSync(file);
    expect(journal.append(one)).toBe(true);
    expect(kinds(file)).toEqual(['decision', 'missed', 'decision']);
    expect(linesIn(file)[1]).toMatchObject({ count: 2, why: expect.stringContaining('ENOSPC') });
    whole(file, 3);
    expect(said.filter((text) => text.includes('ENOSPC'))).toHaveLength(1);
    expect(said.at(-1)).toContain('can be written again');
    expect(journal.recent(10)).toHaveLength(4);
  });

  const limit = (bytes: string) => execFileSync('prlimit', ['--pid', String(process.pid), `--fsize=${bytes}:`]);
  const limits = existsSync('/usr/bin/prlimit');

  it.skipIf(!limits)('takes back what a disk took of a line before it was full (needs prlimit)', () => {
    const file = place();
    const journal = open(file);
    journal.append(one);
    const { length } = readFileSync(file);
    limit(String(length + 100));
    try {
      expect(journal.append(one)).toBe(false);
    } finally {
      limit('unlimited');
    }
    expect(readFileSync(file)).toHaveLength(length);
    expect(journal.append(one)).toBe(true);
    expect(kinds(file)).toEqual(['decision', 'missed', 'decision']);
    expect(linesIn(file)[1]).toMatchObject({ why: expect.stringContaining('EFBIG') });
    whole(file, 3);
  });

  it('opens later when its folder is not there yet', () => {
    const base = place();
    writeFileSync(base, 'a file where the folder should be');
    const file = join(base, 'journal.jsonl');
    const journal = open(file);
    expect(journal.append(one)).toBe(false);
    rmSync(base);
    expect(journal.append(one)).toBe(true);
    expect(kinds(file)).toEqual(['missed', 'decision']);
    whole(file, 2);
  });

  it.each([
    ['moved away', (file: string) => renameSync(file, `${file}.1`), 3],
    ['written to by another', (file: string) => open(file).append(one), 4],
  ] as const)('goes on when the file was %s', (_, change, last) => {
    const file = place();
    const journal = open(file);
    journal.append(one);
    journal.append(one);
    change(file);
    expect(journal.append(one)).toBe(true);
    whole(file, last);
  });

  it('reports an append that took long', () => {
    const said: string[] = [];
    open(place(), { slowMs: 0, report: (text) => said.push(text) }).append(one);
    expect(said.join()).toMatch(/writing a line took \d+ ms/);
  });
});

describe('recent', () => {
  it('has the last entries, newest last, at most 50', () => {
    const journal = open(place());
    for (let atMs = 1; atMs <= 60; atMs += 1) journal.append({ ...one, atMs });
    expect(journal.recent(2).map((entry) => entry.atMs)).toEqual([59, 60]);
    expect(journal.recent(100)).toHaveLength(50);
    expect(journal.recent(0)).toEqual([]);
  });

  it('takes over those of an earlier worker since the same start of the host, and no others', () => {
    const file = place();
    for (const boot of ['boot-1', 'boot-2']) {
      const journal = open(file, { boot });
      for (const entry of entries) journal.append(entry);
      journal.close();
    }
    expect(open(file, { boot: 'boot-2' }).recent(50)).toStrictEqual(entries);
    expect(open(file, { boot: 'boot-3' }).recent(50)).toEqual([]);
    expect(open(file).recent(50)).toEqual([]);
  });
});
