/** From what the S3 SDK throws to the error everybody handles. The one place that says what may be repeated. */
import { CounterpartError, type ErrorFacts, type ErrorKind } from '../errors.ts';

/** What was being done: `put`, to `s3://bucket/key`. */
export interface ArchiveContext {
  readonly bucket: string;
  readonly key?: string;
  /** Completes "could not ...": `store the object`. */
  readonly act: string;
}

interface Verdict {
  readonly type: `archive/${string}`;
  readonly kind: ErrorKind;
  readonly remedy: string;
}

function verdict(type: string, kind: ErrorKind, remedy: string): Verdict {
  return { type: `archive/${type}`, kind, remedy };
}

const WAIT = 'Nothing to do: it is tried again. If it lasts, see whether the S3 service runs and is reached from here';
const NO_BUCKET = verdict(
  'no-bucket',
  'needs-operator',
  'Create the bucket with versions switched on, or name another',
);
const NOT_FOUND = verdict('not-found', 'needs-operator', 'Check the key, and whether the object was deleted');
const DENIED = verdict(
  'access-denied',
  'needs-operator',
  'Allow these credentials to list, read and write in the bucket (and to create it, if it shall be created)',
);
const CREDENTIALS = verdict(
  'credentials-refused',
  'needs-operator',
  'Correct AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN), or the profile they come from',
);
const REGION = verdict('wrong-region', 'needs-operator', "Set the bucket's own region, and its endpoint if one is set");
const CLOCK = verdict('clock', 'needs-operator', "Set this machine's clock; S3 refuses a difference above 15 minutes");
const FULL = verdict('full', 'needs-operator', 'Free space or raise the quota of the S3 service');
/** For content that is not what it should be. */
export const DO_NOT_USE = 'Do not use it. Look at its older versions, and at another backup';
const UNAVAILABLE = verdict('unavailable', 'retryable', WAIT);
const DAMAGED = verdict('damaged-on-the-way', 'retryable', WAIT);

/** S3's names of errors. */
const BY_NAME: Readonly<Record<string, Verdict>> = {
  NoSuchBucket: NO_BUCKET,
  NoSuchKey: NOT_FOUND,
  NoSuchVersion: NOT_FOUND,
  NotFound: NOT_FOUND,
  AccessDenied: DENIED,
  Forbidden: DENIED,
  AllAccessDisabled: DENIED,
  BucketAlreadyExists: verdict(
    'bucket-of-another',
    'needs-operator',
    'Somebody else owns a bucket of this name: name another',
  ),
  InvalidAccessKeyId: CREDENTIALS,
  SignatureDoesNotMatch: CREDENTIALS,
  // versitygw's word for an unknown access key, with a 404.
  XAdminUserNotFound: CREDENTIALS,
  ExpiredToken: CREDENTIALS,
  InvalidToken: CREDENTIALS,
  TokenRefreshRequired: CREDENTIALS,
  CredentialsProviderError: verdict(
    'no-credentials',
    'needs-operator',
    'Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE',
  ),
  PermanentRedirect: REGION,
  AuthorizationHeaderMalformed: REGION,
  IllegalLocationConstraintException: REGION,
  RegionIsMissing: verdict(
    'no-region',
    'needs-operator',
    'Set AWS_REGION (any text will do for most servers other than AWS)',
  ),
  RequestTimeTooSkewed: CLOCK,
  QuotaExceeded: FULL,
  InsufficientStorage: FULL,
  XMinioStorageFull: FULL,
  InvalidBucketName: verdict(
    'bad-bucket-name',
    'needs-operator',
    'Name the bucket with 3 to 63 of a-z, 0-9, dot, dash',
  ),
  SlowDown: UNAVAILABLE,
  ServiceUnavailable: UNAVAILABLE,
  InternalError: UNAVAILABLE,
  RequestTimeout: UNAVAILABLE,
  TimeoutError: UNAVAILABLE,
  ChecksumMismatch: verdict('corrupt', 'needs-operator', DO_NOT_USE),
  BadDigest: DAMAGED,
  XAmzContentChecksumMismatch: DAMAGED,
  XAmzContentSHA256Mismatch: DAMAGED,
};

/** HEAD requests fail without a body, so without a name. */
function byStatus(status: number | undefined, context: ArchiveContext): Verdict {
  if (status === undefined) return UNAVAILABLE;
  if (status === 403) return DENIED;
  if (status === 401) return CREDENTIALS;
  if (status === 404) return context.key === undefined ? NO_BUCKET : NOT_FOUND;
  if (status === 301 || status === 307) return REGION;
  if (status === 507) return FULL;
  if (status >= 500 || status === 429 || status === 408) return UNAVAILABLE;
  return verdict('refused', 'needs-operator', 'Check the endpoint, the bucket and what this S3 service can do');
}

interface SdkError {
  readonly name: string;
  readonly message: string;
  readonly status: number | undefined;
}

/** The parts of an SDK error that matter; its classes are many and not exported one by one. */
export function sdkError(error: unknown): SdkError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), status: undefined };
  const metadata: unknown = '$metadata' in error ? error.$metadata : undefined;
  const status =
    typeof metadata === 'object' && metadata !== null && 'httpStatusCode' in metadata
      ? metadata.httpStatusCode
      : undefined;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  // The SDK has no names for these two.
  if (error.message.startsWith('Checksum mismatch'))
    return { name: 'ChecksumMismatch', message: error.message, status: undefined };
  if (error.message === 'Region is missing')
    return { name: 'RegionIsMissing', message: error.message, status: undefined };
  return {
    name: error.name === 'Error' && code !== '' ? code : error.name,
    message: error.message === '' ? code : error.message,
    status: typeof status === 'number' ? status : undefined,
  };
}

/** `s3://bucket/key`, or the bucket alone. */
export function placeOf(context: Pick<ArchiveContext, 'bucket' | 'key'>): string {
  return context.key === undefined ? `bucket ${context.bucket}` : `s3://${context.bucket}/${context.key}`;
}

/** An error of our own making about an object. */
export function archiveError(
  context: ArchiveContext,
  facts: Pick<ErrorFacts, 'kind' | 'why' | 'remedy'> & { readonly type: `archive/${string}` },
): CounterpartError {
  return new CounterpartError({ ...facts, subject: placeOf(context), what: `could not ${context.act}` });
}

/** The SDK's error without its request and response: those hold sockets, signed headers and content. */
function slim(error: unknown): Error {
  const { name, message } = sdkError(error);
  const plain = Object.assign(new Error(message), { name });
  if (error instanceof Error && error.stack !== undefined) plain.stack = error.stack;
  return plain;
}

/** @returns the typed error; an error that is one already, and a caller's abort, pass through. */
export function toArchiveError(context: ArchiveContext, error: unknown, signal?: AbortSignal): unknown {
  if (error instanceof CounterpartError) return error;
  if (signal?.aborted === true) return signal.reason;
  const { name, message, status } = sdkError(error);
  const { type, kind, remedy } = BY_NAME[name] ?? byStatus(status, context);
  return new CounterpartError(
    {
      type,
      kind,
      subject: placeOf(context),
      what: `could not ${context.act}`,
      why: `${message.replace(/\.$/, '')} (${name}${status === undefined ? '' : `, HTTP ${status}`})`,
      remedy,
      code: name,
    },
    { cause: slim(error) },
  );
}
