/**
 * Numbers and names that the OVF of an engine speaks (engine.md 12 and 13).
 */

export const BLANK_UUID = '00000000-0000-0000-0000-000000000000';
export const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The readers look elements up by literal prefix: these four and no others. */
export const NAMESPACES = {
  ovf: 'http://schemas.dmtf.org/ovf/envelope/1/',
  rasd: 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_ResourceAllocationSettingData',
  vssd: 'http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/CIM_VirtualSystemSettingData',
  xsi: 'http://www.w3.org/2001/XMLSchema-instance',
} as const;

export const RESOURCE = {
  other: '0',
  cpu: '3',
  memory: '4',
  nic: '10',
  cdrom: '15',
  disk: '17',
  video: '20',
  usb: '23',
  graphics: '26',
} as const;

export const ORIGIN_MANAGED_HOSTED_ENGINE = 6;

/** The NIC models, in the engine's numbers. */
export const NIC_MODELS: readonly (readonly [number, string])[] = [
  [0, 'rtl8139_pv'],
  [1, 'rtl8139'],
  [2, 'e1000'],
  [3, 'pv'],
  [4, 'spaprVlan'],
  [5, 'pciPassthrough'],
  [6, 'e1000e'],
];
/** The HA agent's table ends at 5: a greater number makes it fail on the whole OVF (ha-agent.md 5.7). */
export const NIC_MODEL_MAX_OF_AGENT = 5;

/** Other spellings of NIC models found in vm.conf files. */
const NIC_SPELLINGS: Readonly<Record<string, number>> = {
  virtio: 3,
  'virtio-net': 3,
  'rtl8139/pv': 0,
  'rtl8139-pv': 0,
  spaprvlan: 4,
  'spapr-vlan': 4,
  passthrough: 5,
  pcipassthrough: 5,
};

export function nicModelNumber(name: string): number | undefined {
  const plain = name.toLowerCase();
  return NIC_MODELS.find(([, known]) => known.toLowerCase() === plain)?.[0] ?? NIC_SPELLINGS[plain];
}

/** vm.conf `iface` to the engine's enum name. The agent turns it back by lower-casing: `VirtIO_SCSI` → `virtio_scsi`. */
export const DISK_INTERFACES: Readonly<Record<string, string>> = {
  virtio: 'VirtIO',
  scsi: 'VirtIO_SCSI',
  'virtio-scsi': 'VirtIO_SCSI',
  virtio_scsi: 'VirtIO_SCSI',
  ide: 'IDE',
  sata: 'SATA',
  spapr_vscsi: 'SPAPR_VSCSI',
};
export const DISK_INTERFACE_NAMES = new Set(['IDE', 'SCSI', 'VirtIO', 'VirtIO_SCSI', 'SPAPR_VSCSI', 'SATA']);
export const VOLUME_FORMAT_NAMES = new Set(['RAW', 'COW', 'Unassigned']);
export const VOLUME_TYPE_NAMES = new Set(['Preallocated', 'Sparse', 'Unassigned']);

export const FORMAT_URIS = {
  RAW: 'http://www.vmware.com/specifications/vmdk.html#sparse',
  COW: 'http://www.gnome.org/~markmc/qcow-image-format.html',
} as const;

/** `DefaultDisplayType`: 0 cirrus, 1 qxl, 2 vga, 3 bochs, 4 none. The agent reads 0 to 2 and drops the key otherwise. */
export const DISPLAY_OF_AGENT: Readonly<Record<number, string>> = { 0: 'vnc', 1: 'qxl', 2: 'vnc' };

/** What every HA agent writes, whatever the VM has. */
export const SPICE_CHANNELS = 'smain,sdisplay,sinputs,scursor,splayback,srecord,ssmartcard,susbredir';

/** `yyyy/MM/dd HH:mm:ss` in UTC; a date that is none gives the epoch. */
export function ovfDate(date: Date): string {
  const valid = Number.isNaN(date.getTime()) ? new Date(0) : date;
  return valid.toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ' ');
}

/** Inverse of `ovfDate`; undefined for text that is no such date. */
export function parseOvfDate(text: string): Date | undefined {
  const parts = /^(\d{4})\/(\d{2})\/(\d{2}) (\d{2}:\d{2}:\d{2})$/.exec(text.trim());
  if (parts === null) return undefined;
  const date = new Date(`${parts[1]}-${parts[2]}-${parts[3]}T${parts[4]}Z`);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/**
 * An id that is always the same for the same seed, shaped as a UUID (version 8: made by own rules).
 *
 * Devices of a vm.conf often have none, the engine's reader needs one, and a conversion done twice must give the same.
 * Four 32-bit FNV-style lanes: spread is all that is asked of it, not secrecy.
 */
export function derivedUuid(seed: string): string {
  const lanes = [0x811c9dc5, 0x01000193, 0x9e3779b9, 0x85ebca6b].map((start) => {
    let hash = start;
    for (const byte of Buffer.from(`${start}:${seed}`)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 0;
    return (hash ^ (hash >>> 13)) >>> 0;
  });
  const hex = lanes.map((lane) => lane.toString(16).padStart(8, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `a${hex.slice(17, 20)}`, hex.slice(20)].join('-');
}
