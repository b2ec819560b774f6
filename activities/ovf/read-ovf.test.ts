import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareOvfs, describeOvf, validateForImport } from './read-ovf.ts';
import { mutations, sample, sampleOvfs } from './testing.ts';

const O42 = sample('engine-4.2.ovf.xml');

function described(ovf: string) {
  const result = describeOvf(ovf);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.description;
}

test('a description has what two sides are compared by', () => {
  expect(described(O42)).toEqual({
    vmId: '6fa459ea-ee8a-4ca4-894e-db77e160355e',
    name: 'HostedEngine',
    memoryMb: 16384,
    vcpus: 12,
    disks: [
      {
        image: '2f6c1f0e-5a1b-4b7e-9a55-0c1d2e3f4a5b',
        volume: '7c9e6679-7425-40de-944b-e07fc1f90ae7',
        domain: '9b2d7a52-6b0c-4a47-8d47-3f0a8f1c2d3e',
      },
    ],
    nics: [{ mac: '00:16:3e:00:42:01', network: 'ovirtmgmt', linked: true }],
    origin: 6,
    deleteProtected: false,
    generation: 17,
    engineVersion: '4.1.0.0',
    exportDate: new Date('2018-03-25T18:43:51Z'),
  });
});

test('an OVF without a VM is refused with all that is missing', () => {
  const result = describeOvf('<ovf:Envelope xmlns:ovf="x"><Content/></ovf:Envelope>');
  expect(result.ok ? [] : result.problems.map(({ key }) => key.split('/').at(-1))).toEqual([
    '@ovf:id',
    'Name',
    'rasd:num_of_sockets',
    'rasd:VirtualQuantity',
  ]);
});

describe('comparing', () => {
  test('an OVF with itself, exported at another time', () => {
    expect(compareOvfs(described(O42), described(O42.replace('2018/03/25', '2019/01/01')))).toEqual([]);
  });

  test.each([
    ['memoryMb', O42.replaceAll('16384', '8192')],
    ['vcpus', O42.replace('<rasd:num_of_sockets>12', '<rasd:num_of_sockets>8')],
    ['nics', O42.replace('<rasd:MACAddress>00', '<rasd:MACAddress>02')],
    ['disks', O42.replace('<rasd:StorageId>9b', '<rasd:StorageId>8b')],
    ['origin', O42.replace('<Origin>6', '<Origin>5')],
    ['deleteProtected', O42.replace('<DeleteProtected>false', '<DeleteProtected>true')],
    ['generation', O42.replace('<Generation>17', '<Generation>18')],
    ['engineVersion', O42.replace('ovf:version="4.1.0.0"', 'ovf:version="4.5.0.0"')],
  ])('%s', (field, other) => {
    expect(compareOvfs(described(O42), described(other))).toEqual([field]);
  });
});

describe('what makes an engine fail to read (engine.md 12)', () => {
  test.each(sampleOvfs())('nothing in %s', (_, ovf) => {
    expect(validateForImport(ovf)).toEqual([]);
  });

  test.each([
    ['version', / ovf:version="[^"]*"/, '', 'Envelope/@ovf:version'],
    ['another prefix', /xmlns:rasd=/, 'xmlns:r=', 'Envelope/@xmlns:rasd'],
    ['file without description', / ovf:description="[^"]*"/, '', 'File/@ovf:description'],
    ['file without id', /<File ovf:href="([^"]*)" ovf:id="[^"]*"/, '<File ovf:href="$1"', 'File/@ovf:id'],
    ['file without href', /<File ovf:href="[^"]*"/, '<File', 'File/@ovf:href'],
    ['disk without id', / ovf:diskId="[^"]*"/, '', 'Disk/@ovf:diskId'],
    ['disk without size', /(<Disk [^>]*) ovf:size="[^"]*"/, '$1', 'Disk/@ovf:size'],
    ['disk interface in lower case', /"VirtIO"/, '"virtio"', 'Disk/@ovf:disk-interface'],
    ['volume format in lower case', /"RAW"/, '"raw"', 'Disk/@ovf:volume-format'],
    ['volume type unknown', /"Preallocated"/, '"Thick"', 'Disk/@ovf:volume-type'],
    ['no template', /<TemplateId>.*?<\/TemplateId>/, '', 'Content/TemplateId'],
    ['template of no id', /<TemplateId>[^<]*/, '<TemplateId>Blank', 'Content/TemplateId'],
    [
      'section without type',
      /<Section xsi:type="ovf:SnapshotsSection_Type">/,
      '<Section>',
      'Content/Section/@xsi:type',
    ],
    ['content without type', / xsi:type="ovf:VirtualSystem_Type"/, '', 'Content/@xsi:type'],
    ['no id of the VM', / ovf:id="6fa459ea[^"]*"/, '', 'Content/Section[OperatingSystemSection_Type]/@ovf:id'],
    ['an id that is none', /ovf:id="6fa459ea[^"]*"/, 'ovf:id="HostedEngine"', 'the VM id'],
    ['item without resource type', /<rasd:ResourceType>23<\/rasd:ResourceType>/, '', 'Item/rasd:ResourceType'],
    ['no USB policy', /<rasd:UsbPolicy>DISABLED<\/rasd:UsbPolicy>/, '', 'Item[23]/rasd:UsbPolicy'],
    ['other without type', /<Type>channel<\/Type>/, '', 'Item[0]/Type'],
    ['disk without resource', /<rasd:HostResource>.*?<\/rasd:HostResource>/, '', 'Item[17]/rasd:HostResource'],
    ['disk without parent', /<rasd:Parent>.*?<\/rasd:Parent>/, '', 'Item[17]/rasd:Parent'],
    ['nic without network', /<rasd:Connection>.*?<\/rasd:Connection>/, '', 'Item[10]/rasd:Connection'],
    ['memory in words', /<rasd:VirtualQuantity>16384/, '<rasd:VirtualQuantity>16 GiB', 'Item[4]/rasd:VirtualQuantity'],
    ['no memory', /<rasd:VirtualQuantity>16384<\/rasd:VirtualQuantity>/, '', 'Item[4]/rasd:VirtualQuantity'],
    ['boot order in words', /<BootOrder>0/, '<BootOrder>first', 'Item[17]/BootOrder'],
    ['origin in words', /<Origin>6/, '<Origin>managed', 'Content/Origin'],
    ['resume behaviour unknown', /AUTO_RESUME/, 'auto_resume', 'Content/ResumeBehavior'],
    ['snapshot type unknown', /<Type>ACTIVE/, '<Type>Active', 'Snapshot/Type'],
    ['snapshot without date', /(<Snapshot.*?)<CreationDate>.*?<\/CreationDate>/, '$1', 'Snapshot/CreationDate'],
  ])('%s', (_, pattern, replacement, key) => {
    const broken = O42.replace(pattern, replacement);
    expect(broken).not.toBe(O42);
    expect(validateForImport(broken).map((problem) => problem.key)).toEqual([key]);
  });

  test('no CPU, no content, no XML', () => {
    expect(validateForImport(O42.replace('ResourceType>3<', 'ResourceType>98<')).map(({ key }) => key)).toEqual([
      'Item[3]',
    ]);
    expect(
      validateForImport(O42.replaceAll('Content>', 'C>').replace('<Content ', '<C ')).map(({ key }) => key),
    ).toEqual(['Content']);
    expect(validateForImport('vmId=x')).toHaveLength(1);
  });
});

test('damaged OVFs give results, never exceptions', () => {
  fc.assert(
    fc.property(mutations(O42), (ovf) => {
      expect(Array.isArray(validateForImport(ovf))).toBe(true);
      expect(typeof describeOvf(ovf).ok).toBe('boolean');
    }),
    { numRuns: 200 },
  );
});
