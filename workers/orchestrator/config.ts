/** The worker's configuration from the environment: every problem is named with its variable, all of them at once. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { ClusterConfig } from '../../activities/clusters.ts';
import { DEFAULT_TIMING, type OperationTiming } from '../../workflows/model/operation.ts';

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
  readonly timing: OperationTiming;
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
