/**
 * The engine VM as a libvirt domain with oVirt's metadata: what VDSM starts (vdsm.md 8), and what HA agents take from the
 * OVF afterwards, if it has a lease device and a disk that is shared exclusively (ha-agent.md 5.7).
 */
import type { VolumeRef } from '../../workflows/model/hosted-engine.ts';
import { BLANK_UUID } from './verbs.ts';

export interface EngineVmParts {
  readonly id: string;
  readonly name: string;
  readonly memoryMiB: number;
  readonly vcpus: number;
  readonly mac: string;
  readonly domain: string;
  readonly disk: VolumeRef;
  /** libvirt's name. */
  readonly cpuModel: string;
  readonly machine: string;
}

/** Files of a CD that VDSM makes for one start, under the label by which cloud-init finds it. */
export interface Payload {
  readonly label: string;
  readonly files: Readonly<Record<string, string>>;
}

/** The engine grows CPUs while it runs; the topology is fixed at the start. */
export const MAX_VCPUS = 16;

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

function diskXml({ domain, disk }: EngineVmParts): string {
  const { image, volume } = disk;
  // LEASE-... stands for what VDSM finds when it prepares the disk: the lease that keeps a second host from starting it.
  return `<disk type="file" device="disk" snapshot="no"><target dev="vda" bus="virtio"/>
<source file="/rhev/data-center/${BLANK_UUID}/${domain}/images/${image}/${volume}"/>
<driver name="qemu" type="raw" error_policy="stop" io="threads" cache="none"/><serial>${image}</serial><boot order="1"/></disk>
<lease><key>${volume}</key><lockspace>${domain}</lockspace><target offset="LEASE-OFFSET:${image}:${domain}" path="LEASE-PATH:${image}:${domain}"/></lease>`;
}

function devicesXml(parts: EngineVmParts, withPayload: boolean): string {
  const { id, mac } = parts;
  const channel = (name: string) =>
    `<channel type="unix"><target type="virtio" name="${name}"/><source mode="bind" path="/var/lib/libvirt/qemu/channels/${id}.${name}"/></channel>`;
  const cd = `<source startupPolicy="optional"/>`;
  return `${channel('ovirt-guest-agent.0')}
${channel('org.qemu.guest_agent.0')}
<graphics type="vnc" port="-1" autoport="yes" passwd="*****" passwdValidTo="1970-01-01T00:00:01"><listen type="network" network="vdsm-ovirtmgmt"/></graphics>
<video><model type="vga" vram="16384" heads="1"/></video>
<rng model="virtio"><backend model="random">/dev/urandom</backend></rng>
<controller type="scsi" model="virtio-scsi" index="0"/><controller type="virtio-serial" index="0" ports="16"/>
<console type="pty"><target type="virtio" port="0"/></console>
<interface type="bridge"><model type="virtio"/><link state="up"/><source bridge="ovirtmgmt"/><mac address="${mac}"/></interface>
<disk type="file" device="cdrom" snapshot="no"><driver name="qemu" type="raw" error_policy="report"/>${withPayload ? cd : '<source file="" startupPolicy="optional"/>'}<target dev="sdc" bus="sata"/><readonly/></disk>
${diskXml(parts)}`;
}

function payloadXml(payload: Payload | undefined): string {
  if (payload === undefined) return '';
  const files = Object.entries(payload.files).map(
    ([path, content]) =>
      `<ovirt-vm:file path="${escaped(path)}">${Buffer.from(content, 'utf8').toString('base64')}</ovirt-vm:file>`,
  );
  return `<ovirt-vm:device devtype="disk" name="sdc"><ovirt-vm:readonly type="bool">true</ovirt-vm:readonly><ovirt-vm:payload><ovirt-vm:volId>${escaped(payload.label)}</ovirt-vm:volId>${files.join('')}</ovirt-vm:payload></ovirt-vm:device>`;
}

function metadataXml({ domain, disk, mac, memoryMiB }: EngineVmParts, payload: Payload | undefined): string {
  return `<ovirt-tune:qos/><ovirt-vm:vm><ovirt-vm:minGuaranteedMemoryMb type="int">${memoryMiB}</ovirt-vm:minGuaranteedMemoryMb>
<ovirt-vm:custom/><ovirt-vm:device mac_address="${mac}"><ovirt-vm:custom/></ovirt-vm:device>
<ovirt-vm:device devtype="disk" name="vda"><ovirt-vm:poolID>${BLANK_UUID}</ovirt-vm:poolID><ovirt-vm:volumeID>${disk.volume}</ovirt-vm:volumeID><ovirt-vm:shared>exclusive</ovirt-vm:shared><ovirt-vm:imageID>${disk.image}</ovirt-vm:imageID><ovirt-vm:domainID>${domain}</ovirt-vm:domainID></ovirt-vm:device>
${payloadXml(payload)}<ovirt-vm:launchPaused>false</ovirt-vm:launchPaused><ovirt-vm:resumeBehavior>auto_resume</ovirt-vm:resumeBehavior></ovirt-vm:vm>`;
}

/** @param payload for the first start only: it holds passwords, and stays in no file */
export function engineVmXml(parts: EngineVmParts, payload?: Payload): string {
  const { id, name, memoryMiB, vcpus, cpuModel, machine } = parts;
  const most = Math.max(MAX_VCPUS, vcpus);
  return `<?xml version="1.0" encoding="UTF-8"?>
<domain type="kvm" xmlns:ovirt-tune="http://ovirt.org/vm/tune/1.0" xmlns:ovirt-vm="http://ovirt.org/vm/1.0">
<name>${escaped(name)}</name><uuid>${id}</uuid>
<memory>${memoryMiB * 1024}</memory><currentMemory>${memoryMiB * 1024}</currentMemory><vcpu current="${vcpus}">${most}</vcpu>
<clock offset="variable" adjustment="0"><timer name="rtc" tickpolicy="catchup"/><timer name="pit" tickpolicy="delay"/><timer name="hpet" present="no"/></clock>
<features><acpi/></features>
<cpu match="exact"><model>${escaped(cpuModel)}</model><topology sockets="${most}" cores="1" threads="1"/></cpu>
<devices>
${devicesXml(parts, payload !== undefined)}
</devices>
<os><type arch="x86_64" machine="${escaped(machine)}">hvm</type></os>
<metadata>${metadataXml(parts, payload)}</metadata>
</domain>`;
}
