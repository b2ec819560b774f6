import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CounterpartError, type ErrorFacts } from '../errors.ts';
import { sha256 } from '../ids.ts';
import { Archive, type ArchiveOptions } from './client.ts';
import { CREDENTIALS, S3Server, VERSITYGW } from './testing.ts';

if (VERSITYGW === undefined) console.warn('skipped: the archive on a real S3 server; BELLWETHER_VERSITYGW names none');

let buckets = 0;
let server: S3Server;
const opened: Archive[] = [];

function archiveAt(options: Partial<ArchiveOptions> = {}): Archive {
  buckets += 1;
  const bucket = `bucket-${buckets}`;
  const { endpoint } = server;
  const archive = new Archive({ bucket, endpoint, region: 'us-east-1', credentials: CREDENTIALS, ...options });
  opened.push(archive);
  return archive;
}

/** Somebody else's client: it overwrites and sets nothing up. */
function bareClient(): S3Client {
  const { endpoint } = server;
  return new S3Client({ endpoint, region: 'us-east-1', credentials: CREDENTIALS, forcePathStyle: true });
}

async function readyArchive(): Promise<Archive> {
  const archive = archiveAt();
  await archive.ensureBucket();
  return archive;
}

async function factsOf(work: Promise<unknown>): Promise<ErrorFacts> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof CounterpartError)) throw new Error(`expected a CounterpartError, got ${String(error)}`);
  return error.facts;
}

describe.skipIf(VERSITYGW === undefined)('the archive on a real S3 server', () => {
  beforeAll(async () => {
    server = await S3Server.start(VERSITYGW ?? '');
  });

  afterAll(async () => {
    for (const archive of opened) archive.close();
    await server.stop();
  });

  describe('ensureBucket', () => {
    it('makes a bucket with versions, once, however many want it', async () => {
      const first = archiveAt();
      const { bucket } = first;
      const all = [first, ...Array.from({ length: 7 }, () => archiveAt({ bucket }))];
      const results = await Promise.all(all.map((archive) => archive.ensureBucket()));
      expect(results.every((result) => result.versions)).toBe(true);
      expect(results.filter((result) => result.created).length).toBeLessThanOrEqual(1);
      expect(await first.ensureBucket()).toEqual({ created: false, versions: true });
    });

    it('leaves a bucket in use as it is', async () => {
      const archive = archiveAt();
      const s3 = bareClient();
      await s3.send(new CreateBucketCommand({ Bucket: archive.bucket }));
      await s3.send(new PutObjectCommand({ Bucket: archive.bucket, Key: 'theirs', Body: 'x' }));
      expect(await archive.ensureBucket()).toEqual({ created: false, versions: false });
      s3.destroy();
    });
  });

  describe('putOnce', () => {
    it('stores bytes that come back the same', async () => {
      const archive = await readyArchive();
      const body = Buffer.from([0, 255, 10, 13, ...Buffer.from('ü')]);
      const stored = await archive.putOnce('c/op/before/vm.conf', body, {
        contentType: 'text/plain',
        metadata: { phase: 'before' },
      });
      expect(stored).toMatchObject({
        bucket: archive.bucket,
        key: 'c/op/before/vm.conf',
        bytes: 6,
        sha256: sha256(body),
      });
      expect(stored.versionId).toBeTruthy();
      expect(await archive.get('c/op/before/vm.conf')).toEqual(body);
    });

    it('takes nothing, and a megabyte', async () => {
      const archive = await readyArchive();
      for (const body of [Buffer.alloc(0), Buffer.alloc(1 << 20, 'ab')]) {
        const { key } = await archive.putOnce(`bytes-${body.length}`, body);
        expect((await archive.get(key)).equals(body)).toBe(true);
      }
    });

    it('twice with the same content is done once, with the same answer', async () => {
      const archive = await readyArchive();
      const first = await archive.putOnce('k', Buffer.from('same'));
      expect(await archive.putOnce('k', Buffer.from('same'))).toEqual(first);
      expect(await archive.versions('k')).toHaveLength(1);
    });

    it('by twenty at once has one winner, and all get its answer', async () => {
      const archive = await readyArchive();
      const racers = Array.from({ length: 20 }, () => archive.putOnce('race', Buffer.from('same')));
      const answers = await Promise.all(racers);
      const [first] = answers;
      expect(answers.every((one) => one.versionId === first?.versionId && one.sha256 === first?.sha256)).toBe(true);
      expect(await archive.versions('race')).toHaveLength(1);
    });

    it('by twenty with their own content has one winner, the others are told', async () => {
      const archive = await readyArchive();
      const racers = Array.from({ length: 20 }, (_, i) => archive.putOnce('race', Buffer.from(`racer ${i}`)));
      const outcomes = await Promise.allSettled(racers);
      const winners = outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      expect(winners).toHaveLength(1);
      expect(sha256(await archive.get('race'))).toBe(winners[0]?.sha256);
      for (const outcome of outcomes) {
        if (outcome.status === 'fulfilled') continue;
        expect(outcome.reason).toMatchObject({
          facts: { type: 'archive/exists-with-other-content', kind: 'needs-operator' },
        });
      }
      expect(await archive.versions('race')).toHaveLength(1);
    });

    it('compares with an object that carries no SHA-256', async () => {
      const archive = await readyArchive();
      writeFileSync(join(server.data, archive.bucket, 'by-hand'), 'same');
      expect((await archive.putOnce('by-hand', Buffer.from('same'))).sha256).toBe(sha256('same'));
      const facts = await factsOf(archive.putOnce('by-hand', Buffer.from('other')));
      expect(facts.type).toBe('archive/exists-with-other-content');
    });
  });

  describe('get', () => {
    it('finds content that changed on the server', async () => {
      const archive = await readyArchive();
      await archive.putOnce('k', Buffer.from('right'));
      writeFileSync(join(server.data, archive.bucket, 'k'), 'wrong', { flag: 'r+' });
      expect(await factsOf(archive.get('k'))).toMatchObject({ type: 'archive/corrupt', kind: 'needs-operator' });
    });

    it('verifies against a manifest’s checksum too', async () => {
      const archive = await readyArchive();
      await archive.putOnce('k', Buffer.from('content'));
      expect(await archive.get('k', { sha256: sha256('content') })).toEqual(Buffer.from('content'));
      expect(await factsOf(archive.get('k', { sha256: sha256('other') }))).toMatchObject({ type: 'archive/corrupt' });
    });

    it('trusts nothing that has no checksum, except by the manifest', async () => {
      const archive = await readyArchive();
      writeFileSync(join(server.data, archive.bucket, 'by-hand'), 'text');
      expect(await factsOf(archive.get('by-hand'))).toMatchObject({ type: 'archive/no-checksum' });
      expect(await archive.get('by-hand', { sha256: sha256('text') })).toEqual(Buffer.from('text'));
    });

    it('gives an older version back', async () => {
      const archive = await readyArchive();
      const { versionId = '' } = await archive.putOnce('k', Buffer.from('first'));
      const s3 = bareClient();
      const metadata = { Metadata: { sha256: sha256('second') } };
      await s3.send(new PutObjectCommand({ Bucket: archive.bucket, Key: 'k', Body: 'second', ...metadata }));
      s3.destroy();
      expect((await archive.versions('k')).map((one) => one.latest)).toEqual([true, false]);
      expect(await archive.get('k')).toEqual(Buffer.from('second'));
      expect(await archive.get('k', { versionId })).toEqual(Buffer.from('first'));
    });
  });

  describe('list', () => {
    it('is by prefix, sorted, and whole beyond a page', async () => {
      const archive = await readyArchive();
      const s3Keys = Array.from({ length: 1_005 }, (_, i) => `many/${String(i).padStart(4, '0')}`);
      mkdirSync(join(server.data, archive.bucket, 'many'));
      for (const key of s3Keys) writeFileSync(join(server.data, archive.bucket, key), 'x');
      await archive.putOnce('other/one', Buffer.from('12345'));
      expect((await archive.list('many/')).map((one) => one.key)).toEqual(s3Keys);
      const [one] = await archive.list('other/');
      expect(one).toMatchObject({ key: 'other/one', bytes: 5 });
      expect(Math.abs((one?.modifiedMs ?? 0) - Date.now())).toBeLessThan(60_000);
      expect(await archive.list('nothing/')).toEqual([]);
    });
  });

  describe('remove', () => {
    it('takes an object out of the listing, keeps its versions, and does nothing the second time', async () => {
      const archive = await readyArchive();
      const { versionId = '' } = await archive.putOnce('a/k', Buffer.from('content'));
      await archive.putOnce('a/k2', Buffer.from('other'));
      await archive.remove('a/k');
      await archive.remove('a/k');
      expect((await archive.list('a/')).map(({ key }) => key)).toEqual(['a/k2']);
      expect(await factsOf(archive.get('a/k'))).toMatchObject({ type: 'archive/not-found' });
      expect(await archive.get('a/k', { versionId })).toEqual(Buffer.from('content'));
    });
  });

  describe('errors', () => {
    it('no bucket, no key', async () => {
      const archive = archiveAt();
      const works = [() => archive.list(''), () => archive.putOnce('k', Buffer.from('x')), () => archive.get('k')];
      for (const work of works) {
        expect(await factsOf(work())).toMatchObject({ type: 'archive/no-bucket', kind: 'needs-operator' });
      }
      await archive.ensureBucket();
      expect(await factsOf(archive.get('k'))).toMatchObject({ type: 'archive/not-found', kind: 'needs-operator' });
    });

    it('a wrong key id, a wrong secret', async () => {
      const stranger = archiveAt({ credentials: { accessKeyId: 'nobody', secretAccessKey: 'x' } });
      const wrong = archiveAt({ credentials: { ...CREDENTIALS, secretAccessKey: 'wrong-secret-5122' } });
      for (const archive of [stranger, wrong]) {
        const facts = await factsOf(archive.putOnce('k', Buffer.from('x')));
        expect(facts).toMatchObject({ type: 'archive/credentials-refused', kind: 'needs-operator' });
        expect(JSON.stringify(facts)).not.toContain('wrong-secret-5122');
        expect(await factsOf(archive.ensureBucket())).toMatchObject({ kind: 'needs-operator' });
      }
    });

    it('a call that the caller gives up ends with the caller’s reason', async () => {
      const archive = await readyArchive();
      const signal = AbortSignal.abort(new Error('the operation was cancelled'));
      await expect(archive.get('k', { signal })).rejects.toThrow('the operation was cancelled');
    });

    it('the server down is retryable, and works again when it is up', async () => {
      const archive = await readyArchive();
      await archive.putOnce('k', Buffer.from('x'));
      await server.down();
      try {
        const put = () => archive.putOnce('l', Buffer.from('y'));
        for (const work of [() => archive.get('k'), put, () => archive.ensureBucket()]) {
          expect(await factsOf(work())).toMatchObject({ type: 'archive/unavailable', kind: 'retryable' });
        }
      } finally {
        await server.up();
      }
      expect(await archive.get('k')).toEqual(Buffer.from('x'));
    });
  });
});
