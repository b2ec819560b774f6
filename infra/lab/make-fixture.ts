/** Names, ids and addresses of a new lab, from a vm.conf and a few options. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { braceText } from '../../activities/ovf/brace.ts';
import { problemText } from '../../activities/ovf/problems.ts';
import { parseVmConf, type VmConf } from '../../activities/ovf/vm-conf.ts';
import { freePortPairs, freePorts } from '../processes.ts';
import { labPaths, type LabFixture, type LabImage } from './fixture.ts';
import { uuidFrom } from './storage/ids.ts';

export interface LabOptions {
  readonly dir: string;
  /** vm.conf of the engine VM; a made-up one of oVirt 4.3 by default. */
  readonly vmConf?: string;
  readonly managed?: boolean;
  /** No hosted engine yet: see `LabFixture.bare`. */
  readonly bare?: boolean;
  /** Name of the engine's cluster; `Default` by default. */
  readonly cluster?: string;
  readonly enginePort?: number;
  /** Port of the first host; each has this and the next one. */
  readonly vdsmPort?: number;
  /** Lab seconds per wall second. */
  readonly speed?: number;
  /** Machines beside the three hosts that the engine does not know yet (host4 ...). */
  readonly spare?: number;
}

const GIB = 2 ** 30;
const HOST_NAMES = ['host1', 'host2', 'host3'];
/** All machines are on loopback and told apart by their ports. */
const ADDRESS = '127.0.0.1';

/** The lab's own vm.conf. */
export function defaultVmConf(): string {
  return readFileSync(fileURLToPath(new URL('./engine-vm.conf', import.meta.url)), 'utf8');
}

function readConf(text: string): VmConf {
  const parsed = parseVmConf(text);
  if (parsed.ok) return parsed.conf;
  throw new Error(`the lab can't be made of this vm.conf:\n${parsed.problems.map(problemText).join('\n')}`);
}

/** The engine VM's disk as the vm.conf names it; made-up ids where it names none. */
function vmDisk(conf: VmConf): { disk: LabImage; domain: string } {
  const disk = conf.devices.find(
    (device) => braceText(device, 'type') === 'disk' && braceText(device, 'device') !== 'cdrom',
  );
  const field = (name: string) => (disk === undefined ? undefined : braceText(disk, name)) || uuidFrom(conf.vmId, name);
  return {
    disk: { image: field('imageID'), volume: field('volumeID'), sizeBytes: 60 * GIB },
    domain: field('domainID'),
  };
}

function serviceDisk(domain: string, name: string, sizeBytes: number): LabImage {
  return { image: uuidFrom(domain, name, 'image'), volume: uuidFrom(domain, name, 'volume'), sizeBytes };
}

export async function makeFixture(options: LabOptions): Promise<LabFixture> {
  const vmConf = options.vmConf ?? defaultVmConf();
  const conf = readConf(vmConf);
  const { disk, domain } = vmDisk(conf);
  const spareNames = Array.from({ length: options.spare ?? 0 }, (_, index) => `host${HOST_NAMES.length + index + 1}`);
  const count = HOST_NAMES.length + spareNames.length;
  const [enginePort, ...sshPorts] = await freePorts(1 + count);
  const pairs = options.vdsmPort === undefined ? await freePortPairs(count) : [];
  const vdsmPort = (index: number) => pairs[index] ?? (options.vdsmPort ?? 0) + 2 * index;
  const made = (name: string) => uuidFrom('lab', name);
  const machines = [...HOST_NAMES, ...spareNames].map((name, index) => ({
    id: made(name),
    name,
    address: ADDRESS,
    vdsmPort: vdsmPort(index),
    sshPort: sshPorts[index] ?? 0,
    spmId: index + 1,
    hardwareUuid: made(`${name}-hardware`),
  }));
  return {
    version: 1,
    dir: options.dir,
    speed: options.speed ?? 1,
    engine: {
      address: '127.0.0.1',
      port: options.enginePort ?? enginePort ?? 0,
      user: 'admin@internal',
      passwordFile: labPaths(options.dir).enginePassword,
      fqdn: 'engine.example.test',
    },
    dataCenter: { id: made('data-center'), name: 'Default' },
    cluster: {
      id: made('cluster'),
      name: options.cluster ?? 'Default',
      cpuType: 'Intel Cascadelake Server Family',
      version: { major: 4, minor: 7 },
    },
    hosts: machines.slice(0, HOST_NAMES.length),
    ...(spareNames.length === 0 ? {} : { spares: machines.slice(HOST_NAMES.length) }),
    hostRootPassword: 'host-root-password',
    masterDomain: { id: made('master-domain'), name: 'data', server: 'storage.example.test', path: '/exports/data' },
    heDomain: { id: domain, name: 'hosted_storage', server: 'storage.example.test', path: '/exports/hosted_engine' },
    importDomain: {
      id: made('import-domain'),
      name: 'import1',
      server: 'storage.example.test',
      path: '/exports/import1',
    },
    heDisks: {
      vm: disk,
      lockspace: serviceDisk(domain, 'lockspace', GIB),
      metadata: serviceDisk(domain, 'metadata', 128 * 2 ** 20),
      configuration: serviceDisk(domain, 'configuration', GIB),
    },
    vm: { id: conf.vmId, name: conf.vmName, memoryMb: conf.memSizeMb },
    vmConf,
    managed: options.managed === true,
    ...(options.bare === true ? { bare: true } : {}),
  };
}
