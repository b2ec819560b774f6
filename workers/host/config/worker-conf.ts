/**
 * The worker's own file (`bellwether-host run --config FILE`): flat `key=value`, `#` comments, as hosted-engine.conf is.
 *
 * Everything has a default that fits a hosted-engine host, so an empty file is a valid one.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { CounterpartError } from '../../../activities/errors.ts';
import { ENGINE_TIMES, PROFILES, timingOf, type Timing } from '../core/timing.ts';

const seconds = (min: number, max: number, fallback: number) => z.coerce.number().min(min).max(max).default(fallback);
const path = (fallback: string) => z.string().startsWith('/', 'must be an absolute path').default(fallback);
const yesNo = (fallback: boolean) =>
  z
    .enum(['yes', 'no', 'true', 'false'])
    .transform((word) => word === 'yes' || word === 'true')
    .default(fallback);

const PKI = '/etc/pki/vdsm';

const schema = z.strictObject({
  /** Timing of sanlock and of everything derived from it; equal on all hosts. */
  profile: z.enum(['default', 'fast', 'lab']).default('default'),
  /** Seconds without a good answer before the engine VM is restarted. */
  'engine-bad-health': seconds(30, 86_400, ENGINE_TIMES.badHealthMs / 1000),
  /** Seconds that a start may take without any sign of progress. */
  'engine-boot': seconds(30, 86_400, ENGINE_TIMES.bootMs / 1000),
  /** Seconds that a guest gets to shut down. */
  'guest-stop': seconds(5, 3600, ENGINE_TIMES.guestStopMs / 1000),
  /** Higher is preferred at a start; never a reason to move. */
  priority: z.coerce.number().int().min(-1000).max(1000).default(0),
  /** Whether a healthy engine VM is migrated rather than stopped and started. */
  migrate: yesNo(true),
  'hosted-engine-conf': path('/etc/ovirt-hosted-engine/hosted-engine.conf'),
  /** Local maintenance of this host, shared with VDSM and the hosted-engine tool. */
  'ha-conf': path('/var/lib/ovirt-hosted-engine-ha/ha.conf'),
  'broker-socket': path('/run/ovirt-hosted-engine-ha/broker.socket'),
  'control-socket': path('/run/bellwether-host/control.socket'),
  'state-dir': path('/var/lib/bellwether-host'),
  'vdsm-address': z.string().min(1).default('localhost'),
  'vdsm-port': z.coerce.number().int().min(1).max(65_535).default(54_321),
  'vdsm-ca': path(`${PKI}/certs/cacert.pem`),
  'vdsm-cert': path(`${PKI}/certs/vdsmcert.pem`),
  'vdsm-key': path(`${PKI}/keys/vdsmkey.pem`),
  'sanlock-socket': path('/run/sanlock/sanlock.sock'),
  /** What sanlock was told of the watchdog (`watchdog_fire_timeout`); it cannot be asked. Default: the profile's. */
  'sanlock-watchdog': z.coerce.number().min(1).max(600).optional(),
  /** Default: the profile's io time-out. */
  'sanlock-io': z.coerce.number().min(1).max(120).optional(),
  /** Default: http://FQDN/ovirt-engine/services/health of hosted-engine.conf's fqdn. */
  'health-url': z.url().optional(),
  'health-ca': z.string().startsWith('/').optional(),
  /** Further targets beside hosted-engine.conf's: `ping:10.0.0.1 tcp:10.0.0.2:443 dns`, in words. */
  'network-targets': z.string().default(''),
  /** Name by which other hosts reach this one, for migrations; default: the host's name. */
  hostname: z.string().min(1).optional(),
  /** Addresses of other hosts by name, where a name does not resolve: `host2=10.0.0.2:54321 host3=...`. */
  'migration-peers': z.string().default(''),
  'webhook-url': z.url().optional(),
  'webhook-secret-file': z.string().startsWith('/').optional(),
  'webhook-ca': z.string().startsWith('/').optional(),
  /** Metrics for node_exporter’s textfile collector, e.g. /var/lib/node_exporter/textfile/bellwether_host.prom. */
  'metrics-file': z
    .string()
    .startsWith('/', 'must be an absolute path')
    .endsWith('.prom', 'must end in .prom')
    .optional(),
  'log-level': z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

export type WorkerConf = z.output<typeof schema>;

function refused(file: string, problems: readonly string[]): CounterpartError {
  return new CounterpartError({
    type: 'host/configuration',
    kind: 'needs-operator',
    subject: file,
    what: 'the worker’s configuration can’t be used',
    why: problems.join('; '),
    remedy: `Correct it and start the worker again. Known keys: ${Object.keys(schema.shape).join(', ')}.`,
  });
}

/** @throws CounterpartError `host/configuration` that names every wrong key at once */
export function parseWorkerConf(text: string, file: string): WorkerConf {
  const given: Record<string, string> = {};
  const problems: string[] = [];
  for (const [at, line] of text.split(/\r\n|\n|\r/).entries()) {
    const bare = line.replace(/^\uFEFF/, '').trim();
    if (bare === '' || bare.startsWith('#')) continue;
    const [, key, value] = /^([A-Za-z][\w-]*)\s*=\s*(.*)$/.exec(bare) ?? [];
    if (key === undefined || value === undefined) problems.push(`line ${at + 1} is no "key=value"`);
    else if (Object.hasOwn(given, key)) problems.push(`line ${at + 1}: ${key} stands twice`);
    else given[key] = value;
  }
  const parsed = schema.safeParse(given);
  if (!parsed.success) {
    for (const issue of parsed.error.issues) {
      const key = issue.path.join('.');
      problems.push(key === '' ? issue.message : `${key}=${given[key] ?? ''}: ${issue.message}`);
    }
  }
  if (!parsed.success || problems.length > 0) throw refused(file, problems);
  return parsed.data;
}

/** @throws CounterpartError also when the file cannot be read */
export function readWorkerConf(file: string): WorkerConf {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw refused(file, [error instanceof Error ? error.message : String(error)]);
  }
  return parseWorkerConf(text, file);
}

/** The profile with what the file says otherwise. */
export function timingFor(conf: WorkerConf): Timing {
  const base = PROFILES[conf.profile];
  const profile = {
    name: base.name,
    ioSeconds: conf['sanlock-io'] ?? base.ioSeconds,
    watchdogSeconds: conf['sanlock-watchdog'] ?? base.watchdogSeconds,
  };
  return timingOf(profile, {
    badHealthMs: conf['engine-bad-health'] * 1000,
    bootMs: conf['engine-boot'] * 1000,
    guestStopMs: conf['guest-stop'] * 1000,
  });
}
