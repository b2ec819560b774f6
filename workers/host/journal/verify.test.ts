import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decide } from '../core/decide.ts';
import { journalCommand } from './command.ts';
import { journalFiles } from './files.ts';
import { openJournal } from './journal-file.ts';
import { formatLine, readLine, sha256 } from './line.ts';
import { replayJournal } from './replay.ts';
import { scratch, story } from './testing.ts';
import { splitLines, verifyJournal } from './verify.ts';

let file: string;
let lines: readonly string[];

beforeAll(() => {
  file = join(scratch(), 'journal.jsonl');
  const options = { file, maxBytes: 1e7, keep: 9, wallMs: () => Date.parse('2026-11-21T03:10:12Z'), version: '0.1.0' };
  const journal = openJournal(options);
  for (const entry of story()) journal.append(entry);
  journal.close();
  lines = readFileSync(file, 'utf8').trimEnd().split('\n');
});
afterAll(() => rmSync(dirname(file), { recursive: true, force: true }));

function changed(...texts: readonly string[]): string {
  const path = join(dirname(file), `changed-${sha256(texts.join()).slice(0, 12)}`);
  writeFileSync(path, texts.map((text) => `${text}\n`).join(''));
  return path;
}

const at = (index: number) => lines[index] ?? '';

describe('verify', () => {
  it('finds a whole chain whole', () => {
    expect(verifyJournal([file])).toMatchObject({
      ok: true,
      lines: 10,
      first: { seq: 1 },
      last: { seq: 10 },
      notes: [],
    });
    expect(journalCommand({ action: 'verify', file })).toEqual({
      ok: true,
      text: 'The chain is whole: 10 lines in 1 files, numbers 1 to 10, 2026-11-21T03:10:12.000Z to 2026-11-21T03:10:12.000Z.\n',
    });
  });

  it('finds any changed byte, except in the last line, which nothing follows yet', () => {
    const { length } = readFileSync(file);
    const before = length - at(9).length - 1;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: before - 1 }), fc.integer({ min: 1, max: 255 }), (offset, flip) => {
        const bytes = readFileSync(file);
        bytes.writeUInt8(bytes.readUInt8(offset) ^ flip, offset);
        const path = changed('flipped');
        writeFileSync(path, bytes);
        const { ok, broken } = verifyJournal([path]);
        const line = splitLines(readFileSync(file).subarray(0, offset)).lines.length + 1;
        expect(ok).toBe(false);
        expect([line, line + 1]).toContain(broken?.line);
      }),
      { numRuns: 40 },
    );
  });

  it.each([
    ['a line taken out', () => [at(0), at(1), at(4)], 3, 'lines number 3 to 4 are missing before it'],
    ['lines swapped', () => [at(0), at(2), at(1)], 2, 'lines number 2 to 2 are missing'],
    ['a line twice', () => [at(0), at(1), at(1)], 3, 'it is number 2, and the line before it is number 2'],
    ['a line of text', () => [at(0), 'hello'], 2, 'it is no line of a journal'],
    [
      'a line changed',
      () => [at(0), at(1).replace('"version":"0.1.0"', '"version":"0.1.1"'), at(2)],
      3,
      'does not follow from line number 2: that line was changed',
    ],
    [
      'a first line of another journal',
      () => [at(0).replace('0'.repeat(64), '1'.repeat(64))],
      1,
      'it is number 1 and names a line before it',
    ],
  ])('names the first broken line: %s', (_, texts, line, what) => {
    const path = changed(...texts());
    expect(verifyJournal([path]).broken).toMatchObject({ file: path, line, what: expect.stringContaining(what) });
    const answer = journalCommand({ action: 'verify', file: path });
    expect(answer.ok).toBe(false);
    expect(answer.text).toContain(`broken at line ${line} of ${path}: `);
  });

  it('finds a file that is missing between two', () => {
    const [a, b] = [changed(at(0), at(1)), changed(at(4))];
    expect(verifyJournal([a, b]).broken).toMatchObject({ file: b, line: 1, what: expect.stringContaining('missing') });
  });

  it('takes a piece at the very end for a line that is being written, and nowhere else', () => {
    const path = changed(at(0));
    writeFileSync(path, `${at(0)}\n{"at"`);
    expect(verifyJournal([path])).toMatchObject({ ok: true, lines: 1, notes: [expect.stringContaining('5 bytes')] });
    expect(verifyJournal([path, changed(at(1))]).broken).toMatchObject({ line: 2 });
  });
});

describe('replay', () => {
  it('comes to the same decisions, to the byte', () => {
    expect(replayJournal([file])).toEqual({ same: 10, others: 0, first: undefined });
    expect(journalCommand({ action: 'replay', file }).text).toBe('All 10 rounds come out the same, to the byte.\n');
  });

  it('tells the first difference to other rules', () => {
    const other: typeof decide = (memory, observation) => {
      const decision = decide(memory, observation);
      return decision.action === undefined ? decision : { ...decision, memory: { ...decision.memory, failures: [7] } };
    };
    expect(replayJournal([file], other)).toMatchObject({
      same: 4,
      first: { line: 5, version: '0.1.0', difference: { path: 'memory.failures', journal: '[]', again: '[7]' } },
    });
  });

  it('finds a forged decision behind a chain that was made whole again', () => {
    const read = readLine(at(4));
    if (!('line' in read) || read.line.kind !== 'decision') throw new Error('no decision');
    const forged = { ...read.line, entry: { ...read.line.entry, order: undefined } };
    const path = changed(formatLine(forged));
    expect(verifyJournal([path]).ok).toBe(true);
    const answer = journalCommand({ action: 'replay', file: path });
    expect(answer).toMatchObject({ ok: false });
    expect(answer.text).toContain('where    entry.order\n  journal  null\n  again    {"kind":"start"}');
  });

  it('says which record it cannot read', () => {
    const path = changed(at(0), at(1).replace('"hostId":1', '"hostId":"one"'));
    const answer = journalCommand({ action: 'replay', file: path });
    expect(answer.text).toMatch(/The record in line 2 of .* can’t be read: entry.hostId: .*\nThe 1 rounds before/);
  });
});

describe('show', () => {
  it('tells a decision so that a person can follow it', () => {
    const { text } = journalCommand({ action: 'show', file, last: 6 });
    const [start] = text.split('\n\n');
    expect(start).toBe(
      [
        '2026-11-21 03:10:12 UTC  host 1  EngineDown → EngineStart  (line 5)',
        '  rule     start-here: nobody has it, no owner renews, and it is this host’s turn',
        '  does     start it; sanlock holds it back until the lease is free',
        '  order    start the engine VM on this host',
        '  inputs   failures 0, turn 0',
        '  score    3400',
        '  not      host 2 (node-b): score 3400, priority 0',
      ].join('\n'),
    );
    expect(text.match(/UTC/g)).toHaveLength(6);
  });

  it('reads older files too, and asks for a file that is there', () => {
    const folder = scratch();
    const path = join(folder, 'j');
    writeFileSync(`${path}.2`, `${at(0)}\n`);
    writeFileSync(`${path}.1`, `${at(1)}\n`);
    writeFileSync(path, `${at(2)}\n`);
    expect(journalFiles(path)).toEqual([`${path}.2`, `${path}.1`, path]);
    expect(journalCommand({ action: 'show', file: path, last: 2 }).text).toMatch(/\(line 2\)[^]*\(line 3\)/);
    expect(journalCommand({ action: 'show', file: path }).text).toContain('(line 1)');
    rmSync(folder, { recursive: true });
    expect(() => journalCommand({ action: 'show', file: path })).toThrow('the journal can’t be read');
  });
});
