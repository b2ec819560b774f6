import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { importVmOvf, importVms } from '../../storage/index.ts';
import { testFixture } from '../../vdsm/lab-for-tests.ts';
import { startTestEngine } from '../testing.ts';
import { identifyOvf, OvfUnreadable, readOvf } from './reader.ts';

async function engineOvf(): Promise<string> {
  const lab = await startTestEngine({ managed: true });
  try {
    const vm = await lab.api('GET', `/vms/${lab.fixture.vm.id}?all_content=true`);
    const { initialization } = vm.json as { initialization: { configuration: { data: string } } };
    return initialization.configuration.data;
  } finally {
    await lab.close();
  }
}

const GOOD = await engineOvf();

describe('an OVF the engine wrote', () => {
  it('is read back with everything it says', () => {
    const ovf = readOvf(GOOD);
    expect(ovf).toMatchObject({
      name: 'HostedEngine',
      memoryMb: 4096,
      sockets: 2,
      cores: 1,
      maxVcpus: 8,
      os: 'other_linux',
    });
    expect(ovf.disks).toMatchObject([
      { format: 'raw', sparse: true, interface: 'virtio', boot: true, alias: 'he_virtio_disk' },
    ]);
    expect(ovf.nics).toMatchObject([
      { mac: '00:16:3e:7f:10:aa', network: 'ovirtmgmt', profile: 'ovirtmgmt', model: 3 },
    ]);
    expect(ovf.content).toMatchObject({
      Origin: '6',
      DeleteProtected: 'true',
      MaxMemorySizeMb: '16384',
      CustomEmulatedMachine: 'pc-q35-rhel8.6.0',
    });
    expect(ovf.items.map((item) => item['Type'])).toContain('rng');
    expect(identifyOvf(GOOD)).toEqual({ id: ovf.id, name: 'HostedEngine' });
  });

  it('carries the literal prefixes that readers look for', () => {
    expect(GOOD).toMatch(/<ovf:Envelope [^>]*xmlns:ovf="http:\/\/schemas.dmtf.org\/ovf\/envelope\/1\/"/);
    expect(GOOD).toMatch(/<Content ovf:id="out" xsi:type="ovf:VirtualSystem_Type">/);
    expect(GOOD).toContain('<rasd:ResourceType>17</rasd:ResourceType>');
    expect(GOOD).not.toMatch(/xmlns=""/);
  });
});

describe('what the reader cannot do without', () => {
  it.each([
    ['ovf:version', (x: string) => x.replace(/(<ovf:Envelope [^>]*)ovf:version="[^"]*"/, '$1')],
    ['ovf:description', (x: string) => x.replace(/ ovf:description="[^"]*"/, '')],
    ['ovf:href', (x: string) => x.replace(/ ovf:href="[^"]*"/, '')],
    ['ovf:diskId', (x: string) => x.replace(/ ovf:diskId="[^"]*"/, '')],
    ['Content', (x: string) => x.replaceAll('Content', 'Contents')],
    ['TemplateId', (x: string) => x.replace(/<TemplateId>.*?<\/TemplateId>/, '')],
    ['ovf:id', (x: string) => x.replace(/(<Section) ovf:id="[^"]*"/, '$1')],
    ['xsi:type', (x: string) => x.replace(/(<Content.*)(<Section) xsi:type="[^"]*"/s, '$1$2')],
    ['ResourceType', (x: string) => x.replace('<rasd:ResourceType>10</rasd:ResourceType>', '')],
    [
      'memory item',
      (x: string) => x.replace(/(ResourceType>4<.*?)<rasd:VirtualQuantity>\d+<\/rasd:VirtualQuantity>/s, '$1'),
    ],
    ['not a number', (x: string) => x.replace('<rasd:num_of_sockets>2<', '<rasd:num_of_sockets>two<')],
    ['rasd:HostResource', (x: string) => x.replace(/<rasd:HostResource>.*?<\/rasd:HostResource>/, '')],
    ['rasd:Parent', (x: string) => x.replace(/<rasd:Parent>.*?<\/rasd:Parent>/, '')],
    ['rasd:Connection', (x: string) => x.replace(/<rasd:Connection>.*?<\/rasd:Connection>/, '')],
    ['volume-format', (x: string) => x.replace('"RAW"', '"raw"')],
    ['no Type', (x: string) => x.replace('<Type>rng</Type>', '')],
    ['document types', (x: string) => x.replace('<ovf:Envelope', '<!DOCTYPE a><ovf:Envelope')],
    ['not well formed', (x: string) => x.slice(0, -10)],
  ])('%s', (named, spoil) => {
    const spoilt = spoil(GOOD);
    expect(spoilt).not.toBe(GOOD);
    expect(() => readOvf(spoilt)).toThrow(OvfUnreadable);
    expect(() => readOvf(spoilt)).toThrow(named);
  });

  it('fails in its own way on any damage', () => {
    fc.assert(
      fc.property(fc.nat(GOOD.length), fc.nat(40), fc.string({ maxLength: 5 }), (from, count, put) => {
        try {
          readOvf(GOOD.slice(0, from) + put + GOOD.slice(from + count));
        } catch (error) {
          expect(error).toBeInstanceOf(OvfUnreadable);
        }
      }),
      { numRuns: 200 },
    );
  });
});

it('reads the OVFs of the import domain', () => {
  const fixture = testFixture('/nonexistent');
  for (const vm of importVms(fixture)) expect(readOvf(importVmOvf(vm, fixture, new Date())).disks).toHaveLength(1);
});
