/** The five files of a new hosted engine's configuration volume, from the install's answers (ha-agent.md 5). */
import type { InstallPlan } from '../../workflows/model/install.ts';
import type { InstallAnswers } from '../../workflows/model/requests.ts';
import { base64OfText } from '../ovf/engine-xml.ts';
import { engineVmXml, MAX_VCPUS, type EngineVmParts } from '../vdsm/engine-vm-xml.ts';
import { BLANK_UUID } from '../vdsm/verbs.ts';
import type { Configuration } from './configuration-archive.ts';

/** The first host of a new data center gets the first SPM id, which is its HA host id too (engine.md 11.2). */
export const FIRST_HOST_ID = 1;

export function engineVmParts({ vm }: InstallAnswers, plan: InstallPlan): EngineVmParts {
  const { name, memoryMiB, vcpus, mac } = vm;
  const { vm: id, domain, disk, cpuModel, machine } = plan;
  return { id, name, memoryMiB, vcpus, mac, domain, disk, cpuModel, machine };
}

/** What the agents start the VM by as long as the OVF_STORE holds nothing. */
export function vmConfText(answers: InstallAnswers, plan: InstallPlan): string {
  const { vm } = answers;
  const { image, volume } = plan.disk;
  const devices = [
    `{index:2,iface:sata,readonly:true,device:cdrom,shared:false,type:disk}`,
    `{index:0,iface:virtio,format:raw,poolID:${BLANK_UUID},volumeID:${volume},imageID:${image},readonly:false,domainID:${plan.domain},deviceId:${image},device:disk,shared:exclusive,propagateErrors:off,type:disk,bootOrder:1}`,
    `{device:scsi,model:virtio-scsi,type:controller}`,
    `{nicModel:pv,macAddr:${vm.mac},linkActive:true,network:ovirtmgmt,device:bridge,type:interface}`,
    `{device:console,type:console}`,
    `{device:vga,alias:video0,type:video}`,
    `{device:vnc,type:graphics}`,
    `{device:virtio,specParams:{source:urandom},model:virtio,type:rng}`,
  ];
  const lines = [
    `vmId=${plan.vm}`,
    `vmName=${vm.name}`,
    `memSize=${vm.memoryMiB}`,
    `smp=${vm.vcpus}`,
    `maxVCpus=${Math.max(MAX_VCPUS, vm.vcpus)}`,
    `cpuType=${plan.cpuModel}`,
    `emulatedMachine=${plan.machine}`,
    'display=vnc',
    'spiceSecureChannels=smain,sdisplay,sinputs,scursor,splayback,srecord,ssmartcard,susbredir',
    ...devices.map((device) => `devices=${device}`),
    `xmlBase64=${base64OfText(engineVmXml(engineVmParts(answers, plan)))}`,
  ];
  return `${lines.join('\n')}\n`;
}

/** Of the first host; a later one's differs in `host_id` alone. */
export function hostedEngineConfText(answers: InstallAnswers, plan: InstallPlan): string {
  const { storage, networkTest, fqdn } = answers;
  const tcp = networkTest.kind === 'tcp' ? networkTest : undefined;
  const volumes = (['metadata', 'lockspace'] as const).flatMap((name) => [
    [`${name}_volume_UUID`, plan[name].volume],
    [`${name}_image_UUID`, plan[name].image],
  ]);
  const rows: (readonly (string | undefined)[])[] = [
    ['fqdn', fqdn],
    ['vm_disk_id', plan.disk.image],
    ['vm_disk_vol_id', plan.disk.volume],
    ['vmid', plan.vm],
    ['storage', `${storage.address}:${storage.path}`],
    ['nfs_version', 'auto'],
    ['mnt_options', storage.mountOptions],
    ['conf', '/var/run/ovirt-hosted-engine-ha/vm.conf'],
    ['host_id', String(FIRST_HOST_ID)],
    ['console', 'vnc'],
    ['domainType', storage.type],
    ['spUUID', BLANK_UUID],
    ['sdUUID', plan.domain],
    ['connectionUUID', plan.connection],
    ['vdsm_use_ssl', 'true'],
    ['gateway', plan.gateway],
    ['bridge', 'ovirtmgmt'],
    ['network_test', networkTest.kind],
    ['tcp_t_address', tcp?.address],
    ['tcp_t_port', tcp === undefined ? undefined : String(tcp.port)],
    ...volumes,
    ['conf_volume_UUID', plan.configuration.volume],
    ['conf_image_UUID', plan.configuration.image],
    ...['iqn', 'portal', 'user', 'password', 'port'].map((key) => [key]),
  ];
  return rows.map(([key, value = '']) => `${key}=${value}\n`).join('');
}

const BROKER_CONF = `[email]
smtp-server = localhost
smtp-port = 25
source-email = root@localhost
destination-emails = root@localhost

[notify]
state_transition = maintenance|start|stop|migrate|up|down
`;

function answersText({ storage, fqdn, vm }: InstallAnswers): string {
  const lines = [
    '[environment:default]',
    `OVEHOSTED_STORAGE/domainType=str:${storage.type}`,
    `OVEHOSTED_STORAGE/storageDomainConnection=str:${storage.address}:${storage.path}`,
    `OVEHOSTED_NETWORK/fqdn=str:${fqdn}`,
    'OVEHOSTED_NETWORK/bridgeName=str:ovirtmgmt',
    `OVEHOSTED_VM/vmMemSizeMB=int:${vm.memoryMiB}`,
  ];
  return `${lines.join('\n')}\n`;
}

export function newConfiguration(answers: InstallAnswers, plan: InstallPlan): Configuration {
  return {
    version: '4.5.4',
    'fhanswers.conf': answersText(answers),
    'hosted-engine.conf': hostedEngineConfText(answers, plan),
    'broker.conf': BROKER_CONF,
    'vm.conf': vmConfText(answers, plan),
  };
}
