import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CounterpartError } from '../errors.ts';
import { sha256 } from '../ids.ts';
import { encodePart } from './keys.ts';
import {
  type Manifest,
  backupFolder,
  entryKey,
  formatManifest,
  manifestKey,
  parseManifest,
  verifyManifest,
} from './manifest.ts';

const FOLDER = backupFolder('Default', 'upgrade/Default/CHG0001234', 'before');

function entry(name: string, content: string) {
  const digest = sha256(content);
  return { name, key: entryKey(FOLDER, name, digest), bytes: Buffer.byteLength(content), sha256: digest };
}

const MANIFEST: Manifest = {
  version: 1,
  operation: 'upgrade/Default/CHG0001234',
  cluster: 'Default',
  phase: 'before',
  takenAt: '2026-11-21T14:00:00.000Z',
  entries: [entry('ha-metadata.bin', 'slots'), entry('vm.conf', 'vmId=1\n')],
};

describe('keys', () => {
  it('are readable', () => {
    expect(FOLDER).toBe('Default/upgrade!2fDefault!2fCHG0001234/before');
    expect(entryKey(FOLDER, 'vm.conf', sha256('x'))).toBe(`${FOLDER}/vm-${sha256('x').slice(0, 12)}.conf`);
    expect(entryKey(FOLDER, 'README', sha256('x'))).toBe(`${FOLDER}/README-${sha256('x').slice(0, 12)}`);
    expect(manifestKey(FOLDER)).toBe(`${FOLDER}/manifest.json`);
  });

  const decode = (part: string) => decodeURIComponent(part.replace(/!([0-9a-f]{2})/g, '%$1'));

  it('are safe everywhere, and two names never meet', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }), (text) => {
        const part = encodePart(text);
        expect(part).toMatch(/^[0-9A-Za-z_!-][0-9A-Za-z_.!-]*$/);
        expect(decode(part)).toBe(text);
      }),
    );
  });

  it('refuse what can be no file name', () => {
    for (const name of ['', 'x'.repeat(256), 'ü'.repeat(50)]) expect(() => encodePart(name)).toThrow(CounterpartError);
  });
});

describe('a manifest', () => {
  it('comes back as it was, whatever the order of its entries', () => {
    const bytes = formatManifest(MANIFEST);
    expect(parseManifest('k', bytes)).toEqual(MANIFEST);
    expect(formatManifest({ ...MANIFEST, entries: MANIFEST.entries.toReversed() })).toEqual(bytes);
  });

  it.each<[string, Partial<Record<keyof Manifest, unknown>>, string]>([
    ['of another version', { version: 2 }, 'version'],
    ['of no phase', { phase: 'meanwhile' }, 'phase'],
    ['of no time', { takenAt: 'today' }, 'takenAt'],
    ['of no operation', { operation: '' }, 'operation'],
    ['without entries', { entries: undefined }, 'entries'],
    ['with a wrong size', { entries: [{ ...entry('a', 'x'), bytes: -1 }] }, 'entries.0.bytes'],
    ['with a wrong hash', { entries: [{ ...entry('a', 'x'), sha256: 'AB' }] }, 'entries.0.sha256'],
    ['with a name twice', { entries: [entry('a', 'x'), entry('a', 'y')] }, 'two entries are named a'],
    ['with a key elsewhere', { entries: [{ ...entry('a', 'x'), key: 'Other/op/before/a' }] }, 'outside of'],
    ['with a key one up', { entries: [{ ...entry('a', 'x'), key: `${FOLDER}-2/a` }] }, 'outside of'],
    ['with itself', { entries: [{ ...entry('a', 'x'), key: manifestKey(FOLDER) }] }, 'where the manifest does'],
  ])('%s is refused with its place', (_name, change, why) => {
    const bytes = Buffer.from(JSON.stringify({ ...MANIFEST, ...change }));
    expect(() => parseManifest('some/key', bytes)).toThrow(why);
    expect(() => parseManifest('some/key', bytes)).toThrow('some/key');
  });

  it('says what the backup lacks, and nothing of it when it lacks nothing', () => {
    const notTaken = [{ name: 'engine-vm.json', why: 'the engine does not answer' }];
    expect(parseManifest('k', formatManifest({ ...MANIFEST, notTaken }))).toEqual({ ...MANIFEST, notTaken });
    expect(formatManifest({ ...MANIFEST, notTaken: [] })).toEqual(formatManifest(MANIFEST));
  });

  it('is not written when it could not be read', () => {
    expect(() => formatManifest({ ...MANIFEST, entries: [entry('a', 'x'), entry('a', 'y')] })).toThrow('two entries');
  });

  it('never makes the reader throw anything else', () => {
    const text = fc.oneof(fc.json(), fc.string());
    const bytes = fc.oneof(
      text.map((one) => Buffer.from(one)),
      fc.uint8Array(),
    );
    fc.assert(
      fc.property(bytes, (one) => {
        expect(() => parseManifest('k', one)).toThrow(CounterpartError);
      }),
    );
  });
});

describe('verification', () => {
  const found = MANIFEST.entries.map(({ key, bytes, sha256 }) => ({ key, bytes, sha256 }));

  it('has nothing to say of a whole backup, and of left-overs beside it', () => {
    const extra = { key: `${FOLDER}/vm-000000000000.conf`, bytes: 1, sha256: sha256('z') };
    expect(verifyManifest(MANIFEST, found)).toEqual([]);
    expect(verifyManifest(MANIFEST, [...found, extra])).toEqual([]);
  });

  it('names what is missing, of wrong size, of wrong content', () => {
    const [first, second] = found;
    if (first === undefined || second === undefined) throw new Error('the fixture has two entries');
    expect(verifyManifest(MANIFEST, [second])).toEqual([`ha-metadata.bin: ${first.key} is missing`]);
    expect(verifyManifest(MANIFEST, [{ ...first, bytes: 3 }, second])).toEqual([
      'ha-metadata.bin: 3 bytes instead of 5',
    ]);
    const changed = { ...second, sha256: sha256('other') };
    expect(verifyManifest(MANIFEST, [first, changed])).toEqual([
      `vm.conf: SHA-256 ${sha256('other').slice(0, 12)} instead of ${second.sha256.slice(0, 12)}`,
    ]);
  });
});
