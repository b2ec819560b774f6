/** hosted-engine.conf as the worker needs it (ha-agent.md 5.1). */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { CounterpartError } from '../../../activities/errors.ts';
import { readHostedEngineConf } from '../../../activities/storage/hosted-engine-conf.ts';
import type { StorageConnection, StorageServerParams } from '../../../activities/vdsm/verbs.ts';
import { HOST_ID_MAX } from '../../../activities/storage/whiteboard.ts';

const uuid = z.string().regex(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i, 'is no UUID');

const schema = z.looseObject({
  host_id: z.coerce.number().int().min(1).max(HOST_ID_MAX),
  vmid: uuid,
  fqdn: z.string().min(1),
  sdUUID: uuid,
  domainType: z.enum(['nfs', 'nfs3', 'nfs4', 'glusterfs', 'iscsi', 'fc']),
  storage: z.string().optional(),
  connectionUUID: z.string().default('e29cf818-5ee5-46e1-85c1-8aeefa33e95d'),
  nfs_version: z.string().optional(),
  mnt_options: z.string().optional(),
  iqn: z.string().optional(),
  portal: z.string().optional(),
  port: z.string().optional(),
  user: z.string().optional(),
  password: z.string().optional(),
  metadata_volume_UUID: uuid,
  metadata_image_UUID: uuid,
  lockspace_volume_UUID: uuid,
  lockspace_image_UUID: uuid,
  conf_volume_UUID: uuid,
  conf_image_UUID: uuid,
  vm_disk_id: uuid,
  vm_disk_vol_id: uuid,
  bridge: z.string().optional(),
  gateway: z.string().optional(),
  network_test: z.enum(['ping', 'dns', 'tcp', 'none']).default('ping'),
  tcp_t_address: z.string().optional(),
  tcp_t_port: z.coerce.number().int().min(1).max(65_535).optional(),
});

export interface VolumePlace {
  readonly image: string;
  readonly volume: string;
}

export interface HostedEngineFacts {
  readonly hostId: number;
  /** How VDSM connects the domain; undefined for fibre channel, which needs no connection. */
  readonly storage: StorageServerParams | undefined;
  readonly vmId: string;
  readonly fqdn: string;
  readonly domain: string;
  readonly metadata: VolumePlace;
  readonly lockspace: VolumePlace;
  readonly configuration: VolumePlace;
  readonly disk: VolumePlace;
  readonly bridge: string | undefined;
  readonly network: {
    readonly test: 'ping' | 'dns' | 'tcp' | 'none';
    readonly gateway: string | undefined;
    readonly tcp: { readonly host: string; readonly port: number } | undefined;
  };
}

function refused(file: string, why: string): CounterpartError {
  return new CounterpartError({
    type: 'host/hosted-engine-conf',
    kind: 'needs-operator',
    subject: file,
    what: 'this host’s hosted-engine configuration can’t be used',
    why,
    remedy: 'Compare it with another host’s file, or deploy this host again, then start the worker.',
  });
}

type Conf = z.output<typeof schema>;

function optional<Key extends string>(key: Key, value: string | undefined): { [K in Key]?: string } {
  const part: { [K in Key]?: string } = {};
  if (value !== undefined) part[key] = value;
  return part;
}

/** `auto`, `v3`, `v4_1` and so on, as VDSM spells them. */
function nfsVersion(version: string | undefined): string | undefined {
  return version?.replace(/^v/, '').replace('_', '.');
}

/** Comma lists go together position by position (ha-agent.md 5.1); the ids of further paths derive from the first. */
function iscsi(conf: Conf): StorageServerParams | undefined {
  const list = (text: string | undefined) => (text ?? '').split(',').map((each) => each.trim());
  const [iqns, tpgts, ports] = [list(conf.iqn), list(conf.portal), list(conf.port)];
  const connections = list(conf.storage).flatMap((connection, at): StorageConnection[] => {
    const iqn = iqns[at] ?? iqns[0];
    if (connection === '' || iqn === undefined || iqn === '') return [];
    const id =
      at === 0 ? conf.connectionUUID : `${conf.connectionUUID.slice(0, -4)}${at.toString(16).padStart(4, '0')}`;
    return [
      {
        id,
        connection,
        iqn,
        tpgt: tpgts[at] ?? tpgts[0] ?? '1',
        port: ports[at] || ports[0] || '3260',
        ...optional('user', conf.user),
        ...optional('password', conf.password),
      },
    ];
  });
  const [first, ...rest] = connections;
  return first === undefined ? undefined : { domainType: 'ISCSI', connectionParams: [first, ...rest] };
}

function storageOf(conf: Conf): StorageServerParams | undefined {
  if (conf.domainType === 'fc') return undefined;
  if (conf.domainType === 'iscsi') return iscsi(conf);
  const gluster = conf.domainType === 'glusterfs';
  const version = gluster ? undefined : nfsVersion(conf.nfs_version);
  const connection = {
    id: conf.connectionUUID,
    connection: conf.storage ?? '',
    ...optional('mnt_options', conf.mnt_options),
    ...(gluster ? { vfs_type: 'glusterfs' } : {}),
    ...optional('protocol_version', version),
  };
  return { domainType: gluster ? 'GLUSTERFS' : 'NFS', connectionParams: [connection] };
}

/** @throws CounterpartError `host/hosted-engine-conf` that names every wrong key */
export function parseHostedEngine(text: string, file: string): HostedEngineFacts {
  const parsed = schema.safeParse(Object.fromEntries(readHostedEngineConf(text)));
  if (!parsed.success) {
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw refused(file, problems.join('; '));
  }
  const conf = parsed.data;
  const { tcp_t_address: host, tcp_t_port: port } = conf;
  if (conf.domainType !== 'fc' && (conf.storage ?? '') === '') throw refused(file, 'storage: is missing');
  return {
    storage: storageOf(conf),
    hostId: conf.host_id,
    vmId: conf.vmid.toLowerCase(),
    fqdn: conf.fqdn,
    domain: conf.sdUUID,
    metadata: { image: conf.metadata_image_UUID, volume: conf.metadata_volume_UUID },
    lockspace: { image: conf.lockspace_image_UUID, volume: conf.lockspace_volume_UUID },
    configuration: { image: conf.conf_image_UUID, volume: conf.conf_volume_UUID },
    disk: { image: conf.vm_disk_id, volume: conf.vm_disk_vol_id },
    bridge: conf.bridge,
    network: {
      test: conf.network_test,
      gateway: conf.gateway,
      tcp: host === undefined || port === undefined ? undefined : { host, port },
    },
  };
}

/** @throws CounterpartError also when the file cannot be read */
export function readHostedEngine(file: string): HostedEngineFacts {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw refused(file, error instanceof Error ? error.message : String(error));
  }
  return parseHostedEngine(text, file);
}
