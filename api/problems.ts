/**
 * Every refusal of the front door: RFC 9457 problem documents. One table holds status, title and the page that the
 * `type` URI leads to, so that nobody gets an answer without "what to do".
 */

interface ProblemKind {
  readonly status: 400 | 401 | 403 | 404 | 409 | 413 | 415 | 422 | 429 | 500 | 503;
  readonly title: string;
  /** What to do, in plain lines. */
  readonly page: string;
  readonly retryAfterS?: number;
}

export const PROBLEMS = {
  'malformed-json': {
    status: 400,
    title: 'The body is not JSON',
    page: 'Send a JSON object in UTF-8, nested at most 32 deep. The detail says where reading stopped.',
  },
  'idempotency-key-missing': {
    status: 400,
    title: 'The request has no key',
    page: 'Send an Idempotency-Key header (a UUID, say) or a "key" in the body. Repeat a request with the same key: it is done once only.',
  },
  'signature-refused': {
    status: 401,
    title: 'The webhook’s signature was refused',
    page: [
      'The detail names the reason:',
      '- missing-header: the scheme’s header is not there. Standard Webhooks: webhook-id, webhook-timestamp and webhook-signature; GitHub: X-Hub-Signature-256; Jira: X-Hub-Signature; GitLab: X-Gitlab-Token; PagerDuty: X-PagerDuty-Signature.',
      '- malformed-header: webhook-id without "." and spaces, timestamps in digits only.',
      '- too-old, too-new: the clocks differ by more than 5 minutes, or the delivery was held back (Jira: by more than an hour). Check NTP on both sides.',
      '- no-match: other secret, or the body was changed on the way. Sign the very bytes that are sent; compare the secret with the source’s secret file.',
      '- no-secret: none of the configured secrets is usable: Standard Webhooks want whsec_ and base64 of at least 24 bytes (or a public key whpk_), other schemes at least 16 bytes.',
      'Try it offline with the recorded delivery: npx bellwether webhook test --source NAME --file BODY --header "Name: value".',
    ].join('\n'),
  },
  unauthorized: {
    status: 401,
    title: 'The operations API needs a token',
    page: 'Send "Authorization: Bearer TOKEN" with the token of the front door’s token file. The command line reads it from the file in BELLWETHER_API_TOKEN_FILE.',
  },
  'foreign-host': {
    status: 403,
    title: 'Without a token the API answers only to this machine',
    page: 'Call it as 127.0.0.1 or localhost, or configure an API token. This keeps web pages in a browser on this machine from reaching it under another name.',
  },
  'read-only': {
    status: 403,
    title: 'This needs the role operator',
    page: 'Nothing was done. A line of the token file reads name:role:token; the role is read-only or operator. Sign in with an operator’s token, or ask an operator.',
  },
  'form-refused': {
    status: 403,
    title: 'The form was not taken',
    page: 'Nothing was done. Load the page again and send the form from there. A form belongs to the session that it was made for and to this site; behind a proxy the Host header must reach the front door unchanged.',
  },
  'not-found': { status: 404, title: 'There is nothing here', page: 'GET /openapi.json lists all paths.' },
  'unknown-source': {
    status: 404,
    title: 'No such webhook source',
    page: 'The name after /webhooks/ must be a configured source. Compare it with the front door’s configuration.',
  },
  'operation-not-found': {
    status: 404,
    title: 'No such operation',
    page: 'An id reads upgrade/CLUSTER/TICKET. GET /operations lists those that are still kept (30 days after their end by default).',
  },
  'cluster-not-found': {
    status: 404,
    title: 'No such cluster',
    page: 'GET /clusters lists those that this front door is configured for. Names are case sensitive.',
  },
  'window-not-found': {
    status: 404,
    title: 'No such window',
    page: 'GET /windows (npx bellwether window list) lists them; a window is named by its cluster and its name.',
  },
  'window-exists': {
    status: 409,
    title: 'The cluster has a window of this name',
    page: 'Look at it: npx bellwether window show NAME --cluster CLUSTER. Take another name, or delete it first.',
  },
  'window-open': {
    status: 409,
    title: 'The window is open',
    page: 'One opening at a time: wait for its end, or close it early (Request Cancellation in the Temporal UI).',
  },
  'operation-exists': {
    status: 409,
    title: 'Another request has this ticket or key',
    page: 'An operation with the same id but other content was accepted before. Look at it first (GET the operation). To run the new content use a new ticket or key.',
  },
  'action-refused': {
    status: 409,
    title: 'The operation can’t do that now',
    page: 'The detail is the operation’s own answer. "actions" of GET /operations/ID lists what can be done now; retry and skip need a parked step.',
  },
  'operation-ended': {
    status: 409,
    title: 'The operation has ended',
    page: 'Nothing can be done with it any more. To run it again send a request with a new ticket or key: steps that are done are found done.',
  },
  'body-too-large': {
    status: 413,
    title: 'The body is too large',
    page: 'Webhooks: at most 64 KiB, 512 KiB for sources with a mapping. Operations API: 256 KiB, of which the vm.conf 64 KiB. A real vm.conf has 2 to 4 KiB: check which file was sent.',
  },
  'not-json': {
    status: 415,
    title: 'The body must be application/json',
    page: 'Send "Content-Type: application/json".',
  },
  'invalid-request': {
    status: 422,
    title: 'The request has mistakes',
    page: '"errors" lists each of them by its path. The shapes are in /openapi.json.',
  },
  'unsupported-event': {
    status: 422,
    title: 'This type of event starts nothing',
    page: 'Send type "operation.requested" with the request in "data", or the request alone. A source whose sender has its own form of body needs a mapping.',
  },
  'unknown-cluster': {
    status: 422,
    title: 'No such cluster',
    page: 'The cluster must be one that this front door is configured for; the detail lists them. Names are case sensitive.',
  },
  'invalid-vm-conf': {
    status: 422,
    title: 'The vm.conf can’t be used',
    page: '"errors" lists line, key and remedy. Try the file offline: npx bellwether convert FILE.',
  },
  'too-many-starts': {
    status: 429,
    title: 'Too many requests at once',
    page: 'Nothing was started. Send it again after the seconds in Retry-After, with the same key.',
    retryAfterS: 1,
  },
  'rate-limited': {
    status: 429,
    title: 'This source sends too much',
    page: 'Nothing was started. Send it again after the seconds in Retry-After. A source may send 600 deliveries a minute unless its entry says another ratePerMinute.',
    retryAfterS: 1,
  },
  'too-many-tries': {
    status: 429,
    title: 'Too many tries to sign in',
    page: 'Wait for the seconds in Retry-After, then try again. Ten tries a minute are taken from one address.',
    retryAfterS: 60,
  },
  'too-many-streams': {
    status: 503,
    title: 'Too many pages listen',
    page: 'The page goes on by asking every 5 seconds. Close pages that nobody looks at; a front door feeds 100.',
    retryAfterS: 60,
  },
  'internal-error': {
    status: 500,
    title: 'The front door failed',
    page: 'This is a defect. The front door’s log has a line with the same "instance". Repeating the request with the same key is safe.',
  },
  'temporal-unavailable': {
    status: 503,
    title: 'Temporal did not answer',
    page: 'Nothing was acknowledged. Send the same request again with the same key: it is done once only. See GET /readyz, and whether the Temporal server runs.',
    retryAfterS: 5,
  },
  'audit-unavailable': {
    status: 503,
    title: 'The audit trail can’t be written',
    page: 'What can’t be written down is not done: nothing was changed, unless the detail says otherwise. Look at the disk of the file in BELLWETHER_AUDIT_LOG (df -h, and its owner), then send the same request again with the same key. BELLWETHER_AUDIT_REQUIRED=false lets changes go on without a trail.',
    retryAfterS: 30,
  },
  'secret-unavailable': {
    status: 503,
    title: 'A secret can’t be read',
    page: 'The secret file of this source (or of the API token) is missing, empty or unreadable for the front door’s user. Its log names the file.',
    retryAfterS: 30,
  },
  'no-worker': {
    status: 503,
    title: 'No worker took the command',
    page: 'The operation’s worker is down or busy, so it is not known whether the command will be taken: a worker that comes back may still take it. Start the orchestrator’s worker, look at the operation, then send the command again if it still needs it.',
    retryAfterS: 10,
  },
  'no-worker-polls': {
    status: 503,
    title: 'No worker polls the queue',
    page: 'Engine, hosts and storage are looked at by the worker, and none answers: start it (npm start), with the same BELLWETHER_TASK_QUEUE as the front door. "operations" lists what Temporal itself knows of operations under way.',
    retryAfterS: 5,
  },
  'look-failed': {
    status: 503,
    title: 'The worker could not look at the cluster',
    page: '"errors" says why and what to do. A cluster must be in the file that BELLWETHER_CLUSTERS_FILE names for the worker, too.',
    retryAfterS: 10,
  },
  'not-ready': {
    status: 503,
    title: 'The front door is not ready',
    page: '"detail" says what is missing.',
    retryAfterS: 5,
  },
} as const satisfies Record<string, ProblemKind>;

export type ProblemName = keyof typeof PROBLEMS;

/** One mistake in what was sent: by path (JSON) or by line and key (vm.conf). */
export interface ProblemError {
  readonly path?: string;
  readonly line?: number;
  readonly key?: string;
  readonly what: string;
  readonly remedy?: string;
}

export interface ProblemDetails {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** `urn:uuid:` of the log line. */
  readonly instance?: string;
  readonly errors?: readonly ProblemError[];
  /** Path of the operation concerned. */
  readonly operation?: string;
  /** Operations under way, as Temporal knows them without a worker. */
  readonly operations?: readonly OpenOperation[];
}

/** As much of an operation as Temporal’s visibility tells. */
interface OpenOperation {
  readonly id: string;
  readonly state: string;
  readonly step?: string;
}

export interface ProblemExtras {
  readonly instance?: string;
  readonly errors?: readonly ProblemError[];
  readonly operation?: string;
  readonly operations?: readonly OpenOperation[];
}

export function isProblemName(name: string): name is ProblemName {
  return Object.hasOwn(PROBLEMS, name);
}

/** The `application/problem+json` answer, with `Retry-After` and `WWW-Authenticate` where they belong. */
export function problem(name: ProblemName, detail: string, extras: ProblemExtras = {}): Response {
  const kind: ProblemKind = PROBLEMS[name];
  const body: ProblemDetails = { type: `/problems/${name}`, title: kind.title, status: kind.status, detail, ...extras };
  const headers = new Headers({ 'content-type': 'application/problem+json' });
  if (kind.retryAfterS !== undefined) headers.set('retry-after', String(kind.retryAfterS));
  if (name === 'unauthorized') headers.set('www-authenticate', 'Bearer realm="bellwether"');
  return new Response(JSON.stringify(body), { status: kind.status, headers });
}

/** The page behind a `type` URI, as plain text: it is read in a terminal at night. */
export function problemPage(name: ProblemName): string {
  const kind: ProblemKind = PROBLEMS[name];
  return `${kind.title} (${kind.status})\n\n${kind.page}\n`;
}
