/** The front door's configuration from the environment: every problem is named with its variable, all of them at once. */
import { trustedProxies, type Trusted } from './audit/from.ts';
import type { WebhookSource } from './ports.ts';
import { readSources } from './webhooks/source.ts';

export interface FrontDoorConfig {
  readonly host: string;
  readonly port: number;
  readonly sources: readonly WebhookSource[];
  readonly apiTokenFile: string | undefined;
  /** File whose first line signs the sessions of the status page; whoever starts the front door has a default. */
  readonly sessionSecretFile?: string;
  /** File that gets a line for each webhook delivery; without it the last 200 are kept in memory. */
  readonly deliveryLog?: string;
  /** File of the audit trail; whoever starts the front door has a default. */
  readonly auditLog?: string;
  /** What can’t be written down is refused. Default true. */
  readonly auditRequired?: boolean;
  /** Whose X-Forwarded-For is believed; default: nobody’s. */
  readonly trustedProxy?: Trusted;
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

type AuditConfig = Pick<FrontDoorConfig, 'auditLog' | 'auditRequired' | 'trustedProxy'>;

function readAudit(env: Environment, problems: FrontDoorProblem[]): AuditConfig {
  const auditLog = env['BELLWETHER_AUDIT_LOG'];
  const required = env['BELLWETHER_AUDIT_REQUIRED'] || 'true';
  const proxies = env['BELLWETHER_TRUSTED_PROXY'];
  if (required !== 'true' && required !== 'false') {
    const problem = `${JSON.stringify(required)} is neither true nor false`;
    problems.push({ variable: 'BELLWETHER_AUDIT_REQUIRED', problem, remedy: 'Give true (the default) or false.' });
  }
  let trustedProxy: Trusted | undefined;
  try {
    trustedProxy = proxies ? trustedProxies(proxies) : undefined;
  } catch (error) {
    const remedy = 'Give addresses or networks, parted by commas, e.g. 10.0.0.5, 10.1.0.0/24.';
    const problem = error instanceof Error ? error.message : String(error);
    problems.push({ variable: 'BELLWETHER_TRUSTED_PROXY', problem, remedy });
  }
  return {
    auditRequired: required === 'true',
    ...(auditLog ? { auditLog } : {}),
    ...(trustedProxy === undefined ? {} : { trustedProxy }),
  };
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
  const sessionSecretFile = env['BELLWETHER_SESSION_SECRET_FILE'];
  const audit = readAudit(env, problems);
  if (problems.length > 0) return { ok: false, problems };
  return {
    ok: true,
    config: {
      host,
      port,
      sources,
      apiTokenFile,
      ...(deliveryLog ? { deliveryLog } : {}),
      ...(sessionSecretFile ? { sessionSecretFile } : {}),
      ...audit,
    },
  };
}
