import { createServer } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { CounterpartError, type ErrorFacts } from '../errors.ts';
import { Archive } from './client.ts';

const closers: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** An S3 server that gives one answer to everything; `undefined` never answers. */
async function answering(status: number | undefined, body = ''): Promise<Archive> {
  const server = createServer((request, response) => {
    request.resume();
    if (status === undefined) return;
    response.writeHead(status, { 'Content-Type': 'application/xml' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const credentials = { accessKeyId: 'a', secretAccessKey: 's' };
  const endpoint = `http://127.0.0.1:${port}`;
  const archive = new Archive({ bucket: 'b-1', region: 'us-east-1', endpoint, credentials, timeoutMs: 200 });
  closers.push(async () => archive.close());
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

describe('what an S3 server says', () => {
  it.each([
    [403, 'AccessDenied', 'access-denied', 'needs-operator'],
    [403, 'InvalidAccessKeyId', 'credentials-refused', 'needs-operator'],
    [403, 'SignatureDoesNotMatch', 'credentials-refused', 'needs-operator'],
    [400, 'ExpiredToken', 'credentials-refused', 'needs-operator'],
    [403, 'RequestTimeTooSkewed', 'clock', 'needs-operator'],
    [301, 'PermanentRedirect', 'wrong-region', 'needs-operator'],
    [404, 'NoSuchBucket', 'no-bucket', 'needs-operator'],
    [404, 'NoSuchKey', 'not-found', 'needs-operator'],
    [507, 'XMinioStorageFull', 'full', 'needs-operator'],
    [507, 'SomethingNew', 'full', 'needs-operator'],
    [400, 'SomethingNew', 'refused', 'needs-operator'],
    [503, 'SlowDown', 'unavailable', 'retryable'],
    [500, 'InternalError', 'unavailable', 'retryable'],
    [502, 'SomethingNew', 'unavailable', 'retryable'],
  ])('%i %s is %s', async (status, code, type, kind) => {
    const archive = await answering(status, `<Error><Code>${code}</Code><Message>told so.</Message></Error>`);
    const facts = await factsOf(archive.get('a/b'));
    expect(facts).toMatchObject({ type: `archive/${type}`, kind, subject: 's3://b-1/a/b', what: 'could not read it' });
    expect(facts.why).toContain('told so');
    expect(facts.remedy).not.toBe('');
  });

  it.each([
    [403, 'access-denied'],
    [500, 'unavailable'],
    [301, 'wrong-region'],
  ])('%i without a word, to a question about the bucket, is %s', async (status, type) => {
    const facts = await factsOf((await answering(status)).ensureBucket());
    expect(facts).toMatchObject({ type: `archive/${type}`, subject: 'bucket b-1' });
  });

  it('nothing, for too long, is retryable', async () => {
    expect(await factsOf((await answering(undefined)).get('k'))).toMatchObject({
      type: 'archive/unavailable',
      kind: 'retryable',
    });
  });

  it('nothing, because its name does not resolve, is retryable', async () => {
    const credentials = { accessKeyId: 'a', secretAccessKey: 's' };
    const archive = new Archive({ bucket: 'b-1', region: 'r', endpoint: 'http://s3.nowhere.invalid', credentials });
    closers.push(async () => archive.close());
    expect(await factsOf(archive.get('k'))).toMatchObject({ type: 'archive/unavailable', kind: 'retryable' });
  });
});
