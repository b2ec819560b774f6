/** VDSM of each host: reached over TLS, its certificate, its version, its clock, hosted engine deployed. */
import { readFile } from 'node:fs/promises';
import type { Finding } from '../../../workflows/model/look.ts';
import type { Cluster, ClusterConfig } from '../../clusters.ts';
import type { HostConfig } from '../../vdsm/hosts.ts';
import type { VdsmClient } from '../../vdsm/client.ts';
import { attempt } from '../attempt.ts';
import { bad, clockDifference, expiry, ok, unseen, type Topic } from './finding.ts';
import { peerCertificate } from './peer-certificate.ts';

const LIMIT_MS = 4000;
const RENEW = 'Put the host into maintenance in the engine, run “Enroll Certificate”, activate it.';

async function certificate(host: HostConfig, now: Date, signal: AbortSignal): Promise<Finding> {
  const topic: Topic = {
    area: 'host',
    check: `certificate of ${host.name}`,
    why: 'when it expires, neither engine nor Bellwether reach the host',
  };
  const answer = await attempt({ what: host.name, limitMs: LIMIT_MS, signal }, async (limited) => {
    const pem = (file: string) => readFile(file).catch(() => Buffer.alloc(0));
    const [ca, cert, key] = await Promise.all([pem(host.ca), pem(host.cert), pem(host.key)]);
    const own = cert.length === 0 || key.length === 0 ? {} : { own: { cert, key } };
    return peerCertificate({ name: host.name, host: host.address, port: host.vdsmPort, ca, ...own }, limited);
  });
  if (!answer.ok) return unseen(topic, answer.missing);
  const { validFrom, validTo, distrust } = answer.value;
  const dates = expiry(topic, validFrom, validTo, now, RENEW);
  if (dates.result === 'failed' || distrust === undefined) return dates;
  return bad(
    'failed',
    topic,
    `not signed by ${host.ca} (${distrust})`,
    'Use the engine’s CA; enroll the host’s certificate anew if it is an old one.',
  );
}

/** VDSM writes `2026-01-02T03:04:05 GMT`. */
function timeOf(text: string | undefined): number | undefined {
  const at = Date.parse((text ?? '').replace(' GMT', 'Z'));
  return Number.isNaN(at) ? undefined : at;
}

async function vdsm(host: VdsmClient, signal: AbortSignal): Promise<Finding[]> {
  const topic = (check: string, why: string): Topic => ({ area: 'host', check: `${check} ${host.name}`, why });
  const reached = topic('VDSM of', 'planned changes and the engine go through it');
  const answer = await attempt({ what: host.name, limitMs: LIMIT_MS, signal }, async (limited) => {
    const options = { timeoutMs: LIMIT_MS, signal: limited };
    const stats = await host.call('Host.getStats', {}, options);
    const at = Date.now();
    return { stats, at, capabilities: await host.call('Host.getCapabilities', {}, options) };
  });
  if (!answer.ok) return [unseen(reached, answer.missing)];
  const { stats, at, capabilities } = answer.value;
  const deployed = topic('hosted engine on', 'only such a host can take the engine VM');
  const { haStats } = stats;
  const remedy = `Deploy it (bellwether host add), or look at ovirt-ha-agent and ovirt-ha-broker on ${host.name}.`;
  return [
    ok(reached, `answers; version ${capabilities.software_version ?? 'not told'}`),
    haStats?.configured !== true
      ? bad('failed', deployed, 'not configured, or its HA services do not answer', remedy)
      : haStats.active
        ? ok(deployed, `configured, agent active, score ${haStats.score}`)
        : bad('warning', deployed, 'configured, but its agent is not active', remedy),
    clockDifference(
      topic('clock of', 'certificates go by it, and people who compare logs'),
      timeOf(stats.dateTime),
      at,
    ),
  ];
}

export async function hostChecks(
  cluster: Cluster,
  config: ClusterConfig,
  now: Date,
  signal: AbortSignal,
): Promise<Finding[]> {
  const found = await Promise.all(
    config.hosts.map(async (host) => {
      const [words, dates] = await Promise.all([
        vdsm(cluster.hosts.named(host.name), signal),
        certificate(host, now, signal),
      ]);
      return [...words, dates];
    }),
  );
  return found.flat();
}
