/** The front door's configuration from the environment: every problem is named with its variable, all of them at once. */
import { readFileSync } from 'node:fs';
import { optional } from './schemas/optional.ts';
import { z } from 'zod';
import type { WebhookSource } from './ports.ts';

export interface FrontDoorConfig {
  readonly host: string;
  readonly port: number;
  readonly sources: readonly WebhookSource[];
  readonly apiTokenFile: string | undefined;
}

export interface FrontDoorProblem {
  readonly variable: string;
  readonly problem: string;
  readonly remedy: string;
}

const sourcesFile = z.array(
  z.object({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and hyphens: it is part of the URL'),
    scheme: z.literal('standard'),
    secretFiles: z.array(z.string().min(1)).min(1),
    alertsOf: optional(z.string().min(1)),
  }),
) satisfies z.ZodType<WebhookSource[]>;

type Environment = Readonly<Record<string, string | undefined>>;

function readSources(file: string, problems: FrontDoorProblem[]): readonly WebhookSource[] {
  const variable = 'BELLWETHER_WEBHOOKS_FILE';
  const remedy = 'A JSON list of { name, scheme: "standard", secretFiles: [...] }; see the README.';
  try {
    const parsed = sourcesFile.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) {
      problems.push({ variable, problem: `${file}: ${issue.path.join('.')}: ${issue.message}`, remedy });
    }
  } catch (error) {
    problems.push({ variable, problem: `${file}: ${error instanceof Error ? error.message : String(error)}`, remedy });
  }
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
  const sources = file === undefined || file === '' ? [] : readSources(file, problems);
  const apiTokenFile = env['BELLWETHER_API_TOKEN_FILE'] || undefined;
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, config: { host, port, sources, apiTokenFile } };
}
