import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type OvfStoreCopy,
  buildOvfStoreArchive,
  chooseOvfStore,
  formatOvfStoreDescription,
  parseOvfStoreDescription,
  readOvfStoreArchive,
} from './ovf-store-archive.ts';
import { javaDate, parseJavaDate } from './ovf-store-description.ts';

const DOMAIN = '3f6f0ce2-7d51-4a3b-8c1c-2f9a1b0c7d03';
const VM = '7d1b6c0a-8e5f-4f3d-9a2c-0b1c2d3e4f50';
const OTHER = '8d1b6c0a-8e5f-4f3d-9a2c-0b1c2d3e4f51';
const AT = new Date('2020-07-01T11:43:07Z');

function ovf(vmId = VM, generation = 1): string {
  const items =
    '<Item><rasd:ResourceType>3</rasd:ResourceType><rasd:num_of_sockets>1</rasd:num_of_sockets></Item><Item><rasd:ResourceType>4</rasd:ResourceType><rasd:VirtualQuantity>1024</rasd:VirtualQuantity></Item>';
  return `<ovf:Envelope xmlns:ovf="o" xmlns:rasd="r" xmlns:xsi="x"><Content><Name>n</Name><Generation>${generation}</Generation><Section ovf:id="${vmId}" xsi:type="ovf:OperatingSystemSection_Type"/><Section>${items}</Section></Content></ovf:Envelope>`;
}

async function archive(ovfs: readonly (readonly [string, string])[] = [[VM, ovf()]]): Promise<Buffer> {
  return buildOvfStoreArchive({ updatedAt: AT, domainId: DOMAIN, ovfs: new Map(ovfs), vmStatus: { [VM]: 1 } });
}

describe('the archive', () => {
  test('is a tar of info.json, the OVFs and metadata.json, the same bytes for the same input', async () => {
    const bytes = await archive([
      [VM, ovf()],
      [OTHER, 'größer'],
    ]);
    expect(bytes.length % 512).toBe(0);
    expect(bytes.toString('latin1', 0, 10)).toBe('info.json\0');
    expect(bytes.toString('latin1', 257, 262)).toBe('ustar');
    expect(
      await archive([
        [VM, ovf()],
        [OTHER, 'größer'],
      ]),
    ).toEqual(bytes);
    const read = await readOvfStoreArchive(bytes);
    if (!read.ok) throw new Error(read.problem);
    expect([...read.ovfs]).toEqual([
      [VM, ovf()],
      [OTHER, 'größer'],
    ]);
    expect(JSON.parse(read.info ?? '')).toEqual({
      'Last Updated': 'Wed Jul 01 11:43:07 UTC 2020',
      'Storage Domains': [{ uuid: DOMAIN }],
    });
    expect(JSON.parse(read.metadata ?? '')).toEqual({ 'VM Status': { [VM]: 1 } });
  });

  test('of a volume only the tar counts: zeros or an older, longer tar may follow', async () => {
    const bytes = await archive();
    const older = await archive([[OTHER, 'x'.repeat(9000)]]);
    const volume = Buffer.concat([bytes, older.subarray(bytes.length % older.length), Buffer.alloc(4096)]);
    for (const size of [undefined, bytes.length]) {
      const read = await readOvfStoreArchive(volume, size);
      expect(read.ok && [...read.ovfs.keys()]).toEqual([VM]);
    }
  });

  test('engines that leave out the end marker are read too', async () => {
    const bytes = await archive();
    const read = await readOvfStoreArchive(bytes.subarray(0, bytes.length - 1024));
    expect(read.ok && [...read.ovfs.keys()]).toEqual([VM]);
  });

  test.each([
    ['empty volume', async () => readOvfStoreArchive(Buffer.alloc(8192)), 'empty'],
    ['no bytes', async () => readOvfStoreArchive(Buffer.alloc(0)), 'empty'],
    ['cut off', async () => readOvfStoreArchive((await archive()).subarray(0, 1700)), 'cut off'],
    ['shorter than its size', async () => readOvfStoreArchive(await archive(), 1_000_000), 'should have 1000000 bytes'],
    ['no tar', async () => readOvfStoreArchive(Buffer.alloc(2048, 'x')), 'no tar'],
    [
      'damaged header',
      async () => {
        const bytes = await archive();
        bytes[0] = 0x58;
        return readOvfStoreArchive(bytes);
      },
      'damaged',
    ],
  ])('%s: a reason, no exception', async (_, read, why) => {
    const result = await read();
    expect(result.ok ? 'read' : result.problem).toContain(why);
  });

  test('any bytes give a result, never an exception', async () => {
    const good = await archive();
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 2000 }).map((array) => Buffer.from(array)),
      fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 0, max: 255 })).map(([at, value]) => {
        const copy = Buffer.from(good);
        copy[at] = value;
        return copy;
      }),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (any) => {
        expect(typeof (await readOvfStoreArchive(any)).ok).toBe('boolean');
      }),
      { numRuns: 200 },
    );
  });
});

describe('the description', () => {
  test('has the keys that engine and agents look for, and fits into VDSM’s metadata', () => {
    const text = formatOvfStoreDescription({ updated: true, domainId: DOMAIN, size: 524_288, updatedAt: AT });
    expect(JSON.parse(text)).toEqual({
      Updated: true,
      Size: 524_288,
      'Last Updated': 'Wed Jul 01 11:43:07 UTC 2020',
      'Storage Domains': [{ uuid: DOMAIN }],
      'Disk Description': 'OVF_STORE',
    });
    expect(text.length).toBeLessThanOrEqual(175);
    expect(parseOvfStoreDescription(text)).toEqual({
      updated: true,
      size: 524_288,
      lastUpdated: AT,
      domainIds: [DOMAIN],
    });
  });

  test('before the first update: no size, no date', () => {
    const text = formatOvfStoreDescription({ updated: false, domainId: DOMAIN });
    expect(JSON.parse(text)).toEqual({
      Updated: false,
      'Last Updated': null,
      'Storage Domains': [{ uuid: DOMAIN }],
      'Disk Description': 'OVF_STORE',
    });
    expect(parseOvfStoreDescription(text)).toMatchObject({ updated: false, size: undefined, lastUpdated: undefined });
  });

  test('other volumes, cut text and odd values', () => {
    for (const text of [
      '',
      'hosted_engine',
      '{"DiskAlias":"x"}',
      '"OVF_STORE"',
      'null',
      '[]',
      '{"Disk Description":"OVF_STORE","Upd',
    ]) {
      expect(parseOvfStoreDescription(text)).toBeUndefined();
    }
    const odd =
      '{"Disk Description":"OVF_STORE","Updated":"yes","Size":"20480","Last Updated":5,"Storage Domains":[{"uuid":1},null]}';
    expect(parseOvfStoreDescription(odd)).toEqual({
      updated: false,
      size: 20480,
      lastUpdated: undefined,
      domainIds: [],
    });
  });

  test.each([
    ['Wed Jul 01 11:43:07 UTC 2020', '2020-07-01T11:43:07.000Z'],
    ['Wed Jul 01 11:43:07 IDT 2020', '2020-07-01T08:43:07.000Z'],
    ['Tue Dec 31 20:00:00 EST 2019', '2020-01-01T01:00:00.000Z'],
    ['Wed Jul 01 11:43:07 GMT+05:30 2020', '2020-07-01T06:13:07.000Z'],
    ['Wed Jul 01 11:43:07 XYZ 2020', '2020-07-01T11:43:07.000Z'],
  ])('Java’s date %s', (text, iso) => {
    expect(parseJavaDate(text)?.toISOString()).toBe(iso);
  });

  test('dates come back; text that is none does not', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000 }), (seconds) => {
        const date = new Date(seconds * 1000);
        expect(parseJavaDate(javaDate(date))).toEqual(date);
      }),
    );
    for (const text of ['', '2020-07-01', 'Wed Xyz 01 11:43:07 UTC 2020', 'Wed Jul 01 11:43 UTC 2020'])
      expect(parseJavaDate(text)).toBeUndefined();
  });
});

describe('which of two copies counts', () => {
  async function copy(
    name: string,
    change: Partial<Omit<OvfStoreCopy, 'name'>> & { updated?: boolean; at?: Date },
    content = ovf(),
  ): Promise<OvfStoreCopy> {
    const volume = await archive([[VM, content]]);
    const { updated = true, at = AT, ...rest } = change;
    return {
      name,
      volume,
      description: { updated, size: volume.length, lastUpdated: at, domainIds: [DOMAIN] },
      ...rest,
    };
  }
  const later = new Date(AT.getTime() + 1000);

  async function outcome(...copies: OvfStoreCopy[]) {
    const both = await Promise.all([chooseOvfStore(copies, VM), chooseOvfStore(copies.toReversed(), VM)]);
    // The order of listing must not matter, unlike for the original agent.
    expect(both[1].chosen?.name).toBe(both[0].chosen?.name);
    return {
      chosen: both[0].chosen?.name,
      why: both[0].verdicts.map((verdict) => `${verdict.outcome}: ${verdict.why}`),
    };
  }

  test('the later date wins', async () => {
    const { chosen, why } = await outcome(await copy('a', {}), await copy('b', { at: later }));
    expect(chosen).toBe('b');
    expect(why[0]).toMatch(/^older: .*b is of 2020-07-01T11:43:08/);
  });

  test('at the same second the higher generation wins', async () => {
    expect((await outcome(await copy('a', {}, ovf(VM, 7)), await copy('b', {}, ovf(VM, 6)))).chosen).toBe('a');
  });

  test.each([
    ['an update begun and not finished', { updated: false }, 'not finished'],
    ['unreadable', { volume: undefined }, 'could not be read'],
    ['no archive', { volume: Buffer.alloc(1_000_000) }, 'empty'],
  ])('%s loses although it is later', async (_, change, reason) => {
    const { chosen, why } = await outcome(await copy('good', {}), await copy('bad', { at: later, ...change }));
    expect(chosen).toBe('good');
    expect(why[1]).toContain(reason);
  });

  test('one without this VM, with another VM under its name, or with damaged text loses', async () => {
    const good = await copy('good', {});
    const without = { ...(await copy('without', { at: later })), volume: await archive([[OTHER, ovf(OTHER)]]) };
    const size = without.volume.length;
    const first = await outcome(good, { ...without, description: { ...without.description, size } });
    expect([first.chosen, first.why[1]]).toEqual(['good', `unusable: it has no ${VM}.ovf`]);
    const second = await outcome(good, await copy('foreign', { at: later }, ovf(OTHER)));
    expect([second.chosen, second.why[1]]).toEqual(['good', expect.stringContaining(`of the VM ${OTHER}`)]);
    const third = await outcome(good, await copy('damaged', { at: later }, '<ovf:Envelope>'));
    expect([third.chosen, third.why[1]]).toEqual(['good', expect.stringContaining('cannot be read')]);
  });

  test('none is chosen where none is good, and each says why', async () => {
    const { chosen, why } = await outcome(await copy('a', { updated: false }), await copy('b', { volume: undefined }));
    expect(chosen).toBeUndefined();
    expect(why).toEqual([expect.stringMatching(/^unusable/), expect.stringMatching(/^unusable/)]);
    expect(await chooseOvfStore([], VM)).toEqual({ chosen: undefined, verdicts: [] });
  });
});
