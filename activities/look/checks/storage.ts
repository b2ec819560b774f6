/** The hosted-engine storage domain: its service volumes can be read, and every host has it and its host id. */
import type { Finding } from '../../../workflows/model/look.ts';
import type { HostPool } from '../../vdsm/hosts.ts';
import type { VdsmClient } from '../../vdsm/client.ts';
import { findHostedEngineDomain, readConfiguration, type HostedEngineVolumes } from '../../storage/he-domain.ts';
import { readVolume, type Place } from '../../storage/volumes.ts';
import { BLOCK_BYTES } from '../../storage/whiteboard.ts';
import { attempt, type Attempt } from '../attempt.ts';
import { bad, ok, unseen, type Topic } from './finding.ts';

const LIMIT_MS = 8000;
/** One silent host must not keep the others waiting. */
const HOST_LIMIT_MS = 4000;
const topic = (check: string, why: string): Topic => ({ area: 'storage', check, why });

interface Opened {
  readonly spm: VdsmClient;
  readonly place: Place;
  readonly volumes: HostedEngineVolumes;
}

async function open(hosts: HostPool, signal: AbortSignal): Promise<Opened> {
  const pool = await hosts.onAny('no host could look at the storage', signal, async (host) => {
    const [first] = await host.call('Host.getConnectedStoragePools', {}, { signal });
    return first ?? '';
  });
  const spm = await hosts.spm(pool, signal);
  const volumes = await findHostedEngineDomain(spm, undefined, signal);
  return { spm, place: { pool, domain: volumes.domain }, volumes };
}

function told<T>(about: Topic, answer: Attempt<T>, seen: (value: T) => string): Finding {
  return answer.ok ? ok(about, seen(answer.value)) : unseen(about, answer.missing);
}

async function hostViews(hosts: HostPool, domain: string, signal: AbortSignal): Promise<Finding[]> {
  return Promise.all(
    hosts.clients.map(async (host) => {
      const about = topic(
        `storage domain on ${host.name}`,
        'without it and its host id the host can’t run the engine VM',
      );
      const answer = await attempt({ what: host.name, limitMs: HOST_LIMIT_MS, signal }, (limited) =>
        host.call('Host.getStorageRepoStats', { domains: [domain] }, { signal: limited, timeoutMs: HOST_LIMIT_MS }),
      );
      if (!answer.ok) return unseen(about, answer.missing);
      const vitals = answer.value[domain];
      const remedy = `Look at the storage connection of ${host.name} (hosted-engine --connect-storage there).`;
      if (vitals === undefined) return bad('failed', about, 'the host does not monitor it', remedy);
      if (!vitals.valid) return bad('failed', about, `not valid (code ${vitals.code})`, remedy);
      if (!vitals.acquired) return bad('warning', about, 'valid, but its host id is not acquired yet', remedy);
      return ok(about, `valid, host id acquired, read in ${vitals.delay} s`);
    }),
  );
}

export async function storageChecks(hosts: HostPool, signal: AbortSignal): Promise<Finding[]> {
  const ask = (what: string) => ({ what, limitMs: LIMIT_MS, signal });
  const found = await attempt(ask('storage'), (limited) => open(hosts, limited));
  const domainTopic = topic(
    'hosted-engine storage domain',
    'engine VM, its configuration and the HA metadata lie on it',
  );
  if (!found.ok) return [unseen(domainTopic, found.missing)];
  const { spm, place, volumes } = found.value;
  const { configuration, metadata } = volumes;
  const lockspace = volumes.volumes.find(
    (volume) => volume.diskType === 'HESD' || /he_sanlock|lockspace/.test(volume.description),
  );
  const confTopic = topic('configuration volume', 'new hosts and backups take the configuration from it');
  const metaTopic = topic('metadata volume', 'hosts tell each other there how they are');
  const lockTopic = topic('lockspace volume', 'sanlock keeps the host ids there');
  const [conf, meta, lock, views] = await Promise.all([
    attempt(ask('configuration volume'), (limited) => readConfiguration(spm, place, configuration, limited)),
    attempt(ask('metadata volume'), (limited) => readVolume(spm, place, metadata, BLOCK_BYTES, limited)),
    lockspace === undefined
      ? undefined
      : attempt(ask('lockspace volume'), (limited) => readVolume(spm, place, lockspace, BLOCK_BYTES, limited)),
    hostViews(hosts, place.domain, signal),
  ]);
  return [
    ok(domainTopic, `${place.domain}, seen through ${spm.name}`),
    told(confTopic, conf, (value) => `readable, ${value.conf.size} settings`),
    told(metaTopic, meta, () => 'readable'),
    lock === undefined
      ? bad('failed', lockTopic, 'the domain has none', 'It is made at deployment: restore it, or ask the support.')
      : told(lockTopic, lock, () => 'readable'),
    ...views,
  ];
}
