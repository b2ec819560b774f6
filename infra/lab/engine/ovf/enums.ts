/** Numbers the OVF uses where the API uses names (engine.md 13). */

export const ORIGINS = [
  'rhev',
  'vmware',
  'xen',
  'ovirt',
  'external',
  'hosted_engine',
  'managed_hosted_engine',
  'kvm',
  'physical_machine',
  'hyperv',
  'kubevirt',
] as const;

export const VM_TYPES = ['desktop', 'server', 'high_performance'] as const;

export const MIGRATION = ['migratable', 'user_migratable', 'pinned'] as const;

/** `BiosType` is the value minus one; absent means the first. */
export const BIOS_TYPES = ['i440fx_sea_bios', 'q35_sea_bios', 'q35_ovmf', 'q35_secure_boot'] as const;

export const NIC_MODELS = [
  'rtl8139_virtio',
  'rtl8139',
  'e1000',
  'virtio',
  'spapr_vlan',
  'pci_passthrough',
  'e1000e',
] as const;

/** DefaultDisplayType: 0 cirrus, 1 qxl, 2 vga, 3 bochs, 4 none. */
export function displayOf(number: string | undefined): 'vnc' | 'spice' {
  return number === '1' ? 'spice' : 'vnc';
}

/** Name for a number of an enumeration; the first when there is none. */
export function nameOf<T extends string>(
  names: readonly [T, ...T[]] | readonly T[],
  number: string | undefined,
  otherwise: T,
): T {
  return number !== undefined && /^\d+$/.test(number) ? (names[Number(number)] ?? otherwise) : otherwise;
}

/** `yyyy/MM/dd HH:mm:ss` in UTC. */
export function ovfDate(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 19).replace('T', ' ').replaceAll('-', '/');
}
