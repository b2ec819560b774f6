/** The worker's configuration from the environment: every problem is named with its variable, all of them at once. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { ClusterConfig } from '../../activities/clusters.ts';
import type { HostWorkerFiles } from '../../activities/host-worker/files.ts';
import type { TrackerConfig } from '../../activities/tickets/tracker.ts';
import { readTargetsFile, type NotifyTarget } from '../../activities/notify/config.ts';
import { DEFAULT_TIMING, type OperationTiming } from '../../workflows/model/operation.ts';
import { readTrackers } from './trackers.ts';

export interface ConfigProblem {
  readonly variable: string;
  readonly problem: string;
  readonly remedy: string;
}

export interface OrchestratorConfig {
  readonly clusters: readonly ClusterConfig[];
  readonly bucket: string;
  readonly taskQueue: string;
  readonly logLevel: string;
  readonly tickets: { readonly url: string; readonly secretFile: string } | undefined;
  /** Ticket systems that are kept up to date, by the names that webhook sources give. */
  readonly trackers?: readonly TrackerConfig[];
  /** Base address of the front door as people reach it, for links in tickets. */
  readonly publicUrl?: string;
  /** Who is told when an operation parks or ends, or a host worker tells something. */
  readonly notify?: readonly NotifyTarget[];
  /** `host:port` where Prometheus scrapes the worker. */
  readonly metricsListen?: string;
  readonly timing: OperationTiming;
  /** What a host gets where it runs our worker. */
  readonly hostWorker?: HostWorkerFiles;
  /** Folder with a file per secret that requests name. */
  readonly secretsDir?: string;
}

const host = z.object({
  name: z.string().min(1),
  address: z.string().min(1),
  vdsmPort: z.number().int().min(1).max(65_535).default(54_321),
  ca: z.string().min(1),
  cert: z.string().min(1),
  key: z.string().min(1),
});

const cluster = z.object({
  name: z.string().min(1),
  engine: z.object({
    url: z.url({ protocol: /^https$/ }),
    ca: z.string().min(1),
    user: z.string().regex(/@/, 'must be user@profile, e.g. admin@internal'),
    passwordFile: z.string().min(1),
  }),
  hosts: z.array(host).min(1, 'needs at least one host'),
}) satisfies z.ZodType<ClusterConfig>;

const clustersFile = z.array(cluster);

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];

type Environment = Readonly<Record<string, string | undefined>>;

function readClusters(file: string, problems: ConfigProblem[]): readonly ClusterConfig[] {
  const variable = 'BELLWETHER_CLUSTERS_FILE';
  const remedy = 'See the README, section Configuration, for the file’s form.';
  try {
    const parsed = clustersFile.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) {
      problems.push({ variable, problem: `${file}: ${issue.path.join('.')}: ${issue.message}`, remedy });
    }
  } catch (error) {
    problems.push({ variable, problem: `${file}: ${error instanceof Error ? error.message : String(error)}`, remedy });
  }
  return [];
}

function seconds(env: Environment, variable: string, fallbackMs: number, problems: ConfigProblem[]): number {
  const text = env[variable];
  if (text === undefined || text === '') return fallbackMs;
  const value = Number(text);
  if (Number.isFinite(value) && value > 0 && value <= 86_400) return value * 1000;
  problems.push({
    variable,
    problem: `${JSON.stringify(text)} is not a time`,
    remedy: 'Give seconds, above 0 and up to 86400.',
  });
  return fallbackMs;
}

function readTickets(env: Environment, problems: ConfigProblem[]): OrchestratorConfig['tickets'] {
  const url = env['BELLWETHER_TICKETS_URL'];
  const secretFile = env['BELLWETHER_TICKETS_SECRET_FILE'];
  if (url === undefined || url === '') return undefined;
  if (!z.url().safeParse(url).success) {
    problems.push({ variable: 'BELLWETHER_TICKETS_URL', problem: `${url} is not a URL`, remedy: 'Give the full URL.' });
  }
  if (secretFile === undefined || secretFile === '') {
    const remedy = 'Name the file that holds the whsec_ secret which signs reports.';
    problems.push({ variable: 'BELLWETHER_TICKETS_SECRET_FILE', problem: 'is not set', remedy });
    return undefined;
  }
  return { url, secretFile };
}

function readNotify(file: string | undefined, problems: ConfigProblem[]): { notify?: readonly NotifyTarget[] } {
  if (file === undefined || file === '') return {};
  const read = readTargetsFile(file);
  if (read.ok) return { notify: read.targets };
  const remedy = 'A JSON list of { name, on, email or webhook }; activities/README.md has an example.';
  const variable = 'BELLWETHER_NOTIFY_FILE';
  problems.push(...read.problems.map((problem) => ({ variable, problem: `${file}: ${problem}`, remedy })));
  return {};
}

function readMetricsListen(text: string | undefined, problems: ConfigProblem[]): { metricsListen?: string } {
  if (text === undefined || text === '') return {};
  if (/^(\[[0-9a-f:]+\]|\d{1,3}(\.\d{1,3}){3}):\d{1,5}$/i.test(text)) return { metricsListen: text };
  const remedy = 'Give address:port with the address in figures, e.g. 127.0.0.1:9464.';
  problems.push({ variable: 'BELLWETHER_METRICS_LISTEN', problem: `${JSON.stringify(text)} is no address`, remedy });
  return {};
}

function trackersOf(file: string | undefined, problems: ConfigProblem[]): { trackers?: readonly TrackerConfig[] } {
  if (file === undefined || file === '') return {};
  const read = readTrackers(file);
  const remedy = 'A JSON list; activities/tickets/README.md has an entry for each kind.';
  const variable = 'BELLWETHER_TRACKERS_FILE';
  problems.push(...read.problems.map((problem) => ({ variable, problem: `${file}: ${problem}`, remedy })));
  return { trackers: read.trackers };
}

function readPublicUrl(text: string | undefined, problems: ConfigProblem[]): { publicUrl?: string } {
  if (text === undefined || text === '') return {};
  if (!z.url({ protocol: /^https?$/ }).safeParse(text).success) {
    const remedy = 'Give the address at which people reach the front door, e.g. https://bellwether.example.test.';
    problems.push({ variable: 'BELLWETHER_PUBLIC_URL', problem: `${text} is not a web address`, remedy });
  }
  return { publicUrl: text.replace(/\/+$/, '') };
}

/** The bundle as `npm run bundle` makes it, unless another one is named; unit and configuration as they lie in the source tree. */
export function hostWorkerFiles(bundle?: string): HostWorkerFiles {
  const inTree = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
  return {
    bundle: bundle || inTree('dist/bellwether-host.mjs'),
    unit: inTree('infra/systemd/bellwether-host.service'),
    conf: inTree('infra/systemd/bellwether-host.conf'),
  };
}

/** @returns the configuration, or every problem of the environment. */
export function readOrchestratorConfig(
  env: Environment,
): { ok: true; config: OrchestratorConfig } | { ok: false; problems: readonly ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const file = env['BELLWETHER_CLUSTERS_FILE'];
  const logLevel = env['BELLWETHER_LOG_LEVEL'] || 'info';
  if (!LOG_LEVELS.includes(logLevel)) {
    const remedy = `One of ${LOG_LEVELS.join(', ')}.`;
    problems.push({ variable: 'BELLWETHER_LOG_LEVEL', problem: `${logLevel} is not a level`, remedy });
  }
  const bucket = env['BELLWETHER_S3_BUCKET'] || 'bellwether';
  if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(bucket)) {
    const remedy = '3 to 63 lower-case letters, digits, dots or hyphens.';
    problems.push({ variable: 'BELLWETHER_S3_BUCKET', problem: `${bucket} is not a bucket’s name`, remedy });
  }
  const config: OrchestratorConfig = {
    clusters: file === undefined || file === '' ? [] : readClusters(file, problems),
    bucket,
    taskQueue: env['BELLWETHER_TASK_QUEUE'] || 'bellwether',
    logLevel,
    tickets: readTickets(env, problems),
    ...trackersOf(env['BELLWETHER_TRACKERS_FILE'], problems),
    ...readNotify(env['BELLWETHER_NOTIFY_FILE'], problems),
    ...readMetricsListen(env['BELLWETHER_METRICS_LISTEN'], problems),
    ...readPublicUrl(env['BELLWETHER_PUBLIC_URL'], problems),
    hostWorker: hostWorkerFiles(env['BELLWETHER_HOST_BUNDLE']),
    ...(env['BELLWETHER_SECRETS_DIR'] ? { secretsDir: env['BELLWETHER_SECRETS_DIR'] } : {}),
    timing: {
      firstRetryMs: seconds(env, 'BELLWETHER_FIRST_RETRY_SECONDS', DEFAULT_TIMING.firstRetryMs, problems),
      maxRetryMs: seconds(env, 'BELLWETHER_MAX_RETRY_SECONDS', DEFAULT_TIMING.maxRetryMs, problems),
      stepPatienceMs: seconds(env, 'BELLWETHER_STEP_PATIENCE_SECONDS', DEFAULT_TIMING.stepPatienceMs, problems),
      heartbeatMs: seconds(env, 'BELLWETHER_HEARTBEAT_SECONDS', DEFAULT_TIMING.heartbeatMs, problems),
    },
  };
  return problems.length === 0 ? { ok: true, config } : { ok: false, problems };
}
