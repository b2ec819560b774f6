/**
 * The archive: objects written once into a versioned S3 bucket, never overwritten, verified when read, removed knowingly.
 *
 * Any S3 will do that honours `If-None-Match: *` atomically and keeps versions (lab.md 5 names some that do not).
 */
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  ListObjectsV2Command,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Readable } from 'node:stream';
import { sha256 as sha256Of } from '../ids.ts';
import { type ArchiveContext, DO_NOT_USE, archiveError, sdkError, toArchiveError } from './errors.ts';

export interface ArchiveOptions {
  readonly bucket: string;
  /** Left out: AWS_REGION, or the profile's. */
  readonly region?: string;
  /** Of another S3 than Amazon's, `http://127.0.0.1:7070`. Left out: AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL. */
  readonly endpoint?: string;
  /**
   * `endpoint/bucket/key` instead of `bucket.endpoint/key`. Left out: as AWS's own tools do it, yes where an endpoint
   * is set, since few other servers have names for their buckets.
   */
  readonly forcePathStyle?: boolean;
  /** Left out: the SDK's own chain (AWS_* variables, profile, instance role). */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Of one request. Default 30,000. */
  readonly timeoutMs?: number;
}

export interface ArchiveCall {
  readonly signal?: AbortSignal;
}

export interface PutOptions extends ArchiveCall {
  /** Default `application/octet-stream`. */
  readonly contentType?: string;
  /** Names in lower case; `sha256` is taken. */
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface GetOptions extends ArchiveCall {
  /** Left out: the newest. */
  readonly versionId?: string;
  /** What the content must hash to (lower-case hex), from a manifest. */
  readonly sha256?: string;
}

/** Where an object lies and what is in it. Equal for all who stored the same content under the same key. */
export interface StoredObject {
  readonly bucket: string;
  readonly key: string;
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Undefined where the bucket keeps no versions. */
  readonly versionId: string | undefined;
}

export interface ListedObject {
  readonly key: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

export interface ObjectVersion extends ListedObject {
  readonly versionId: string;
  readonly latest: boolean;
}

const DEFAULT_TIMEOUT_MS = 30_000;
const CONNECT_TIMEOUT_MS = 5_000;
/** The durable retries are the workflow's; the SDK only bridges a hiccup. */
const ATTEMPTS_MAX = 3;
const RACE_ROUNDS_MAX = 5;
/** Our own copy of the checksum; survives servers and tools that drop S3's. */
const SHA256_METADATA = 'sha256';

interface Checksums {
  readonly ChecksumSHA256?: string | undefined;
  readonly Metadata?: Record<string, string> | undefined;
}

interface Abort {
  readonly abortSignal?: AbortSignal;
}

function pathStyleIsUsual(options: ArchiveOptions): boolean {
  const { AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL } = process.env;
  return (options.endpoint ?? AWS_ENDPOINT_URL_S3 ?? AWS_ENDPOINT_URL) !== undefined;
}

/** Hex of what the server or our metadata say about the content; undefined for foreign objects. */
function recordedSha256(object: Checksums): string | undefined {
  const served = object.ChecksumSHA256;
  // With a dash it is the checksum of the parts' checksums, not of the content.
  if (served !== undefined && !served.includes('-')) return Buffer.from(served, 'base64').toString('hex');
  return object.Metadata?.[SHA256_METADATA];
}

export class Archive {
  readonly bucket: string;
  readonly #s3: S3Client;

  /** Opens nothing yet. */
  constructor(options: ArchiveOptions) {
    this.bucket = options.bucket;
    this.#s3 = new S3Client({
      ...(options.region === undefined ? {} : { region: options.region }),
      ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
      ...(options.credentials === undefined ? {} : { credentials: options.credentials }),
      forcePathStyle: options.forcePathStyle ?? pathStyleIsUsual(options),
      maxAttempts: ATTEMPTS_MAX,
      requestHandler: {
        connectionTimeout: CONNECT_TIMEOUT_MS,
        requestTimeout: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
        throwOnRequestTimeout: true,
      },
    });
  }

  /** Closes the connections. */
  close(): void {
    this.#s3.destroy();
  }

  /** Whether the bucket is there; nothing is made. @throws CounterpartError `archive/access-denied`, `archive/unavailable`, ... */
  async exists(call: ArchiveCall = {}): Promise<boolean> {
    return this.#typed({ act: 'look whether it is there' }, call, (abort) => this.#bucketExists(abort));
  }

  /**
   * Creates the bucket, with versions, when it is absent. A bucket that somebody else set up stays as it is: `versions`
   * says what it does. An empty one that never had a setting is taken for our own, left behind between the two calls.
   * @throws CounterpartError `archive/access-denied`, `archive/unavailable`, ...
   */
  async ensureBucket(call: ArchiveCall = {}): Promise<{ readonly created: boolean; readonly versions: boolean }> {
    return this.#typed({ act: 'prepare it' }, call, async (abort) => {
      const created = !(await this.#bucketExists(abort)) && (await this.#createBucket(abort));
      const bucket = { Bucket: this.bucket };
      const { Status } = await this.#s3.send(new GetBucketVersioningCommand(bucket), abort);
      if (Status !== undefined) return { created, versions: Status === 'Enabled' };
      const { KeyCount = 0 } = await this.#s3.send(new ListObjectsV2Command({ ...bucket, MaxKeys: 1 }), abort);
      if (!created && KeyCount > 0) return { created, versions: false };
      const VersioningConfiguration = { Status: 'Enabled' as const };
      await this.#s3.send(new PutBucketVersioningCommand({ ...bucket, VersioningConfiguration }), abort);
      return { created, versions: true };
    });
  }

  /**
   * Stores an object unless the key exists. With the same content there it is done already, with the same result,
   * however many try at once.
   * @throws CounterpartError `archive/exists-with-other-content` (never overwritten); `archive/unavailable`, ...
   */
  async putOnce(key: string, body: Buffer, how: PutOptions = {}): Promise<StoredObject> {
    const sha256 = sha256Of(body);
    const context = { key, act: 'store it' };
    return this.#typed(context, how, async (abort) => {
      for (let round = 0; round < RACE_ROUNDS_MAX; round += 1) {
        const versionId = await this.#putIfAbsent(key, body, sha256, how, abort);
        if (versionId !== 'exists') return { bucket: this.bucket, key, bytes: body.length, sha256, versionId };
        const there = await this.#look(key, abort);
        // Gone again, or not yet visible while another writer ends: try anew.
        if (there === undefined) continue;
        if (there.sha256 === sha256) return there;
        throw archiveError(
          { bucket: this.bucket, ...context },
          {
            type: 'archive/exists-with-other-content',
            kind: 'needs-operator',
            why: `an object is there with SHA-256 ${there.sha256.slice(0, 12)}, ours has ${sha256.slice(0, 12)}`,
            remedy: 'Compare the two; move the one in the archive away if it is wrong, then retry. It was not touched',
          },
        );
      }
      throw archiveError(
        { bucket: this.bucket, ...context },
        {
          type: 'archive/busy',
          kind: 'retryable',
          why: 'other writers of the same key come and go',
          remedy: 'Nothing to do: it is tried again',
        },
      );
    });
  }

  /**
   * Content of an object, verified: against `sha256` when given, and against what was recorded beside it.
   * @throws CounterpartError `archive/not-found`, `archive/corrupt`, `archive/no-checksum`, `archive/unavailable`, ...
   */
  async get(key: string, which: GetOptions = {}): Promise<Buffer> {
    const context = { key, act: 'read it' };
    return this.#typed(context, which, async (abort) => {
      const version = which.versionId === undefined ? {} : { VersionId: which.versionId };
      const at = { Bucket: this.bucket, Key: key, ...version };
      const answer = await this.#s3.send(new GetObjectCommand({ ...at, ChecksumMode: 'ENABLED' }), abort);
      const body = Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
      const expected = [which.sha256, recordedSha256(answer)].filter((one) => one !== undefined);
      const found = sha256Of(body);
      const wrong = expected.find((one) => one !== found);
      if (expected.length > 0 && wrong === undefined) return body;
      throw this.#unverified(context, found, wrong);
    });
  }

  /**
   * An object of any length in any bucket that the credentials reach: its size, what was recorded of its content, and
   * its bytes as a stream. `read` does not verify: hash what comes.
   * @throws CounterpartError `archive/not-found`, `archive/access-denied`, `archive/unavailable`, ...
   */
  async openObject(
    at: { readonly bucket: string; readonly key: string },
    call: ArchiveCall = {},
  ): Promise<{ readonly bytes: number; readonly sha256: string | undefined; read(): Promise<Readable> }> {
    const object = { Bucket: at.bucket, Key: at.key };
    const context = { key: `${at.bucket}/${at.key}`, act: 'read it' };
    const head = await this.#typed(context, call, (abort) =>
      this.#s3.send(new HeadObjectCommand({ ...object, ChecksumMode: 'ENABLED' }), abort),
    );
    return {
      bytes: head.ContentLength ?? 0,
      sha256: recordedSha256(head),
      read: () =>
        this.#typed(context, call, async (abort) => {
          const { Body } = await this.#s3.send(new GetObjectCommand(object), abort);
          if (Body instanceof Readable) return Body;
          throw new TypeError('the S3 client answered no stream');
        }),
    };
  }

  /** All current objects below a prefix, by key. */
  async list(prefix: string, call: ArchiveCall = {}): Promise<ListedObject[]> {
    return this.#typed({ act: `list what is below ${prefix}` }, call, async (abort) => {
      const found: ListedObject[] = [];
      let token: string | undefined;
      do {
        const next = token === undefined ? {} : { ContinuationToken: token };
        const page = await this.#s3.send(
          new ListObjectsV2Command({ Bucket: this.bucket, Prefix: prefix, ...next }),
          abort,
        );
        for (const { Key = '', Size = 0, LastModified } of page.Contents ?? []) {
          found.push({ key: Key, bytes: Size, modifiedMs: LastModified?.getTime() ?? 0 });
        }
        token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      } while (token !== undefined);
      return found;
    });
  }

  /** The versions of one object, newest first; a deleted one has none that is `latest`. */
  async versions(key: string, call: ArchiveCall = {}): Promise<ObjectVersion[]> {
    return this.#typed({ key, act: 'list its versions' }, call, async (abort) => {
      const page = await this.#s3.send(new ListObjectVersionsCommand({ Bucket: this.bucket, Prefix: key }), abort);
      return (page.Versions ?? [])
        .filter((one) => one.Key === key)
        .map((one) => ({
          key,
          bytes: one.Size ?? 0,
          modifiedMs: one.LastModified?.getTime() ?? 0,
          versionId: one.VersionId ?? '',
          latest: one.IsLatest ?? false,
        }));
    });
  }

  /**
   * Removes an object from the listing; one that is gone already is done. Where the bucket keeps versions its content
   * stays behind a delete marker until the bucket's own rules remove it.
   * @throws CounterpartError `archive/access-denied`, `archive/unavailable`, ...
   */
  async remove(key: string, call: ArchiveCall = {}): Promise<void> {
    await this.#typed({ key, act: 'remove it' }, call, (abort) =>
      this.#s3.send(new DeleteObjectCommand({ Bucket: this.bucket, Key: key }), abort),
    );
  }

  async #bucketExists(abort: Abort): Promise<boolean> {
    try {
      await this.#s3.send(new HeadBucketCommand({ Bucket: this.bucket }), abort);
      return true;
    } catch (error) {
      if (sdkError(error).status === 404) return false;
      throw error;
    }
  }

  /** @returns false when another worker was faster. */
  async #createBucket(abort: Abort): Promise<boolean> {
    try {
      await this.#s3.send(new CreateBucketCommand({ Bucket: this.bucket }), abort);
      return true;
    } catch (error) {
      if (sdkError(error).name === 'BucketAlreadyOwnedByYou') return false;
      throw error;
    }
  }

  /** @returns the new version's id, or that the key exists. */
  async #putIfAbsent(
    key: string,
    body: Buffer,
    sha256: string,
    how: PutOptions,
    abort: Abort,
  ): Promise<string | undefined> {
    try {
      const put = new PutObjectCommand({
        Bucket: this.bucket,
        Key: key,
        Body: body,
        ContentType: how.contentType ?? 'application/octet-stream',
        ContentLength: body.length,
        IfNoneMatch: '*',
        ChecksumSHA256: Buffer.from(sha256, 'hex').toString('base64'),
        Metadata: { ...how.metadata, [SHA256_METADATA]: sha256 },
      });
      return (await this.#s3.send(put, abort)).VersionId;
    } catch (error) {
      const { status, name } = sdkError(error);
      // 409: another conditional put of this key is under way. The SDK may also have repeated a put of ours that did
      // arrive: then the object there is the one we wanted.
      if (status === 412 || (status === 409 && name === 'ConditionalRequestConflict')) return 'exists';
      throw error;
    }
  }

  /** What lies at the key now, if anything does. */
  async #look(key: string, abort: Abort): Promise<StoredObject | undefined> {
    const at = { Bucket: this.bucket, Key: key };
    try {
      const head = await this.#s3.send(new HeadObjectCommand({ ...at, ChecksumMode: 'ENABLED' }), abort);
      const { ContentLength: bytes = 0, VersionId: versionId } = head;
      const recorded = recordedSha256(head);
      if (recorded !== undefined) return { bucket: this.bucket, key, bytes, sha256: recorded, versionId };
      const { Body } = await this.#s3.send(new GetObjectCommand(at), abort);
      const sha256 = sha256Of(Buffer.from((await Body?.transformToByteArray()) ?? []));
      return { bucket: this.bucket, key, bytes, sha256, versionId };
    } catch (error) {
      if (sdkError(error).status === 404) return undefined;
      throw error;
    }
  }

  #unverified(context: Omit<ArchiveContext, 'bucket'>, found: string, wanted: string | undefined): unknown {
    const why =
      wanted === undefined
        ? 'nothing tells what its content should be'
        : `its SHA-256 is ${found.slice(0, 12)}, it should be ${wanted.slice(0, 12)}`;
    return archiveError(
      { bucket: this.bucket, ...context },
      {
        type: wanted === undefined ? 'archive/no-checksum' : 'archive/corrupt',
        kind: 'needs-operator',
        why,
        remedy: DO_NOT_USE,
      },
    );
  }

  async #typed<T>(
    context: Omit<ArchiveContext, 'bucket'>,
    call: ArchiveCall,
    work: (abort: Abort) => Promise<T>,
  ): Promise<T> {
    const { signal } = call;
    try {
      signal?.throwIfAborted();
      return await work(signal === undefined ? {} : { abortSignal: signal });
    } catch (error) {
      throw toArchiveError({ bucket: this.bucket, ...context }, error, signal);
    }
  }
}
