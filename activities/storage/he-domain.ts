/** Finds the hosted-engine storage domain and its service volumes, as they lie on storage. */
import type { HostedEngineFacts } from '../../workflows/model/hosted-engine.ts';
import { CounterpartError } from '../errors.ts';
import type { VdsmClient } from '../vdsm/client.ts';
import { CONFIGURATION_BYTES, readConfigurationArchive } from './configuration-archive.ts';
import { readHostedEngineConf } from './hosted-engine-conf.ts';
import { listVolumes, readVolume, type FoundVolume } from './volumes.ts';

/** Description and disk type of the service volumes (engine.md 8.4, ha-agent.md 1.1); either tells them. */
const CONFIGURATION_NAME = 'HostedEngineConfigurationImage';

function isConfiguration(volume: FoundVolume): boolean {
  return volume.diskType === 'HECI' || volume.description.includes(CONFIGURATION_NAME);
}

function isMetadata(volume: FoundVolume): boolean {
  return volume.diskType === 'HEMD' || /he_metadata|hosted-engine\.metadata/.test(volume.description);
}

/** Domains that the host monitors now: the hosted-engine domain is one of them on every hosted-engine host. */
async function monitoredDomains(host: VdsmClient, signal: AbortSignal): Promise<string[]> {
  return Object.keys(await host.call('Host.getStorageRepoStats', {}, { signal }));
}

export interface HostedEngineVolumes {
  readonly domain: string;
  readonly volumes: readonly FoundVolume[];
  readonly configuration: FoundVolume;
  readonly metadata: FoundVolume;
}

async function inspectDomain(
  host: VdsmClient,
  domain: string,
  signal: AbortSignal,
): Promise<HostedEngineVolumes | undefined> {
  const volumes = await listVolumes(host, domain, signal);
  const configuration = volumes.find(isConfiguration);
  const metadata = volumes.find(isMetadata);
  if (configuration === undefined || metadata === undefined) return undefined;
  return { domain, volumes, configuration, metadata };
}

/**
 * @param wanted the domain that the given vm.conf names, when one was given: another one must not be touched then.
 * @throws CounterpartError needs-operator when there is none, or the named one is not it.
 */
export async function findHostedEngineDomain(
  host: VdsmClient,
  wanted: string | undefined,
  signal: AbortSignal,
): Promise<HostedEngineVolumes> {
  const monitored = await monitoredDomains(host, signal);
  const candidates = wanted === undefined ? monitored : monitored.filter((domain) => domain === wanted);
  for (const domain of candidates) {
    const found = await inspectDomain(host, domain, signal);
    if (found !== undefined) return found;
  }
  throw new CounterpartError({
    type: 'storage/no-hosted-engine-domain',
    kind: 'needs-operator',
    subject: wanted === undefined ? `host ${host.name}` : `storage domain ${wanted}`,
    what: 'the hosted-engine storage domain was not found',
    why:
      wanted === undefined
        ? `none of the ${monitored.length} domains that ${host.name} monitors has a configuration and a metadata volume`
        : `${host.name} monitors ${monitored.join(', ') || 'no domain'}; the vm.conf names ${wanted}`,
    remedy:
      'Connect the storage on the host (hosted-engine --connect-storage), or send the vm.conf of this cluster, then retry.',
  });
}

const TYPES: Readonly<Record<string, HostedEngineFacts['domain']['type']>> = {
  nfs: 'nfs',
  nfs3: 'nfs',
  nfs4: 'nfs',
  glusterfs: 'glusterfs',
  iscsi: 'iscsi',
  fc: 'fc',
};

export interface HostedEngineStorage {
  readonly type: HostedEngineFacts['domain']['type'];
  readonly address: string;
  readonly path: string;
  readonly vmId: string;
}

function configurationFault(why: string): CounterpartError {
  return new CounterpartError({
    type: 'storage/configuration-volume',
    kind: 'needs-operator',
    subject: 'configuration volume',
    what: 'hosted-engine.conf could not be read from it',
    why,
    remedy: 'Look at it on a host (hosted-engine --get-shared-config storage), repair it, then retry.',
  });
}

/** Where the domain lies, from the shared hosted-engine.conf (`storage=server:/path`, ha-agent.md 5.1). */
export function parseStorage(conf: ReadonlyMap<string, string>): HostedEngineStorage {
  const type = TYPES[conf.get('domainType') ?? ''];
  if (type === undefined) throw configurationFault(`domainType is ${conf.get('domainType') ?? 'missing'}`);
  const storage = conf.get('storage') ?? '';
  // An IPv6 server is written in brackets: the path starts behind the colon that is followed by a slash.
  const at = storage.indexOf(':/');
  if ((type === 'nfs' || type === 'glusterfs') && at < 1)
    throw configurationFault(`storage is ${JSON.stringify(storage)}`);
  const [address, path] = at < 1 ? [storage, ''] : [storage.slice(0, at), storage.slice(at + 1)];
  return { type, address, path, vmId: conf.get('vmid') ?? '' };
}

/** The five members of the configuration volume. */
export async function readConfiguration(
  spm: VdsmClient,
  place: { readonly pool: string; readonly domain: string },
  volume: { readonly image: string; readonly volume: string },
  signal: AbortSignal,
) {
  const bytes = await readVolume(spm, place, volume, CONFIGURATION_BYTES, signal);
  const archive = await readConfigurationArchive(bytes);
  if (!archive.ok) throw configurationFault(archive.problem);
  return { bytes, archive, conf: readHostedEngineConf(archive.members['hosted-engine.conf']) };
}
