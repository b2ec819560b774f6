import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { textOfBase64 } from './engine-xml.ts';
import { ovfToVmConf } from './ovf-to-vm-conf.ts';
import { SPICE_CHANNELS } from './tables.ts';
import { mutations, parsed, sample, sampleOvfs } from './testing.ts';
import { formatVmConf, parseVmConf } from './vm-conf.ts';

const O36 = sample('engine-3.6.ovf.xml');
const O42 = sample('engine-4.2.ovf.xml');
const IMAGE = '2f6c1f0e-5a1b-4b7e-9a55-0c1d2e3f4a5b';

describe('as the HA agent reads it (ha-agent.md 5.7)', () => {
  test('an OVF of 3.6: the whole reading', () => {
    const address = (slot: string) => ({ slot, bus: '0x00', domain: '0x0000', type: 'pci', function: '0x0' });
    const nic = (n: number, network: string, linkActive: string) => ({
      nicModel: 'pv',
      macAddr: `00:16:3e:00:36:0${n}`,
      network,
      linkActive,
      deviceId: `0a0b0c0d-0000-4000-8000-00000000000${n}`,
      address: address(`0x0${n + 2}`),
      type: 'interface',
      device: 'bridge',
    });
    expect(parsed(ovfToVmConf(O36))).toEqual({
      vmId: '3b241101-e2bb-4255-8caf-4136c566a962',
      vmName: 'HostedEngine',
      memSizeMb: 4096,
      smp: 1,
      cpuType: 'SandyBridge',
      emulatedMachine: 'rhel6.5.0',
      display: 'vnc',
      spiceSecureChannels: SPICE_CHANNELS,
      custom: {},
      other: {},
      devices: [
        {
          index: '0',
          iface: 'ide',
          format: 'raw',
          bootOrder: '2',
          address: address('0x06'),
          volumeID: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
          imageID: IMAGE,
          domainID: '9b2d7a52-6b0c-4a47-8d47-3f0a8f1c2d3e',
          deviceId: IMAGE,
          poolID: '00000000-0000-0000-0000-000000000000',
          readonly: 'false',
          shared: 'exclusive',
          propagateErrors: 'off',
          device: 'disk',
          type: 'disk',
        },
        { type: 'graphics', device: 'spice', deviceId: '11112222-3333-4444-8555-666677778888' },
        {
          index: '2',
          iface: 'ide',
          address: { controller: '0', target: '0', unit: '0', bus: '1', type: 'drive' },
          readonly: 'true',
          deviceId: '8c3179ac-b322-4f5c-9449-c52e3665e0ae',
          path: '',
          device: 'cdrom',
          shared: 'false',
          type: 'disk',
        },
        {
          type: 'controller',
          device: 'scsi',
          model: 'virtio-scsi',
          deviceId: '00000002-1234-4abc-8def-000000000002',
          address: address('0x06'),
        },
        nic(1, 'ovirtmgmt', 'true'),
        nic(2, 'dummynet', 'false'),
        { type: 'controller', device: 'ide', deviceId: '00000003-1234-4abc-8def-000000000003' },
        { type: 'video', device: 'cirrus', deviceId: '00000005-1234-4abc-8def-000000000005', alias: 'video0' },
        {
          type: 'rng',
          device: 'virtio',
          model: 'virtio',
          deviceId: '00000006-1234-4abc-8def-000000000006',
          specParams: { source: 'urandom' },
          alias: 'rng0',
        },
        { type: 'console', device: 'console' },
      ],
    });
  });

  test('an OVF of 4.2: sockets times cores, maximum, random source made up', () => {
    const conf = parsed(
      ovfToVmConf(
        O42.replace('<rasd:cpu_per_socket>1', '<rasd:cpu_per_socket>2').replace(
          '<rasd:threads_per_cpu>1',
          '<rasd:threads_per_cpu>4',
        ),
      ),
    );
    expect(conf).toMatchObject({ smp: 24, maxVCpus: 16, memSizeMb: 16384, display: 'vnc' });
    expect(conf.devices.at(-1)).toEqual({
      type: 'rng',
      device: 'virtio',
      model: 'virtio',
      specParams: { source: 'urandom' },
    });
    expect(conf.devices.filter((device) => device['type'] === 'console')).toHaveLength(1);
  });

  test.each([
    ['0', 'vnc'],
    ['1', 'qxl'],
    ['2', 'vnc'],
    ['3', undefined],
    ['4', undefined],
  ])('display type %s', (type, display) => {
    const ovf = O42.replace(/<DefaultDisplayType>\d/, `<DefaultDisplayType>${type}`);
    expect(parsed(ovfToVmConf(ovf)).display).toBe(display);
  });

  test.each([
    ['0', 'rtl8139_pv'],
    ['1', 'rtl8139'],
    ['2', 'e1000'],
    ['4', 'spaprVlan'],
    ['5', 'pciPassthrough'],
    ['6', 'e1000e'],
  ])('NIC model %s', (number, nicModel) => {
    const ovf = O42.replace('<rasd:ResourceSubType>3', `<rasd:ResourceSubType>${number}`);
    const result = ovfToVmConf(ovf);
    expect(parsed(result).devices[1]).toMatchObject({ nicModel });
    // The agent's table ends at 5: it fails on the whole OVF.
    expect(result.ok && result.warnings.some(({ code }) => code === 'behaviour')).toBe(number === '6');
  });

  test('a NIC without MAC is left out and told', () => {
    const result = ovfToVmConf(O42.replace(/<rasd:MACAddress>.*?<\/rasd:MACAddress>/, ''));
    expect(parsed(result).devices.filter((device) => device['type'] === 'interface')).toEqual([]);
    expect(result.ok && result.warnings.map(({ key }) => key)).toContain('macAddr');
  });

  test('VirtIO_SCSI is lower-cased, not translated', () => {
    expect(parsed(ovfToVmConf(O42.replace('"VirtIO"', '"VirtIO_SCSI"'))).devices[0]).toMatchObject({
      iface: 'virtio_scsi',
    });
  });
});

describe('what stops the agent is a problem', () => {
  test.each([
    ['no VM id', O42.replace(/ ovf:id="6fa459ea[^"]*"/, ''), '@ovf:id'],
    ['no display type', O42.replace(/<DefaultDisplayType>.*?<\/DefaultDisplayType>/, ''), 'DefaultDisplayType'],
    ['no sockets', O42.replace(/<rasd:num_of_sockets>.*?<\/rasd:num_of_sockets>/, ''), 'num_of_sockets'],
    ['sockets in words', O42.replace('<rasd:num_of_sockets>12', '<rasd:num_of_sockets>twelve'), 'num_of_sockets'],
    ['no memory', O42.replace('<rasd:ResourceType>4<', '<rasd:ResourceType>99<'), 'VirtualQuantity'],
    ['no boot order', O42.replace('<BootOrder>0</BootOrder>', ''), 'BootOrder'],
    ['no interface', O42.replace('ovf:disk-interface="VirtIO" ', ''), 'disk-interface'],
    ['no content', O42.replaceAll('Content>', 'Contents>').replace('<Content ', '<Contents '), 'Content'],
    ['an unknown NIC model', O42.replace('<rasd:ResourceSubType>3', '<rasd:ResourceSubType>77'), 'ResourceSubType'],
  ])('%s', (_, ovf, key) => {
    const result = ovfToVmConf(ovf);
    expect(result.ok ? [] : result.problems.map((problem) => problem.key)).toEqual(
      expect.arrayContaining([expect.stringContaining(key)]),
    );
  });

  test('text that vm.conf cannot carry', () => {
    for (const name of ['a#b', 'a\nb', ' a']) {
      const result = ovfToVmConf(O42.replace('<Name>HostedEngine', `<Name>${name}`));
      expect(result.ok ? '' : result.problems[0]?.key).toBe('vmName');
    }
    const result = ovfToVmConf(O42.replace('<rasd:Connection>ovirtmgmt', '<rasd:Connection>a,b}'));
    expect(result.ok ? '' : result.problems[0]?.key).toBe('devices interface');
  });
});

describe('the domain XML inside', () => {
  function reading(change: (ovf: string) => string) {
    const result = ovfToVmConf(change(O42));
    return { xml: textOfBase64(parsed(result).xmlBase64 ?? ''), warnings: result.ok ? result.warnings : [] };
  }

  test('is used with lease and exclusive disk; the alias of its pty is cut to 24, no other', () => {
    const { xml, warnings } = reading((ovf) => ovf);
    expect(xml).toContain('<alias name="ua-00000007-1234-4abc-8d"></alias>');
    expect(xml?.replace('ua-00000007-1234-4abc-8d', 'ua-00000007-1234-4abc-8def-000000000007')).toBe(
      /<EngineXml>(.*)<\/EngineXml>/s.exec(O42)?.[1]?.replaceAll('&lt;', '<').replaceAll('&gt;', '>'),
    );
    expect(warnings.map(({ code }) => code)).toEqual(['engine-xml']);
  });

  test.each([
    ['without a lease', (ovf: string) => ovf.replaceAll('lease&gt;', 'leash&gt;'), 'lease'],
    [
      'with a disk that is not exclusive',
      (ovf: string) => ovf.replace('&gt;exclusive&lt;', '&gt;none&lt;'),
      'exclusive',
    ],
    ['damaged', (ovf: string) => ovf.replace('&lt;/domain&gt;', ''), 'not well-formed'],
    [
      'with a document type',
      (ovf: string) => ovf.replace('&lt;domain ', '&lt;!DOCTYPE x&gt;&lt;domain '),
      'document type',
    ],
  ])('is left out %s, with the reason', (_, change, why) => {
    const { xml, warnings } = reading(change);
    expect(xml).toBe('');
    expect(warnings.map((warning) => warning.why).join()).toContain(why);
  });

  test('of another VM is told', () => {
    const { warnings } = reading((ovf) => ovf.replace('uuid&gt;6fa459ea', 'uuid&gt;7fa459ea'));
    expect(warnings[0]?.what).toContain('7fa459ea');
  });
});

test.each(sampleOvfs())('%s is read, and its vm.conf reads back the same', (_, ovf) => {
  const conf = parsed(ovfToVmConf(ovf));
  expect(parsed(parseVmConf(formatVmConf(conf)))).toEqual(conf);
});

test('damaged OVFs give a result, never an exception', () => {
  fc.assert(
    fc.property(fc.oneof(mutations(O36), mutations(O42)), (ovf) => {
      const result = ovfToVmConf(ovf);
      expect(result.ok || result.problems.length > 0).toBe(true);
    }),
    { numRuns: 300 },
  );
});
