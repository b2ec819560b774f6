import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BraceMap, braceText, sameBrace } from './brace.ts';
import { ovfToVmConf, vmConfToOvf } from './convert.ts';
import { category } from './extras.ts';
import { describeOvf, validateForImport } from './read-ovf.ts';
import { SPICE_CHANNELS } from './tables.ts';
import { FACTS, confOf, parsed, sample, vmConfTexts } from './testing.ts';
import { type VmConf, confScalars } from './vm-conf.ts';
import { type XmlElement, child, childrenNamed, descendants, parseXml, textOf } from './xml-read.ts';

const VOLUME_43 = '4b5fa0cf-2c6f-4c4b-8d46-5d4b3f0a2c21';
const SAMPLES = ['nfs-3.4.conf', 'iscsi-3.6.conf', 'nfs-4.3.conf'];

function root(ovf: string): XmlElement {
  const result = parseXml(ovf, 'OVF');
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.root;
}

function items(ovf: string, type: string): readonly XmlElement[] {
  return [...descendants(root(ovf))].filter(
    (each) => each.name === 'Item' && textOf(each, 'rasd:ResourceType') === type,
  );
}

function content(ovf: string, name: string): string | undefined {
  return textOf(child(root(ovf), 'Content'), name);
}

function convert(text: string, facts = FACTS) {
  return vmConfToOvf(confOf(text), facts);
}

const BASE = 'vmId=0f6d2a51-93c4-4c0f-b7de-6a1f5e4d3c2b\nvmName=HostedEngine\nmemSize=4096\nsmp=2\n';
function disk(n: number, more = ''): string {
  return `devices={type:disk,device:disk,imageID:d7f5a8e6-1c54-4c50-8a4a-00000000000${n},volumeID:b7a9f4c2-0f43-4b41-9c0b-00000000000${n}${more}}\n`;
}

describe('what the engine gets', () => {
  const facts = {
    ...FACTS,
    disks: { [VOLUME_43]: { sizeBytes: 53_687_091_201, actualBytes: 7.9 * 2 ** 30, alias: 'he_virtio_disk' } },
  };
  const { ovf, warnings } = convert(sample('nfs-4.3.conf'), facts);

  test('a managed hosted engine, protected, that the reader can read', () => {
    expect(validateForImport(ovf)).toEqual([]);
    expect(content(ovf, 'Origin')).toBe('6');
    expect(content(ovf, 'DeleteProtected')).toBe('true');
    const described = describeOvf(ovf);
    expect(described.ok && described.description).toEqual({
      vmId: '7d1b6c0a-8e5f-4f3d-9a2c-0b1c2d3e4f50',
      name: 'HostedEngine',
      memoryMb: 16384,
      vcpus: 4,
      disks: [
        {
          image: 'e0a8c7f4-59c2-4c2f-8b3b-6d3c1e0f4a22',
          volume: VOLUME_43,
          domain: '3f6f0ce2-7d51-4a3b-8c1c-2f9a1b0c7d03',
        },
      ],
      nics: [{ mac: '00:16:3e:7f:10:aa', network: 'ovirtmgmt', linked: true }],
      origin: 6,
      deleteProtected: true,
      generation: 1,
      engineVersion: '4.5.0.0',
      exportDate: new Date('2026-11-21T12:34:56Z'),
    });
  });

  test('facts that vm.conf lacks', () => {
    const [file] = childrenNamed(child(root(ovf), 'References'), 'File');
    expect(file?.attributes.get('ovf:size')).toBe('53687091201');
    const [section] = childrenNamed(root(ovf), 'Section');
    const attributes = child(section, 'Disk')?.attributes;
    expect([
      attributes?.get('ovf:size'),
      attributes?.get('ovf:actual_size'),
      attributes?.get('ovf:disk-alias'),
    ]).toEqual(['51', '7', 'he_virtio_disk']);
    expect(attributes?.get('ovf:vm_snapshot_id')).toBe(FACTS.snapshotId);
    expect(textOf(items(ovf, '17')[0], 'rasd:StoragePoolId')).toBe(FACTS.dataCenterId);
    expect(['ClusterName', 'ClusterCompatibilityVersion', 'CreationDate'].map((name) => content(ovf, name))).toEqual([
      'Default',
      '4.7',
      '2026/11/21 12:34:56',
    ]);
  });

  test('machine and CPU of the file', () => {
    expect(
      ['CustomEmulatedMachine', 'BiosType', 'CustomCpuName', 'MaxMemorySizeMb', 'MinAllocatedMem'].map((name) =>
        content(ovf, name),
      ),
    ).toEqual(['pc-q35-rhel7.6.0', '1', 'Cascadelake-Server', '65536', '16384']);
    expect(textOf(items(ovf, '3')[0], 'rasd:max_num_of_vcpus')).toBe('64');
  });

  test('the first section of Content is the one with the id: agents before 4.2 take the first', () => {
    const [first] = childrenNamed(child(root(ovf), 'Content'), 'Section');
    expect(first?.attributes.get('ovf:id')).toBe('7d1b6c0a-8e5f-4f3d-9a2c-0b1c2d3e4f50');
  });

  test('the four prefixes that readers look for by name', () => {
    for (const prefix of ['ovf', 'rasd', 'vssd', 'xsi']) expect(root(ovf).attributes.has(`xmlns:${prefix}`)).toBe(true);
  });

  test('given facts leave no warning about the disk', () => {
    expect(warnings.map(({ code }) => code)).not.toContain('disk-facts');
    expect(convert(sample('nfs-4.3.conf')).warnings.map(({ code }) => code)).toContain('disk-facts');
  });

  test('the same input gives the same text', () => {
    expect(convert(sample('nfs-4.3.conf'), facts).ovf).toBe(ovf);
  });
});

describe('choices', () => {
  test.each([
    ['vnc', '', '2', 'vga', 'vnc'],
    ['qxl', '', '1', 'qxl', 'spice'],
    ['vnc', 'devices={type:video,device:cirrus}\n', '0', 'cirrus', 'vnc'],
    ['qxl', 'devices={type:graphics,device:vnc}\n', '1', 'qxl', 'vnc'],
    ['none', '', '4', undefined, undefined],
  ])('display %s %s', (display, device, type, video, graphics) => {
    const { ovf } = convert(`${BASE}display=${display}\n${disk(1)}${device}`);
    expect(content(ovf, 'DefaultDisplayType')).toBe(type);
    expect([textOf(items(ovf, '20')[0], 'Device'), textOf(items(ovf, '26')[0], 'Device')]).toEqual([video, graphics]);
    expect(validateForImport(ovf)).toEqual([]);
  });

  test.each([
    ['pv', '3'],
    ['virtio', '3'],
    ['RTL8139', '1'],
    ['rtl8139/pv', '0'],
    ['e1000', '2'],
    ['e1000e', '6'],
    ['tulip', '3'],
  ])('NIC model %s is %s', (model, number) => {
    const { ovf, warnings } = convert(
      `${BASE}${disk(1)}devices={type:interface,device:bridge,macAddr:00:16:3e:00:00:01,nicModel:${model}}\n`,
    );
    expect(textOf(items(ovf, '10')[0], 'rasd:ResourceSubType')).toBe(number);
    expect(warnings.some(({ code }) => code === 'behaviour')).toBe(['e1000e', 'tulip'].includes(model));
  });

  test.each([
    [16, '', 16, 1],
    [32, '', 16, 2],
    [17, '', 1, 17],
    [8, 'smpCoresPerSocket=4\n', 2, 4],
    [6, 'smpCoresPerSocket=4\n', 6, 1],
  ])('%s CPUs %s', (smp, more, sockets, cores) => {
    const { ovf } = convert(`${BASE}smp=${smp}\n${more}${disk(1)}`);
    const [cpu] = items(ovf, '3');
    expect([textOf(cpu, 'rasd:num_of_sockets'), textOf(cpu, 'rasd:cpu_per_socket')]).toEqual([
      String(sockets),
      String(cores),
    ]);
  });

  test('disks without a boot order come after all that have one, for agents add one to each', () => {
    const { ovf } = convert(`${BASE}${disk(1)}${disk(2, ',bootOrder:1')}${disk(3)}`);
    expect(items(ovf, '17').map((item) => textOf(item, 'BootOrder'))).toEqual(['1', '0', '2']);
    const section = childrenNamed(root(ovf), 'Section')[0];
    expect(childrenNamed(section, 'Disk').map((each) => each.attributes.get('ovf:boot'))).toEqual([
      'false',
      'true',
      'false',
    ]);
    const back = parsed(ovfToVmConf(ovf));
    expect(back.devices.slice(0, 3).map((each) => braceText(each, 'bootOrder'))).toEqual(['2', '1', '3']);
  });

  test('a disk without its ids is told and kept aside', () => {
    const { ovf, warnings } = convert(`${BASE}devices={type:disk,device:disk,path:/dev/x}\n`);
    expect(items(ovf, '17')).toEqual([]);
    expect(warnings.map(({ code }) => code)).toEqual(expect.arrayContaining(['no-disk', 'kept-aside']));
    expect(validateForImport(ovf)).toEqual([]);
  });

  test('ids of devices are made where a file has none, each its own, always the same', () => {
    const text = `${BASE}${disk(1)}devices={type:interface,macAddr:00:16:3e:00:00:01}\ndevices={type:interface,macAddr:00:16:3e:00:00:02}\n`;
    const ids = (ovf: string) => items(ovf, '10').map((item) => textOf(item, 'rasd:InstanceId'));
    const first = ids(convert(text).ovf);
    expect(new Set(first).size).toBe(2);
    expect(ids(convert(text).ovf)).toEqual(first);
  });

  test('characters that XML must escape survive', () => {
    const name = `a<b>&"c"'d'ü€`;
    const { ovf } = convert(`${BASE.replace('HostedEngine', name)}custom_x=<!-- & -->\n${disk(1)}`);
    const back = parsed(ovfToVmConf(ovf));
    expect([back.vmName, back.custom['custom_x']]).toEqual([name, '<!-- & -->']);
  });

  test('a date that is none does not end the conversion', () => {
    expect(convert(BASE + disk(1), { ...FACTS, now: new Date(Number.NaN) }).ovf).toContain('1970/01/01 00:00:00');
  });

  test('host-passthrough sets the switch of the engine and is told', () => {
    const { ovf, warnings } = convert(`${BASE}cpuType=host-passthrough\n${disk(1)}`);
    expect([content(ovf, 'UseHostCpu'), content(ovf, 'CustomCpuName')]).toEqual(['true', 'host-passthrough']);
    expect(warnings.map(({ key }) => key)).toContain('cpuType');
  });
});

describe('what has no place is told with its reason', () => {
  const text = `${BASE}spiceSecureChannels=smain\ncustom_x=1\nkvmEnable=true\n${disk(1, ',shared:false,propagateErrors:on')}devices={type:hostdev,device:hostdev,name:pci_0}\ndevices={type:watchdog,device:i6300esb}\n`;
  test('each key and device, by name', () => {
    const { ovf, warnings } = convert(text);
    const told = warnings.map(({ code, key }) => `${code} ${key}`);
    expect(told).toEqual(
      expect.arrayContaining([
        'kept-aside spiceSecureChannels',
        'kept-aside custom_x',
        'kept-aside kvmEnable',
        'kept-aside devices hostdev 1',
        'kept-aside devices watchdog 1',
        'ha-constant devices disk/disk 1',
      ]),
    );
    for (const { why } of warnings) expect(why.length).toBeGreaterThan(10);
    expect(items(ovf, '0').map((item) => textOf(item, 'Type'))).toEqual(['watchdog']);
  });

  test('and comes back, but for what the lease depends on', () => {
    const back = parsed(ovfToVmConf(convert(text).ovf));
    expect(back).toMatchObject({
      spiceSecureChannels: 'smain',
      custom: { custom_x: '1' },
      other: { kvmEnable: 'true' },
    });
    expect(back.devices[0]).toMatchObject({ shared: 'exclusive', propagateErrors: 'off' });
    expect(back.devices.map((device) => braceText(device, 'type'))).toEqual(
      expect.arrayContaining(['hostdev', 'watchdog']),
    );
  });

  test('the agent’s view has none of it', () => {
    const view = parsed(ovfToVmConf(convert(text).ovf, { extras: 'ignore' }));
    expect(view).toMatchObject({ spiceSecureChannels: SPICE_CHANNELS, custom: {}, other: {} });
    expect(view.devices.map((device) => braceText(device, 'type'))).not.toContain('hostdev');
  });

  test('an OVF edited later is not overruled by what was kept aside', () => {
    const { ovf } = convert(`${BASE}display=spice\n${disk(1, ',iface:scsi')}`);
    const edited = ovf
      .replace('ovf:disk-interface="VirtIO_SCSI"', 'ovf:disk-interface="SATA"')
      .replace('<DefaultDisplayType>1', '<DefaultDisplayType>2');
    const result = ovfToVmConf(edited);
    expect(parsed(ovfToVmConf(ovf))).toMatchObject({ display: 'spice', devices: [{ iface: 'scsi' }, {}, {}, {}, {}] });
    expect(parsed(result).display).toBe('vnc');
    expect(parsed(result).devices[0]).toMatchObject({ iface: 'sata' });
    expect(result.ok && result.warnings.map(({ key }) => key)).toEqual(['display', 'disk/disk iface']);
  });
});

/** Every key of `before` with its value, in the device of the same kind, place and identity; HA's constants excepted. */
function lost(before: VmConf, after: VmConf): string[] {
  const found = new Map(confScalars(after));
  const scalars = confScalars(before)
    .filter(([key, value]) => found.get(key) !== value)
    .map(([key]) => key);
  const constants = ['poolID', 'shared', 'propagateErrors'];
  const left = [...after.devices];
  const devices = before.devices.flatMap((device) => {
    const holds = (other: BraceMap) =>
      category(other) === category(device) &&
      Object.entries(device).every(
        ([key, value]) =>
          (category(device) === 'disk/disk' && constants.includes(key)) ||
          sameBrace(value, Object.hasOwn(other, key) ? other[key] : undefined),
      );
    const at = left.findIndex(holds);
    if (at < 0) return [JSON.stringify(device)];
    left.splice(at, 1);
    return [];
  });
  const made = left.filter((device) => !['rng', 'console', 'video', 'graphics'].includes(category(device)));
  return [...scalars, ...devices, ...made.map((device) => `made: ${JSON.stringify(device)}`)];
}

describe('there and back', () => {
  test.each(SAMPLES)('%s loses nothing', (name) => {
    const before = confOf(sample(name));
    const { ovf } = vmConfToOvf(before, FACTS);
    expect(validateForImport(ovf)).toEqual([]);
    expect(lost(before, parsed(ovfToVmConf(ovf)))).toEqual([]);
  });

  test('any vm.conf loses nothing, gives an OVF that the engine reads, and a second trip changes nothing', () => {
    fc.assert(
      fc.property(vmConfTexts, (text) => {
        const before = confOf(text);
        const { ovf } = vmConfToOvf(before, FACTS);
        expect(validateForImport(ovf)).toEqual([]);
        const after = parsed(ovfToVmConf(ovf));
        expect(lost(before, after)).toEqual([]);
        expect(lost(after, parsed(ovfToVmConf(vmConfToOvf(after, FACTS).ovf)))).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  test('xmlBase64 goes into EngineXml whole and comes back', () => {
    const engineMade = parsed(ovfToVmConf(sample('engine-4.2.ovf.xml')));
    expect(engineMade.xmlBase64).toBeDefined();
    const { ovf, warnings } = vmConfToOvf(engineMade, FACTS);
    expect(content(ovf, 'EngineXml')).toBe(Buffer.from(engineMade.xmlBase64 ?? '', 'base64').toString('utf8'));
    expect(warnings.map(({ code }) => code)).not.toContain('engine-xml');
    expect(parsed(ovfToVmConf(ovf)).xmlBase64).toBe(engineMade.xmlBase64);
  });

  test('domain XML that HA agents would not use is carried, told, and not handed back', () => {
    const xmlBase64 = Buffer.from('<domain><devices/></domain>').toString('base64');
    const { ovf, warnings } = convert(`${BASE}${disk(1)}xmlBase64=${xmlBase64}\n`);
    expect(content(ovf, 'EngineXml')).toBe('<domain><devices/></domain>');
    expect(warnings.find(({ code }) => code === 'engine-xml')?.why).toContain('lease');
    expect(parsed(ovfToVmConf(ovf)).xmlBase64).toBeUndefined();
  });

  test('base64 of no text at all is told and left out', () => {
    const { ovf, warnings } = convert(`${BASE}${disk(1)}xmlBase64=//79\n`);
    expect(content(ovf, 'EngineXml')).toBeUndefined();
    expect(warnings.find(({ code }) => code === 'engine-xml')?.what).toBe('it was left out');
  });
});
