/** The front door as the command line calls it: every answer is parsed, every failure is told with what to run. */
import { readFile } from 'node:fs/promises';
import type { z } from '@hono/zod-openapi';
import { operationPath } from '../operations/answer.ts';
import type { OperatorAction, OperatorCommand } from '../../workflows/model/operation.ts';
import {
  actionAnswer,
  operationList,
  operationReport,
  startAnswer,
  type ActionAnswer,
  type StartAnswer,
} from '../schemas/operation.ts';
import { problemDetails } from '../schemas/problem.ts';
import type { BackupListing } from '../../workflows/model/look.ts';
import { backupListing } from '../schemas/look.ts';
import { clusterList, clusterStatus, doctorReport } from '../schemas/status.ts';
import type { ClusterList, ClusterStatus, DoctorReport } from '../clusters/status.ts';
import { deliveryList, type DeliveryList } from '../webhooks/deliveries.ts';
import type { OperationReport, OperationSummary } from '../ports.ts';
import { CliError, EXIT, failure } from './exit.ts';

export const DEFAULT_URL = 'http://127.0.0.1:8480';
/** Longer than the front door's own patience with server and worker together. */
const PATIENCE_MS = 15_000;
const LOOK_PATIENCE_MS = 20_000;
/** Each check has its own limit; silent counterparts cost theirs. */
const DOCTOR_PATIENCE_MS = 60_000;

export interface FrontDoorSettings {
  readonly url: string;
  readonly tokenFile?: string;
}

/** From `BELLWETHER_URL` and `BELLWETHER_API_TOKEN_FILE`. @throws CliError when the URL is none. */
export function settingsFrom(env: NodeJS.ProcessEnv): FrontDoorSettings {
  const url = env['BELLWETHER_URL'] || DEFAULT_URL;
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new CliError(
      EXIT.usage,
      failure('reading BELLWETHER_URL', `"${url}" is no http address`, `export BELLWETHER_URL=${DEFAULT_URL}`),
    );
  }
  const tokenFile = env['BELLWETHER_API_TOKEN_FILE'];
  return tokenFile ? { url, tokenFile } : { url };
}

export interface FrontDoor {
  start(body: object, requestedBy: string): Promise<StartAnswer>;
  show(id: string): Promise<OperationReport>;
  list(filter: { readonly cluster?: string; readonly state?: string }): Promise<readonly OperationSummary[]>;
  act(id: string, action: OperatorAction, command: OperatorCommand): Promise<ActionAnswer>;
  clusters(): Promise<ClusterList['clusters']>;
  status(cluster: string): Promise<ClusterStatus>;
  doctor(cluster: string): Promise<DoctorReport>;
  backups(cluster: string): Promise<BackupListing>;
  /** Any other path, for commands that keep their own. */
  ask<T>(what: string, path: string, schema: z.ZodType<T>, init?: RequestInit): Promise<T>;
  deliveries(filter: { readonly source?: string; readonly limit?: string }): Promise<DeliveryList>;
}

async function tokenOf(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(EXIT.usage, failure('reading BELLWETHER_API_TOKEN_FILE', why, `ls -l ${file}`));
  });
  return (
    text
      .split('\n')
      .map((line) => line.trim())
      .find((line) => line !== '' && !line.startsWith('#'))
      // A name may stand behind the token.
      ?.split(/\s+/)[0] ?? ''
  );
}

/** undici hides the cause (`ECONNREFUSED 127.0.0.1:8480`) behind "fetch failed". */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${PATIENCE_MS / 1000} s`;
  return error.cause instanceof Error && error.cause.message !== '' ? error.cause.message : error.message;
}

function unreachable(url: string, error: unknown): CliError {
  const run = 'npm start (here), or export BELLWETHER_URL=... (elsewhere)';
  return new CliError(EXIT.unreachable, failure(`calling the front door at ${url}`, causeOf(error), run), {
    passing: true,
  });
}

/** Keeps a path in `BELLWETHER_URL`: the front door may be behind a proxy, under a prefix. */
function at(url: string, path: string): URL {
  const base = new URL(url);
  return new URL(`${base.pathname.replace(/\/+$/, '')}${path}`, base);
}

/** The command that helps with a problem; its page says the rest. */
function remedyFor(type: string, url: string, operation: string | undefined): string {
  if (operation !== undefined)
    return `npx bellwether operation show ${decodeURIComponent(operation.replace('/operations/', ''))}`;
  if (type.endsWith('/unauthorized')) return 'export BELLWETHER_API_TOKEN_FILE=FILE';
  if (type.endsWith('/operation-not-found')) return 'npx bellwether operation list';
  if (type.endsWith('/window-not-found')) return 'npx bellwether window list';
  if (type.endsWith('/cluster-not-found')) return 'npx bellwether status';
  if (type.endsWith('/no-worker-polls')) return 'npm start, then npx bellwether doctor';
  return `curl ${at(url, type).href}`;
}

function refused(url: string, what: string, status: number, body: unknown): CliError {
  const problem = problemDetails.safeParse(body);
  if (!problem.success) {
    const why = `it answered ${status} without a problem document; is it Bellwether’s front door?`;
    return new CliError(EXIT.failed, failure(what, why, `curl ${at(url, '/healthz').href}`));
  }
  const { title, detail, type, errors = [], operation } = problem.data;
  const lines = errors.map(({ path, line, key, what, remedy }) => {
    const place = [path, line === undefined ? undefined : `line ${line}`, key]
      .filter((part) => part !== undefined)
      .join(', ');
    return `        ${place}: ${what}${remedy === undefined ? '' : `. ${remedy}`}`;
  });
  const [first = '', why = '', run = ''] = failure(what, `${title}: ${detail}`, remedyFor(type, url, operation));
  return new CliError(EXIT.failed, [first, why, ...lines, run], {
    details: problem.data,
    passing: status === 503 || status === 429,
  });
}

const ofCluster = (cluster: string, what: string) => `/clusters/${encodeURIComponent(cluster)}/${what}`;

export function createFrontDoor(settings: FrontDoorSettings): FrontDoor {
  const { url, tokenFile } = settings;
  async function call<T>(
    what: string,
    path: string,
    schema: z.ZodType<T>,
    init: RequestInit = {},
    patienceMs = PATIENCE_MS,
  ): Promise<T> {
    const headers = new Headers(init.headers);
    if (tokenFile !== undefined) headers.set('authorization', `Bearer ${await tokenOf(tokenFile)}`);
    let status: number;
    let text: string;
    try {
      const response = await fetch(at(url, path), { ...init, headers, signal: AbortSignal.timeout(patienceMs) });
      status = response.status;
      text = await response.text();
    } catch (error) {
      throw unreachable(url, error);
    }
    const body: unknown = parseOrText(text);
    const parsed = status < 300 ? schema.safeParse(body) : undefined;
    if (parsed?.success === true) return parsed.data;
    throw refused(url, what, status, body);
  }
  const post = (body: object, headers: Record<string, string> = {}): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return {
    start: (body, requestedBy) =>
      call('starting the operation', '/operations', startAnswer, post(body, { 'x-requested-by': requestedBy })),
    show: (id) => call(`reading ${id}`, operationPath(id), operationReport),
    list: async (filter) => {
      const query = new URLSearchParams(Object.entries(filter));
      return (await call('listing operations', `/operations?${query.toString()}`, operationList)).operations;
    },
    act: (id, action, command) =>
      call(`${action} of ${id}`, `${operationPath(id)}/${action}`, actionAnswer, post(command)),
    clusters: async () => (await call('listing clusters', '/clusters', clusterList)).clusters,
    status: (cluster) =>
      call(`looking at ${cluster}`, ofCluster(cluster, 'status'), clusterStatus, {}, LOOK_PATIENCE_MS),
    doctor: (cluster) =>
      call(`examining ${cluster}`, ofCluster(cluster, 'doctor'), doctorReport, {}, DOCTOR_PATIENCE_MS),
    backups: (cluster) =>
      call(`listing the backups of ${cluster}`, ofCluster(cluster, 'backups'), backupListing, {}, DOCTOR_PATIENCE_MS),
    ask: call,
    deliveries: (filter) => {
      const query = new URLSearchParams(Object.entries(filter));
      return call('reading deliveries', `/deliveries?${query.toString()}`, deliveryList);
    },
  };
}

function parseOrText(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return value;
  } catch {
    return text;
  }
}
