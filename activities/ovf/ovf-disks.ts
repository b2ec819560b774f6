/**
 * Which disks of a vm.conf the OVF can name, and in which order they boot.
 */
import { type BraceMap, braceText } from './brace.ts';
import type { ConversionFacts } from './convert-facts.ts';
import type { MappedDisk } from './ovf-items.ts';
import type { ConversionWarning } from './problems.ts';
import { UUID } from './tables.ts';
import { isDisk } from './vm-conf.ts';

function bootOrder(device: BraceMap): number | undefined {
  const text = braceText(device, 'bootOrder') ?? '';
  return /^[1-9]\d{0,3}$/.test(text) ? Number(text) : undefined;
}

/**
 * Orders as the OVF has them. Agents add one to *every* disk, so a data disk left at 0 would boot first, together with
 * the boot disk: disks without an order get the places after all others.
 */
function orders(devices: readonly BraceMap[]): readonly number[] {
  let next = Math.max(0, ...devices.map((each) => bootOrder(each) ?? 0));
  return devices.map((each) => {
    const own = bootOrder(each);
    if (own !== undefined) return own - 1;
    next += 1;
    return next - 1;
  });
}

/** Disks with both ids, for the OVF; the others can only be kept aside. */
export function mapDisks(
  devices: readonly BraceMap[],
  facts: ConversionFacts,
  warnings: ConversionWarning[],
): readonly MappedDisk[] {
  const named = devices.filter(isDisk).filter((device, nth) => {
    const whole = ['imageID', 'volumeID'].every((key) => UUID.test(braceText(device, key) ?? ''));
    if (!whole) {
      const why = 'the engine finds a disk by its image and volume; without both the VM is imported without this disk';
      warnings.push({ code: 'no-disk', key: `devices disk ${nth + 1}`, what: 'imageID or volumeID is missing', why });
    }
    return whole;
  });
  const places = orders(named);
  const first = Math.min(...places);
  return named.map((device, nth) => {
    const volume = braceText(device, 'volumeID') ?? '';
    const known = facts.disks[volume];
    if (known === undefined) {
      const why = 'its size is unknown to the OVF until the engine asks the storage';
      warnings.push({ code: 'disk-facts', key: `devices disk ${nth + 1}`, what: `no facts given for ${volume}`, why });
    }
    const order = places[nth] ?? nth;
    return {
      device,
      image: braceText(device, 'imageID') ?? '',
      volume,
      alias: known?.alias ?? braceText(device, 'alias') ?? `virtio-disk${nth}`,
      bootOrder: order,
      boot: order === first,
    };
  });
}
