/** Content of the hosted-engine configuration volume (ha-agent.md 5): five files in a tar of exactly 20480 bytes. */
import type { LabFixture } from '../fixture.ts';
import { packTar } from './tar.ts';
import { BLANK_UUID } from './volume-metadata.ts';

export const CONFIGURATION_TAR_BYTES = 20_480;
/** The deployment role uses one constant id for the storage connection (ha-agent.md 5.1). */
export const HE_CONNECTION_ID = 'e29cf818-5ee5-46e1-85c1-8aeefa33e95d';

/** `hosted-engine.conf` of one host; the shared copy is that of the first host. */
export function hostedEngineConf(fixture: LabFixture, hostId: number): string {
  const { heDisks, heDomain } = fixture;
  const lines = [
    `fqdn=${fixture.engine.fqdn}`,
    `vm_disk_id=${heDisks.vm.image}`,
    `vm_disk_vol_id=${heDisks.vm.volume}`,
    `vmid=${fixture.vm.id}`,
    `storage=${heDomain.server}:${heDomain.path}`,
    'nfs_version=auto',
    'mnt_options=',
    'conf=/var/run/ovirt-hosted-engine-ha/vm.conf',
    `host_id=${hostId}`,
    'console=vnc',
    'domainType=nfs',
    `spUUID=${BLANK_UUID}`,
    `sdUUID=${heDomain.id}`,
    `connectionUUID=${HE_CONNECTION_ID}`,
    'ca_cert=/etc/pki/vdsm/libvirt-spice/ca-cert.pem',
    'ca_subject="C=EN, L=Test, O=Test, CN=Test"',
    'vdsm_use_ssl=true',
    'gateway=127.0.0.1',
    'bridge=ovirtmgmt',
    'network_test=dns',
    'tcp_t_address=',
    'tcp_t_port=',
    `metadata_volume_UUID=${heDisks.metadata.volume}`,
    `metadata_image_UUID=${heDisks.metadata.image}`,
    `lockspace_volume_UUID=${heDisks.lockspace.volume}`,
    `lockspace_image_UUID=${heDisks.lockspace.image}`,
    `conf_volume_UUID=${heDisks.configuration.volume}`,
    `conf_image_UUID=${heDisks.configuration.image}`,
    'iqn=',
    'portal=',
    'user=',
    'password=',
    'port=',
  ];
  return `${lines.join('\n')}\n`;
}

const BROKER_CONF = `[email]
smtp-server = localhost
smtp-port = 25
source-email = root@localhost
destination-emails = root@localhost

[notify]
state_transition = maintenance|start|stop|migrate|up|down
`;

function answersConf(fixture: LabFixture): string {
  const lines = [
    '[environment:default]',
    `OVEHOSTED_STORAGE/domainType=str:nfs`,
    `OVEHOSTED_STORAGE/storageDomainConnection=str:${fixture.heDomain.server}:${fixture.heDomain.path}`,
    `OVEHOSTED_NETWORK/fqdn=str:${fixture.engine.fqdn}`,
    'OVEHOSTED_NETWORK/bridgeName=str:ovirtmgmt',
    `OVEHOSTED_VM/vmMemSizeMB=int:${fixture.vm.memoryMb}`,
  ];
  return `${lines.join('\n')}\n`;
}

/**
 * The archive, padded to the size that the engine reads.
 * @throws RangeError when the files do not fit: the real writer refuses that too.
 */
export async function configurationTar(fixture: LabFixture, date: Date): Promise<Buffer> {
  const archive = await packTar(
    new Map([
      ['version', '4.5.4'],
      ['fhanswers.conf', answersConf(fixture)],
      ['hosted-engine.conf', hostedEngineConf(fixture, fixture.hosts[0]?.spmId ?? 1)],
      ['broker.conf', BROKER_CONF],
      ['vm.conf', fixture.vmConf],
    ]),
    date,
  );
  if (archive.length > CONFIGURATION_TAR_BYTES) {
    throw new RangeError(
      `the configuration archive needs ${archive.length} bytes, the volume takes ${CONFIGURATION_TAR_BYTES}`,
    );
  }
  return Buffer.concat([archive, Buffer.alloc(CONFIGURATION_TAR_BYTES - archive.length)]);
}
