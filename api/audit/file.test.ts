import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { recorder } from '../testing/record.ts';
import { openAuditFile } from './file.ts';
import { trustedProxies, fromOf } from './from.ts';
import { readLine, type AuditFields } from './line.ts';
import { verifyTrail } from './verify.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'bellwether-audit-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

let files = 0;
const fresh = () => join(dir, `audit-${(files += 1)}.jsonl`);
const { logger } = recorder();

function call(subject: string): AuditFields {
  return {
    time: '2026-11-22T00:00:00.000Z',
    instance: `urn:${subject}`,
    who: { by: 'alice', authenticated: 'token', as: 'ci' },
    from: { remote: '127.0.0.1' },
    what: { method: 'POST', route: '/operations', path: '/operations', action: 'start', subject },
  };
}

async function written(count: number): Promise<string> {
  const file = fresh();
  const trail = openAuditFile(file, logger);
  for (let at = 1; at <= count; at += 1) await trail.append('asked', call(`upgrade/Default/CHG${at}`));
  await trail.close();
  return file;
}

const linesIn = (file: string) => readFileSync(file, 'utf8').trimEnd().split('\n');

test('lines written together and one after the other make one chain, over a restart and a rotation too', async () => {
  const file = fresh();
  const trail = openAuditFile(file, logger);
  const seqs = await Promise.all([1, 2, 3].map((at) => trail.append('asked', call(`a${at}`))));
  expect(seqs).toEqual([1, 2, 3]);
  await trail.close();
  const again = openAuditFile(file, logger);
  expect(await again.append('answered', { ...call('a1'), result: { status: 202 } })).toBe(4);
  renameSync(file, `${file}.1`);
  expect(await again.append('asked', call('a4'))).toBe(5);
  await again.close();
  expect(await verifyTrail([`${file}.1`, file])).toMatchObject({ ok: true, lines: 5, first: 1, last: { seq: 5 } });
  expect(await verifyTrail([file])).toMatchObject({ ok: true, notes: ['lines before number 5 are in older files'] });
  const page = await again.read({ limit: 1 });
  expect(page.lines.map(({ seq }) => seq)).toEqual([5]);
});

test('any changed byte, and any missing line but the last, is found', async () => {
  const file = await written(6);
  const text = readFileSync(file);
  const broken = fresh();
  const end = text.lastIndexOf('\n', text.length - 2);
  await fc.assert(
    fc.asyncProperty(fc.nat(end), fc.integer({ min: 1, max: 255 }), async (at, xor) => {
      const changed = Buffer.from(text);
      changed[at] = (changed[at] ?? 0) ^ xor;
      writeFileSync(broken, changed);
      expect((await verifyTrail([broken])).ok).toBe(false);
    }),
    { numRuns: 60 },
  );
  const lines = linesIn(file);
  for (let at = 1; at < lines.length - 1; at += 1) {
    writeFileSync(broken, `${lines.toSpliced(at, 1).join('\n')}\n`);
    const { broken: where } = await verifyTrail([broken]);
    expect(where?.what).toBe(`lines number ${at + 1} to ${at + 1} are missing before it`);
  }
});

test('what was cut off the end shows to whoever kept a line’s number and sha256', async () => {
  const file = await written(6);
  const { last: known } = await verifyTrail([file]);
  if (known === undefined) throw new Error('the trail is empty');
  expect(await verifyTrail([file], known)).toMatchObject({ ok: true, lines: 6 });
  const cut = fresh();
  writeFileSync(cut, `${linesIn(file).slice(0, 4).join('\n')}\n`);
  expect((await verifyTrail([cut])).ok).toBe(true);
  const { broken } = await verifyTrail([cut], known);
  expect(broken?.what).toBe(
    'line number 6 is known and missing, the last is number 4: what was written behind it was cut off',
  );
  const other = await verifyTrail([file], { seq: 3, sha256: known.sha256 });
  expect(other.broken).toMatchObject({ line: 3, what: expect.stringContaining('not the line number 3 that is known') });
});

test('a line that was cut off is set aside, said in the chain, and the chain goes on', async () => {
  const file = await written(2);
  appendFileSync(file, '{"seq":3,"at":"2026');
  const trail = openAuditFile(file, logger);
  await trail.append('asked', call('after'));
  await trail.close();
  const kinds = linesIn(file).map((line) => readLine(Buffer.from(line))?.kind);
  expect(kinds).toEqual(['asked', 'asked', 'torn', 'asked']);
  expect((await verifyTrail([file])).ok).toBe(true);
});

test('a disk that is full: the append fails, nothing half stays, and answers that are missing are counted later', async () => {
  const file = await written(1);
  let full = true;
  const trail = openAuditFile(file, logger, async (handle, bytes, at) => {
    if (full) {
      await handle.write(bytes, 0, 10, at);
      throw new Error('ENOSPC: no space left on device');
    }
    await handle.write(bytes, 0, bytes.length, at);
  });
  await expect(trail.append('asked', call('b'))).rejects.toThrow('ENOSPC');
  await expect(trail.append('answered', call('b'))).rejects.toThrow('ENOSPC');
  expect(linesIn(file)).toHaveLength(1);
  full = false;
  expect(await trail.append('asked', call('c'))).toBe(3);
  await trail.close();
  expect(linesIn(file).map((line) => readLine(Buffer.from(line)))[1]).toMatchObject({ kind: 'missed', count: 1 });
  expect((await verifyTrail([file])).ok).toBe(true);
});

test('pages are newest first, and before reads on', async () => {
  const trail = openAuditFile(await written(25), logger);
  const first = await trail.read({ limit: 10 });
  expect([first.lines[0]?.seq, first.lines.length, first.more]).toEqual([25, 10, true]);
  const last = await trail.read({ limit: 20, before: 16 });
  expect([last.lines[0]?.seq, last.lines.length, last.more]).toEqual([15, 15, false]);
  expect((await trail.read({ limit: 5, since: '2100-01-01T00:00:00.000Z' })).lines).toEqual([]);
});

test('X-Forwarded-For is believed from trusted proxies only, and only as far as they go', () => {
  const env = (remoteAddress: string) => ({ incoming: { socket: { remoteAddress } } });
  const trusted = trustedProxies('10.0.0.5, 10.1.0.0/16');
  const seen = (remote: string, header: string) => fromOf(env(remote), header, trusted);
  expect(seen('203.0.113.9', '198.51.100.1')).toEqual({ remote: '203.0.113.9' });
  expect(seen('::ffff:10.0.0.5', '1.2.3.4, 198.51.100.1, 10.1.2.3').forwardedFor).toBe('198.51.100.1');
  expect(fromOf(env('10.0.0.5'), '198.51.100.1', undefined)).toEqual({ remote: '10.0.0.5' });
  expect(() => trustedProxies('10.0.0.0/33')).toThrow('"10.0.0.0/33" is no address');
  fc.assert(fc.property(fc.string(), (header) => seen('10.0.0.5', header).remote === '10.0.0.5'));
});
