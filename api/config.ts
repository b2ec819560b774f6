/** The front door's configuration from the environment: every problem is named with its variable, all of them at once. */
import type { WebhookSource } from './ports.ts';
import { readSources } from './webhooks/source.ts';

export interface FrontDoorConfig {
  readonly host: string;
  readonly port: number;
  readonly sources: readonly WebhookSource[];
  readonly apiTokenFile: string | undefined;
  /** File that gets a line for each webhook delivery; without it the last 200 are kept in memory. */
  readonly deliveryLog?: string;
}

export interface FrontDoorProblem {
  readonly variable: string;
  readonly problem: string;
  readonly remedy: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

function sourcesIn(file: string, problems: FrontDoorProblem[]): readonly WebhookSource[] {
  const read = readSources(file);
  if (read.ok) return read.sources;
  const remedy =
    'A JSON list of { name, scheme, secretFiles, ... }; api/webhooks/README.md has an entry for each scheme.';
  const variable = 'BELLWETHER_WEBHOOKS_FILE';
  problems.push(...read.problems.map((problem) => ({ variable, problem: `${file}: ${problem}`, remedy })));
  return [];
}

/** `host:port`, `[::1]:port`; port 0 takes a free one. */
function readListen(text: string, problems: FrontDoorProblem[]): { host: string; port: number } {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match !== null && port < 65_536) return { host: match[1] ?? match[2] ?? '127.0.0.1', port };
  const remedy = 'Give host:port, e.g. 127.0.0.1:8480.';
  problems.push({ variable: 'BELLWETHER_LISTEN', problem: `${JSON.stringify(text)} is no address`, remedy });
  return { host: '127.0.0.1', port: 0 };
}

/** @returns the configuration, or every problem of the environment. */
export function readFrontDoorConfig(
  env: Environment,
): { ok: true; config: FrontDoorConfig } | { ok: false; problems: readonly FrontDoorProblem[] } {
  const problems: FrontDoorProblem[] = [];
  const { host, port } = readListen(env['BELLWETHER_LISTEN'] || '127.0.0.1:8480', problems);
  const file = env['BELLWETHER_WEBHOOKS_FILE'];
  const sources = file === undefined || file === '' ? [] : sourcesIn(file, problems);
  const apiTokenFile = env['BELLWETHER_API_TOKEN_FILE'] || undefined;
  const deliveryLog = env['BELLWETHER_DELIVERY_LOG'];
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, config: { host, port, sources, apiTokenFile, ...(deliveryLog ? { deliveryLog } : {}) } };
}
