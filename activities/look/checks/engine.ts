/** The engine: reached, its certificate, our credentials, its version, its clock. */
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import type { Finding } from '../../../workflows/model/look.ts';
import type { Cluster, ClusterConfig } from '../../clusters.ts';
import { attempt } from '../attempt.ts';
import { bad, clockDifference, expiry, ok, unseen, type Topic } from './finding.ts';
import { peerCertificate } from './peer-certificate.ts';

const LIMIT_MS = 4000;
const HTTPS_PORT = 443;
const RENEW = 'Renew it on the engine’s machine: engine-setup --offline offers it.';

const topic = (check: string, why: string): Topic => ({ area: 'engine', check, why });

/** Of the `Date` header, read without trust in the certificate: it is compared, not believed. */
function dateOf(url: string, signal: AbortSignal): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const page = new URL('/ovirt-engine/services/health', url);
    const call = request(page, { method: 'HEAD', rejectUnauthorized: false, agent: false, signal }, (answer) => {
      answer.resume();
      const at = Date.parse(answer.headers.date ?? '');
      resolve(Number.isNaN(at) ? undefined : at);
    });
    call.on('error', () => (signal.aborted ? reject(signal.reason) : resolve(undefined)));
    call.end();
  });
}

async function certificate({ engine }: ClusterConfig, now: Date, signal: AbortSignal): Promise<Finding[]> {
  const what = topic('certificate of the engine', 'when it expires, nothing can call the engine');
  const { hostname, port } = new URL(engine.url);
  const answer = await attempt({ what: 'engine', limitMs: LIMIT_MS, signal }, async (limited) => {
    const ca = await readFile(engine.ca).catch(() => Buffer.alloc(0));
    return peerCertificate({ name: 'engine', host: hostname, port: Number(port || HTTPS_PORT), ca }, limited);
  });
  if (!answer.ok)
    return [
      unseen(what, { ...answer.missing, remedy: 'Bring the engine up, or check its address in the clusters’ file.' }),
    ];
  const { validFrom, validTo, distrust } = answer.value;
  const trust = topic('trust in the engine', 'else somebody else could answer for it');
  const dates = expiry(what, validFrom, validTo, now, RENEW);
  if (dates.result === 'failed') return [dates];
  return [
    dates,
    distrust === undefined
      ? ok(trust, `signed by ${engine.ca}`)
      : bad(
          'failed',
          trust,
          `not signed by ${engine.ca} (${distrust})`,
          'Fetch the engine’s CA anew, and name it in the clusters’ file.',
        ),
  ];
}

export async function engineChecks(
  cluster: Cluster,
  config: ClusterConfig,
  now: Date,
  signal: AbortSignal,
): Promise<Finding[]> {
  const ask = { what: 'engine', limitMs: LIMIT_MS, signal };
  const healthy = topic('health page', 'it says whether engine and database work');
  const log = topic('credentials and API', 'every planned change goes through them');
  const [tls, page, info, date] = await Promise.all([
    certificate(config, now, signal),
    attempt(ask, (limited) => cluster.engine('examine', limited).health({ timeoutMs: LIMIT_MS })),
    attempt(ask, (limited) => cluster.engine('examine', limited).test({ timeoutMs: LIMIT_MS })),
    attempt(ask, (limited) => dateOf(config.engine.url, limited)),
  ]);
  const down = 'See where its VM runs (bellwether status) and what the HA agents say.';
  return [
    page.ok
      ? page.value.healthy
        ? ok(healthy, page.value.text.trim())
        : bad('failed', healthy, page.value.text.trim(), down)
      : unseen(healthy, { ...page.missing, remedy: down }),
    ...tls,
    info.ok ? ok(log, `${config.engine.user} is let in; version ${info.value.fullVersion}`) : unseen(log, info.missing),
    clockDifference(
      topic('clock of the engine', 'tokens and certificates go by it'),
      date.ok ? date.value : undefined,
      Date.now(),
    ),
  ];
}
