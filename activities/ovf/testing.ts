/** Shared by the tests of this folder: sample files, facts, and generators of vm.conf files as they are found. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import * as fc from 'fast-check';
import type { ConversionFacts } from './convert-facts.ts';
import { parseVmConf, type VmConf, type VmConfResult } from './vm-conf.ts';

const SAMPLES = new URL('./samples/', import.meta.url);
/** The tests' larger collection, where it lies beside the repository. */
const MORE = new URL('../../../shared/data/', import.meta.url);

export function sample(name: string): string {
  return readFileSync(new URL(name, SAMPLES), 'utf8');
}

/** Every sample OVF at hand, ours and others. */
export function sampleOvfs(): readonly (readonly [string, string])[] {
  const folders = [SAMPLES, new URL('ovf/', MORE)].filter((folder) => existsSync(folder));
  return folders.flatMap((folder) =>
    readdirSync(folder)
      .filter((name) => name.endsWith('.ovf.xml'))
      .map(
        (name) =>
          [
            `${name} of ${folder === SAMPLES ? 'samples' : 'data'}`,
            readFileSync(new URL(name, folder), 'utf8'),
          ] as const,
      ),
  );
}

export function parsed(result: VmConfResult): VmConf {
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.conf;
}

export function confOf(text: string): VmConf {
  return parsed(parseVmConf(text));
}

export const FACTS: ConversionFacts = {
  dataCenterId: 'aaaaaaaa-0000-4000-8000-000000000001',
  clusterName: 'Default',
  clusterCompatibility: '4.7',
  engineVersion: '4.5.0.0',
  disks: {},
  now: new Date('2026-11-21T12:34:56Z'),
  snapshotId: 'aaaaaaaa-0000-4000-8000-000000000002',
};

const word = fc.stringMatching(/^[A-Za-z0-9_.+/-]{1,16}$/).filter((text) => text !== 'None');
const uuid = fc.uuid();
const mac = fc
  .array(fc.integer({ min: 0, max: 255 }), { minLength: 6, maxLength: 6 })
  .map((bytes) => bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':'));
const address = fc.constantFrom(
  '{slot:0x06,bus:0x00,domain:0x0000,type:pci,function:0x0}',
  '{ controller:0, target:0,unit:0, bus:1, type:drive}',
  '',
);
const order = fc.option(fc.integer({ min: 1, max: 9 }));

const disk = fc
  .record({
    image: uuid,
    volume: uuid,
    domain: uuid,
    iface: fc.constantFrom('virtio', 'scsi', 'ide', 'sata', 'fancy'),
    format: fc.constantFrom('raw', 'cow'),
    shared: fc.constantFrom('exclusive', 'false', 'shared'),
    readonly: fc.constantFrom('false', 'true', 'no'),
    order,
    address,
    extra: word,
  })
  .map(
    (d) =>
      `{index:0,iface:${d.iface},format:${d.format},${d.order === null ? '' : `bootOrder:${d.order},`}address:${d.address},volumeID:${d.volume},imageID:${d.image},domainID:${d.domain},readonly:${d.readonly},shared:${d.shared},serial:${d.extra},device:disk,type:disk}`,
  );
const nic = fc
  .record({
    mac,
    network: word,
    linked: fc.boolean(),
    model: fc.constantFrom('pv', 'virtio', 'e1000', 'e1000e', 'RTL8139', 'odd'),
  })
  .map(
    (n) =>
      `{nicModel:${n.model},macAddr:${n.mac},network:${n.network},linkActive:${n.linked},device:bridge,type:interface}`,
  );
const otherDevice = fc.oneof(
  word.map((path) => `{index:2,iface:ide,readonly:true,path:/${path},device:cdrom,type:disk}`),
  fc.constantFrom(
    '{device:console,type:console,alias:console0}',
    '{device:vga,alias:video1,type:video}',
    '{device:vnc,type:graphics,specParams:{displayNetwork:ovirtmgmt,keyMap:en-us}}',
    '{device:urandom,model:virtio,source:random,type:rng}',
    '{device:i6300esb,type:watchdog,specParams:{action:reset,model:i6300esb}}',
    '{device:memballoon,type:balloon,specParams:{model:none}}',
    '{device:scsi,model:lsilogic,index:1,type:controller}',
    '{device:virtio-serial,type:controller,specParams:{a:{b:{c:d}}}}',
    '{device:hostdev0,type:hostdev,name:pci_0000_01_00_0}',
    '{device:weird,type:gadget,list:[a,b,{c:d}],host:[2001:db8::1]:/x}',
  ),
);
const scalars = fc.record({
  name: fc.stringMatching(/^[A-Za-z0-9_.<>&"'ü-]{1,20}$/),
  memory: fc.integer({ min: 1, max: 2 ** 22 }),
  smp: fc.integer({ min: 1, max: 300 }),
  max: fc.option(fc.integer({ min: 1, max: 500 })),
  cpu: fc.option(fc.constantFrom('SandyBridge', 'Cascadelake-Server,+pcid', 'host-passthrough')),
  machine: fc.option(fc.constantFrom('pc', 'rhel6.5.0', 'pc-q35-rhel8.6.0')),
  display: fc.option(fc.constantFrom('vnc', 'qxl', 'spice', 'none')),
  channels: fc.option(fc.constantFrom('smain', 'smain,sdisplay')),
  custom: fc.dictionary(fc.stringMatching(/^custom_[a-z]{1,8}$/), word, { maxKeys: 3 }),
  other: fc.dictionary(
    fc.constantFrom('kvmEnable', 'displayNetwork', 'timeOffset', 'smpCoresPerSocket', 'weird'),
    word,
  ),
});

/** Text of a vm.conf with most of what is found in the field. */
export const vmConfTexts = fc
  .record({
    id: uuid,
    s: scalars,
    disks: fc.uniqueArray(disk, { maxLength: 3, selector: (text) => /volumeID:([^,]+)/.exec(text)?.[1] }),
    nics: fc.uniqueArray(nic, { maxLength: 3, selector: (text) => /macAddr:([^,]+)/.exec(text)?.[1] }),
    others: fc.array(otherDevice, { maxLength: 4 }),
  })
  .map(({ id, s, disks, nics, others }) => {
    const lines = [`vmId=${id}`, `vmName=${s.name}`, `memSize=${s.memory}`, `smp=${s.smp}`];
    const optional: readonly (readonly [string, string | number | null])[] = [
      ['maxVCpus', s.max],
      ['cpuType', s.cpu],
      ['emulatedMachine', s.machine],
      ['display', s.display],
      ['spiceSecureChannels', s.channels],
      ...Object.entries(s.custom),
      ...Object.entries(s.other),
    ];
    for (const [key, value] of optional) if (value !== null) lines.push(`${key}=${value}`);
    for (const device of [...disks, ...nics, ...others]) lines.push(`devices=${device}`);
    return `${lines.join('\n')}\n`;
  });

/** A text with a few characters changed, dropped or doubled. */
export function mutations(text: string): fc.Arbitrary<string> {
  const edit = fc.record({
    at: fc.nat(Math.max(0, text.length - 1)),
    length: fc.nat(40),
    insert: fc.string({ maxLength: 12 }),
  });
  return fc
    .array(edit, { minLength: 1, maxLength: 4 })
    .map((edits) =>
      edits.reduce((now, { at, length, insert }) => now.slice(0, at) + insert + now.slice(at + length), text),
    );
}
