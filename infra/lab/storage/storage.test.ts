import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readlinkSync,
  readSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { XMLParser } from 'fast-xml-parser';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { testFixture } from '../vdsm/lab-for-tests.ts';
import { formatDomainMetadata, newDomainMetadata, parseDomainMetadata } from './domain-metadata.ts';
import {
  createLabStorage,
  formatHostBlock,
  type HostBlock,
  importVms,
  LabStorage,
  parseHostBlock,
  unpackTar,
} from './index.ts';
import { formatVolumeMetadata, parseVolumeMetadata } from './volume-metadata.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lab-storage-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

/** The volumes are sparse and large: never read a whole one. */
function head(path: string, length: number): Buffer {
  const file = openSync(path, 'r');
  const bytes = Buffer.alloc(length);
  readSync(file, bytes, 0, length, 0);
  closeSync(file);
  return bytes;
}

describe('layout', () => {
  it('lays three domains out as VDSM does; only the master is attached', async () => {
    const fixture = testFixture(dir);
    const storage = await createLabStorage(fixture);
    const domains = new Map(storage.domains().map((domain) => [domain.id, domain]));
    expect(domains.size).toBe(3);
    const master = domains.get(fixture.masterDomain.id);
    expect(master?.metadata).toMatchObject({
      role: 'Master',
      pools: [fixture.dataCenter.id],
      name: 'data1',
      version: 5,
    });
    expect(domains.get(fixture.heDomain.id)?.metadata.pools).toEqual([]);
    expect(master?.dir).toBe(
      join(dir, 'rhev/data-center/mnt/storage.example.test:_exports_data__1', fixture.masterDomain.id),
    );
    for (const name of ['metadata', 'ids', 'leases', 'inbox', 'outbox', 'xleases']) {
      expect(existsSync(join(master?.dir ?? '', 'dom_md', name))).toBe(true);
    }
    expect(existsSync(join(master?.dir ?? '', '..', '__DIRECT_IO_TEST__'))).toBe(true);
  });

  it('has the four hosted-engine disks, sparse, with their kinds and descriptions', async () => {
    const fixture = testFixture(dir);
    const storage = await createLabStorage(fixture);
    const byKind = new Map(storage.volumes(fixture.heDomain.id).map((file) => [file.metadata?.disktype, file]));
    expect(new Set(byKind.keys())).toEqual(new Set(['HECI', 'HEMD', 'HESD', 'HEVD']));
    expect(byKind.get('HEVD')?.apparentSize).toBe(fixture.heDisks.vm.sizeBytes);
    expect(byKind.get('HEVD')?.trueSize).toBeLessThan(1024 * 1024);
    expect(byKind.get('HECI')?.metadata?.description).toBe('HostedEngineConfigurationImage');
    expect(byKind.get('HEMD')?.path).toBe(storage.metadataPath);
    expect(statSync(storage.metadataPath).size).toBe(128 * 1024 * 1024);
    const link = join(storage.domain(fixture.heDomain.id).dir, 'ha_agent', 'hosted-engine.metadata');
    expect(head(link, 13).toString()).toBe('maintenance=0');
    expect(readlinkSync(link)).not.toMatch(/^\//);
  });

  it('has the configuration archive of exactly 20480 bytes with true ids', async () => {
    const fixture = testFixture(dir);
    const storage = await createLabStorage(fixture);
    const bytes = head(storage.configurationPath, 20_480);
    const members = await unpackTar(bytes);
    expect([...members.keys()]).toEqual(['version', 'fhanswers.conf', 'hosted-engine.conf', 'broker.conf', 'vm.conf']);
    expect(members.get('vm.conf')?.toString()).toBe(fixture.vmConf);
    const conf = members.get('hosted-engine.conf')?.toString();
    expect(conf).toContain(`sdUUID=${fixture.heDomain.id}\n`);
    expect(conf).toContain(`metadata_volume_UUID=${fixture.heDisks.metadata.volume}\n`);
    expect(conf).toContain(`storage=storage.example.test:/exports/he\n`);
  });

  it('refuses a vm.conf that does not fit into the archive', async () => {
    const fixture = testFixture(dir, { vmConf: 'x'.repeat(20_000) });
    await expect(createLabStorage(fixture)).rejects.toThrow(RangeError);
  });

  it('managed: the domain is attached and both OVF_STORE copies hold the engine VM', async () => {
    const fixture = testFixture(dir, { managed: true });
    await expect(createLabStorage(fixture)).rejects.toThrow(TypeError);
    const storage = await createLabStorage(fixture, { managedOvf: '<ovf>ü</ovf>' });
    const stores = await storage.readOvfStores(fixture.heDomain.id);
    expect(stores).toHaveLength(2);
    for (const store of stores) {
      expect(store.description.updated).toBe(true);
      expect(store.ovfs.get(fixture.vm.id)).toBe('<ovf>ü</ovf>');
    }
    expect(storage.domain(fixture.heDomain.id).metadata.pools).toEqual([fixture.dataCenter.id]);
  });

  it('the import domain offers two VMs with a readable OVF and a disk each', async () => {
    const fixture = testFixture(dir);
    const storage = await createLabStorage(fixture);
    const [store] = await storage.readOvfStores(fixture.importDomain.id);
    for (const vm of importVms(fixture)) {
      const xml = store?.ovfs.get(vm.id) ?? '';
      const parsed = new XMLParser({ ignoreAttributes: false }).parse(xml) as Record<string, Record<string, unknown>>;
      const content = parsed['ovf:Envelope']?.['Content'] as { Name: string; Section: Record<string, string>[] };
      expect(content.Name).toBe(vm.name);
      expect(content.Section[0]?.['@_ovf:id']).toBe(vm.id);
      expect(storage.volume(fixture.importDomain.id, vm.disk.image, vm.disk.volume)?.apparentSize).toBe(1024 ** 3);
    }
  });
});

describe('OVF_STORE', () => {
  it('another process sees what was written; a damaged copy reads as empty', async () => {
    const fixture = testFixture(dir);
    const storage = await createLabStorage(fixture);
    const id = fixture.masterDomain.id;
    await storage.writeOvfStores(id, new Map([['vm-1', '<a/>']]), new Date('2020-07-01T11:43:07Z'));
    const [first, second] = await LabStorage.open(fixture).readOvfStores(id);
    expect(first?.volume.metadata?.description).toContain('"Last Updated":"Wed Jul 01 11:43:07 UTC 2020"');
    expect(first?.volume.metadata?.description.length).toBeLessThanOrEqual(210);
    expect(first?.description.lastUpdated?.toISOString()).toBe('2020-07-01T11:43:07.000Z');
    expect(second?.ovfs).toEqual(new Map([['vm-1', '<a/>']]));
    writeFileSync(first?.volume.path ?? '', 'rubbish'.repeat(1000));
    const [damaged] = await storage.readOvfStores(id);
    expect(damaged?.ovfs.size).toBe(0);
  });

  it('tar and readers of the system understand it', async () => {
    const fixture = testFixture(dir);
    const storage = await createLabStorage(fixture);
    const [store] = await storage.readOvfStores(fixture.importDomain.id);
    const { execFileSync } = await import('node:child_process');
    const listing = execFileSync('tar', ['-tf', store?.volume.path ?? ''], { encoding: 'utf8' })
      .trim()
      .split('\n');
    expect(listing[0]).toBe('info.json');
    expect(listing.at(-1)).toBe('metadata.json');
    expect(listing).toHaveLength(4);
  });
});

describe('formats', () => {
  it('domain metadata: round trip, unknown keys kept, a broken checksum hides the domain', () => {
    const written = formatDomainMetadata(newDomainMetadata({ uuid: 'u', name: 'n', remotePath: 's:/p' }));
    expect(written).toMatch(/^ALIGNMENT=1048576\nBLOCK_SIZE=512\nCLASS=Data\n/);
    expect(parseDomainMetadata(written)).toMatchObject({ uuid: 'u', name: 'n', remotePath: 's:/p', pools: [] });
    expect(parseDomainMetadata(written.replace('DESCRIPTION=n', 'DESCRIPTION=m'))).toBeUndefined();
  });

  it('volume metadata: round trip for any description without line ends', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), fc.nat(), (text, capacity) => {
        const description = text.replace(/[\n\r\0]/g, '').trim();
        const volume = {
          domain: 'd',
          image: 'i',
          parent: 'p',
          capacity,
          format: 'RAW',
          type: 'SPARSE',
          voltype: 'LEAF',
          disktype: 'DATA',
          description,
          legality: 'LEGAL',
          ctime: 1,
          generation: 0,
          sequence: 0,
        };
        expect(parseVolumeMetadata(formatVolumeMetadata(volume))).toEqual(volume);
      }),
    );
    expect(parseVolumeMetadata('CAP=1\nEOF\n')).toBeUndefined();
  });

  const block: HostBlock = {
    timestamp: 5021,
    hostId: 2,
    score: 3400,
    engineStatus: { vm: 'down', health: 'bad', detail: 'unknown', reason: 'vm not running on this host' },
    hostname: 'node-b.example.test',
    localMaintenance: false,
    stopped: false,
    confTimestamp: 5020,
    state: 'EngineDown',
  };

  it('host block: byte for byte the worked example of ha-agent.md 1.3', () => {
    const bytes = formatHostBlock(block, new Date());
    expect(bytes.length).toBe(4096);
    expect(bytes.toString('utf8', 0, 512).replace(/\0+$/, '')).toBe(
      '1|1|5021|2|3400|{"vm": "down", "health": "bad", "detail": "unknown", "reason": "vm not running on this host"}|node-b.example.test|0|0|92f07f3f|1|5020',
    );
    expect(parseHostBlock(bytes)).toEqual(block);
  });

  it('host block: any flipped byte of the machine part is noticed', () => {
    const good = formatHostBlock(block, new Date());
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 148 }), fc.integer({ min: 1, max: 127 }), (at, mask) => {
        const bytes = Buffer.from(good);
        bytes[at] = (bytes[at] ?? 0) ^ mask;
        let parsed: HostBlock | undefined;
        try {
          parsed = parseHostBlock(bytes);
        } catch {
          parsed = undefined;
        }
        expect(parsed).toBeUndefined();
      }),
    );
  });
});
