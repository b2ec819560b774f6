/**
 * What must hold for the devices of a vm.conf before anything is made of them.
 */
import { type BraceMap, braceText } from './brace.ts';
import type { ConversionProblem, ConversionWarning } from './problems.ts';
import type { DeviceLine } from './vm-conf-old.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i;

type Report = (key: string, what: string, remedy: string) => void;

function checkDisk(device: BraceMap, report: Report): void {
  for (const key of ['imageID', 'volumeID', 'domainID', 'poolID']) {
    const id = braceText(device, key);
    if (id !== undefined && id !== '' && !UUID.test(id)) {
      report(key, `is ${JSON.stringify(id.slice(0, 60))}, no UUID`, `Give the disk's ${key} as VDSM lists it.`);
    }
  }
  const order = braceText(device, 'bootOrder');
  if (order !== undefined && !/^[1-9]\d{0,3}$/.test(order)) {
    report('bootOrder', `is ${JSON.stringify(order.slice(0, 40))}`, 'It must be a whole number from 1; 1 boots first.');
  }
}

function checkOne({ line, device }: DeviceLine, problems: ConversionProblem[]): void {
  const report: Report = (key, what, remedy) => {
    problems.push({ line, key: `devices ${key}`, what: `${key} ${what}`, remedy });
  };
  const type = braceText(device, 'type');
  if (type === undefined || type === '') {
    report('type', 'is missing', 'Add type:disk, type:interface or what the device is.');
  } else if (type === 'disk') {
    checkDisk(device, report);
  } else if (type === 'interface') {
    const mac = braceText(device, 'macAddr');
    if (mac !== undefined && !MAC.test(mac)) {
      report('macAddr', `is ${JSON.stringify(mac.slice(0, 40))}`, 'Write six pairs of hex digits with colons.');
    }
  }
}

/** Adds what is wrong with the devices to `problems`, and what is odd to `warnings`. */
export function checkDevices(
  lines: readonly DeviceLine[],
  problems: ConversionProblem[],
  warnings: ConversionWarning[],
): void {
  const seen = new Map<string, number>();
  for (const entry of lines) {
    checkOne(entry, problems);
    const volume = braceText(entry.device, 'type') === 'disk' ? braceText(entry.device, 'volumeID') : undefined;
    if (volume === undefined || volume === '') continue;
    const earlier = seen.get(volume.toLowerCase());
    if (earlier !== undefined) {
      const what = `volumeID ${volume} stands on line ${earlier} too`;
      problems.push({ line: entry.line, key: 'devices volumeID', what, remedy: 'Remove one of the two disks.' });
    }
    seen.set(volume.toLowerCase(), entry.line);
  }
  if (![...seen.keys()].length && problems.length === 0) {
    const why = 'a VM made of this file would have nothing to boot from';
    warnings.push({ code: 'no-disk', key: 'devices', what: 'no disk with a volumeID is defined', why });
  }
}
