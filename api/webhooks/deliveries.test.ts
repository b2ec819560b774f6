import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { recorder } from '../testing/record.ts';
import { createBucket } from './bucket.ts';
import { createDeliveryLog, type DeliveryRecord } from './deliveries.ts';
import { createDeliveryFile } from './delivery-file.ts';
import { evidenceOf } from './redact.ts';

let dir: string;
let file: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'bellwether-deliveries-'));
  file = join(dir, 'deliveries.jsonl');
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

let count = 0;
function record(change: Partial<DeliveryRecord> = {}): DeliveryRecord {
  count += 1;
  const time = new Date(Date.UTC(2026, 10, 21) + count * 1000).toISOString();
  return { time, instance: `urn:uuid:${count}`, source: 'jira', verdict: 'accepted', status: 202, ...change };
}

const setUp = (write?: (text: string) => Promise<void>) => {
  const { lines, logger } = recorder();
  const store = createDeliveryFile(file, logger, write);
  return { lines, store, log: createDeliveryLog(logger, store) };
};

describe('the delivery log in memory', () => {
  it('keeps the last 200, newest first, by source and limit', async () => {
    const log = createDeliveryLog(recorder().logger);
    for (let i = 0; i < 250; i++) log.record(record({ delivery: `d${i}`, source: i % 2 === 0 ? 'jira' : 'github' }));
    const all = await log.list({ limit: 1000 });
    expect([all.deliveries.length, all.deliveries[0]?.delivery]).toEqual([200, 'd249']);
    const some = await log.list({ source: 'jira', limit: 3 });
    expect(some.deliveries.map(({ delivery }) => delivery)).toEqual(['d248', 'd246', 'd244']);
  });

  it('keeps the last refusal of each source, longer than its line', async () => {
    const log = createDeliveryLog(recorder().logger);
    log.record(record({ verdict: 'refused', status: 401, reason: 'one' }));
    log.record(record({ verdict: 'refused', status: 401, reason: 'two' }), { headers: { a: 'b' }, body: '{}' });
    log.record(record({ verdict: 'refused', status: 401, reason: 'three', source: 'github' }));
    for (let i = 0; i < 201; i++) log.record(record());
    const { lastRefused } = await log.list({ limit: 1 });
    expect(lastRefused.map(({ source, reason }) => [source, reason])).toEqual([
      ['jira', 'two'],
      ['github', 'three'],
    ]);
    expect(lastRefused[0]?.evidence).toEqual({ headers: { a: 'b' }, body: '{}' });
  });

  it('knows a repetition of what was accepted, not of what was refused', () => {
    const log = createDeliveryLog(recorder().logger);
    log.record(record({ delivery: 'd1' }));
    log.record(record({ delivery: 'd2', verdict: 'refused', status: 409 }));
    expect(['d1', 'd2', 'd3'].map((id) => log.seen('jira', id))).toEqual([true, false, false]);
    expect(log.seen('github', 'd1')).toBe(false);
  });
});

describe('the delivery log in a file', () => {
  it('outlives the process, goes on after a rotation, and passes over torn lines', async () => {
    const first = setUp();
    first.log.record(record({ delivery: 'before' }));
    first.log.record(record({ delivery: 'no', verdict: 'refused', status: 409, reason: 'conflict' }));
    await first.store.settled();
    appendFileSync(file, '{"time":"2026-\n[]\n');
    const second = setUp();
    second.log.record(record({ delivery: 'after' }));
    await second.store.settled();
    const { deliveries, lastRefused } = await second.log.list({ limit: 10 });
    expect(deliveries.map(({ delivery }) => delivery)).toEqual(['after', 'no', 'before']);
    expect(lastRefused).toMatchObject([{ reason: 'conflict' }]);
    renameSync(file, `${file}.1`);
    second.log.record(record({ delivery: 'later' }));
    await second.store.settled();
    expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(1);
    rmSync(file);
    expect((await second.log.list({ limit: 10 })).deliveries).toHaveLength(2);
  });

  it('is read from its end only', async () => {
    const old = JSON.stringify(record({ delivery: 'old' }));
    writeFileSync(file, `${old}\n`.repeat(20_000));
    const { log } = setUp();
    log.record(record({ delivery: 'new' }));
    expect((await log.list({ limit: 5 })).deliveries[0]?.delivery).toBe('new');
  });

  it('on a full disk loses lines and says so once; nothing fails, and it recovers', async () => {
    let full = true;
    let text = '';
    const { lines, log, store } = setUp((more) => {
      if (full) return Promise.reject(new Error('ENOSPC'));
      text += more;
      return Promise.resolve();
    });
    log.record(record({ delivery: 'a' }));
    await store.settled();
    log.record(record({ delivery: 'b' }));
    await store.settled();
    expect(lines.map(({ level, fields }) => [level, fields])).toEqual([['error', { file, error: 'Error: ENOSPC' }]]);
    expect((await log.list({ limit: 9 })).deliveries.map(({ delivery }) => delivery)).toEqual(['b', 'a']);
    full = false;
    log.record(record({ delivery: 'c' }));
    await store.settled();
    expect(lines[1]).toMatchObject({ level: 'warn', fields: { dropped: 2 } });
    expect(text).toMatch(/^\n\{.*"delivery":"c"\}\n$/);
  });

  it('does not pile up lines behind a disk that hangs', async () => {
    let release: () => void = () => {};
    let written = 0;
    const { log, store, lines } = setUp((text) => {
      written += text.trim().split('\n').length;
      return new Promise((resolve) => {
        release = resolve;
      });
    });
    for (let i = 0; i < 1500; i++) log.record(record());
    expect(lines).toHaveLength(1);
    release();
    await new Promise(setImmediate);
    release();
    await store.settled();
    expect(written).toBe(1001);
  });
});

describe('what is kept of a refused delivery', () => {
  const hide = { headers: ['X-Desk-Code'], texts: ['the real secret'] };

  it('hides secrets by the name of header and key, by configuration, and by value', () => {
    const headers = new Headers({
      Authorization: 'Basic abc',
      'X-Hub-Signature': 'sha256=1',
      'X-Gitlab-Token': 't',
      'X-Desk-Code': 'c',
      Cookie: 'c',
      'User-Agent': 'agent of the real secret',
    });
    const json = {
      user: 'mia',
      login: { password: 'p', apiToken: 't' },
      list: [{ secret: 's', text: 'the real secret' }],
    };
    const kept = evidenceOf(headers, Buffer.from(JSON.stringify(json)), json, hide);
    expect(kept.headers).toEqual({
      authorization: '***',
      'x-hub-signature': '***',
      'x-gitlab-token': '***',
      'x-desk-code': '***',
      cookie: '***',
      'user-agent': 'agent of ***',
    });
    expect(JSON.parse(kept.body)).toEqual({
      user: 'mia',
      login: { password: '***', apiToken: '***' },
      list: [{ secret: '***', text: '***' }],
    });
    expect(evidenceOf([], Buffer.from('x the real secret y'), undefined, hide).body).toBe('x *** y');
  });

  it('is at most 8 KiB and a little, whatever comes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string(), fc.string({ maxLength: 5000 }))), fc.nat(30_000), (headers, size) => {
        const kept = evidenceOf(headers, Buffer.alloc(size, 'ä'), undefined, hide);
        expect(Buffer.byteLength(JSON.stringify(kept.headers) + kept.body)).toBeLessThan(20_000);
        expect(Buffer.byteLength(kept.body)).toBeLessThan(8192 + 20);
      }),
      { numRuns: 50 },
    );
  });
});

describe('the token bucket', () => {
  it('gives so many at once, then as time goes by, and says when', () => {
    let ms = 0;
    const bucket = createBucket(60, () => new Date(ms));
    const took = () => bucket.take() === undefined;
    expect(Array.from({ length: 60 }, took)).not.toContain(false);
    expect(bucket.take()).toBe(1);
    ms += 999;
    expect(took()).toBe(false);
    ms += 1;
    expect([took(), took()]).toEqual([true, false]);
    ms -= 100_000;
    expect(took()).toBe(false);
    ms += 3_600_000;
    expect(Array.from({ length: 61 }, took).filter(Boolean)).toHaveLength(60);
    expect(createBucket(1, () => new Date(0)).take()).toBeUndefined();
  });

  it('says how long to wait when it is slow', () => {
    const bucket = createBucket(1, () => new Date(0));
    expect([bucket.take(), bucket.take()]).toEqual([undefined, 60]);
  });
});
