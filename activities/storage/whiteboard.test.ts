import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BLOCK_BYTES,
  type HostBlock,
  extraFields,
  extraText,
  formatGlobalBlock,
  formatHostBlock,
  hostBlockText,
  parseGlobalBlock,
  parseHostBlock,
  parseWhiteboard,
} from './whiteboard.ts';

/** The worked example of ha-agent.md 1.3, CRC included. */
const EXAMPLE =
  '1|1|5021|2|3400|{"vm": "down", "health": "bad", "detail": "unknown", "reason": "vm not running on this host"}|node-b.example.test|0|0|92f07f3f|1|5020';

function block(machine: string, human = ''): Buffer {
  const bytes = Buffer.alloc(BLOCK_BYTES);
  bytes.write(machine, 0, 'utf8');
  bytes.write(human, 512, 'utf8');
  return bytes;
}

function host(bytes: Buffer): HostBlock {
  const reading = parseHostBlock(bytes);
  if (reading.kind !== 'host') throw new Error(JSON.stringify(reading));
  return reading.block;
}

/** The example with fields changed and the checksum as it should be then. */
function changed(fields: Readonly<Record<number, string>>): string {
  const tokens = EXAMPLE.split('|').map((token, index) => fields[index] ?? token);
  const reading = parseHostBlock(block(tokens.join('|')));
  const sum = reading.kind === 'bad' ? /instead of ([0-9a-f]{8})$/.exec(reading.why)?.[1] : undefined;
  return (sum === undefined ? tokens : tokens.with(9, sum)).join('|');
}

describe('the worked example', () => {
  const parsed: HostBlock = {
    hostId: 2,
    hostTs: 5021,
    score: 3400,
    engineStatus: { vm: 'down', health: 'bad', detail: 'unknown', reason: 'vm not running on this host' },
    hostname: 'node-b.example.test',
    localMaintenance: false,
    stopped: false,
    confOnSharedStorage: true,
    localConfTimestamp: 5020,
    extra: '',
  };

  test('is read', () => {
    expect(host(block(EXAMPLE))).toEqual(parsed);
  });

  test('is written byte for byte', () => {
    expect(hostBlockText(parsed)).toBe(EXAMPLE);
    expect(formatHostBlock(parsed)).toEqual({ ok: true, bytes: block(EXAMPLE) });
  });

  test('a thirteenth field is tolerated when the checksum covers it', () => {
    expect(parseHostBlock(block(`${EXAMPLE}|x`)).kind).toBe('bad');
    expect(host(block(changed({ 11: '5020|x' }))).localConfTimestamp).toBe(5020);
  });
});

describe('each slot by itself, with a verdict', () => {
  test.each([
    ['a flipped bit', block(EXAMPLE.replace('3400', '3401')), 'bad-checksum'],
    ['too few fields', block('1|1|5|2|3'), 'too-few-fields'],
    ['no version', block('x|1|5|2|3|{}|h'), 'bad-field'],
    ['a score in words', block(changed({ 4: 'many' })), 'bad-field'],
    ['a timestamp with a point', block(changed({ 2: '5.5' })), 'bad-field'],
    ['a flag of 2', block(changed({ 7: '2' })), 'bad-field'],
    ['a status that is no JSON', block(changed({ 5: 'up' })), 'bad-field'],
    ['a status that is a list', block(changed({ 5: '[]' })), 'bad-field'],
    ['a feature version in words', block(changed({ 1: 'x' })), 'bad-field'],
    ['bytes that are not UTF-8', Buffer.concat([Buffer.from('1|1|\xff', 'latin1'), Buffer.alloc(4091)]), 'not-text'],
    ['half a slot', block(EXAMPLE).subarray(0, 100), 'truncated'],
  ])('%s', (_, bytes, fault) => {
    expect(parseHostBlock(bytes)).toMatchObject({ kind: 'bad', fault });
  });

  test('versions are judged before anything else', () => {
    expect(parseHostBlock(block('2|anything'))).toEqual({ kind: 'too-new', parseVersion: 2 });
    expect(parseHostBlock(block(changed({ 1: '0' })))).toEqual({ kind: 'too-old', featureVersion: 0 });
    expect(parseHostBlock(Buffer.alloc(BLOCK_BYTES))).toEqual({ kind: 'empty' });
  });

  test('old agents wrote seven fields and no checksum', () => {
    const old = host(block('1|1|5|7|2400|{"vm": "up", "health": "good", "detail": "up"}|old.example.test'));
    expect(old).toMatchObject({ hostId: 7, score: 2400, localMaintenance: false });
    expect(Object.keys(old)).not.toContain('confOnSharedStorage');
  });

  test('a broken slot and wide characters leave the others alone', () => {
    const volume = Buffer.concat([
      formatGlobalBlock(true),
      block(changed({ 6: 'hôst-ü' })),
      block('garbage'),
      block(EXAMPLE),
      Buffer.alloc(BLOCK_BYTES),
      block(EXAMPLE).subarray(0, 300),
    ]);
    const { global, hosts } = parseWhiteboard(volume);
    expect(global).toEqual({ maintenance: true, fault: undefined });
    expect([...hosts].map(([id, { kind }]) => [id, kind])).toEqual([
      [1, 'host'],
      [2, 'bad'],
      [3, 'host'],
      [5, 'bad'],
    ]);
  });
});

describe('the global block', () => {
  test.each([
    ['maintenance=1', true],
    ['maintenance=True', true],
    ['maintenance=yes', true],
    ['maintenance=0', false],
    ['maintenance=false', false],
    ['maintenance=No', false],
    ['other=1\nmaintenance=1\n', true],
    ['', undefined],
    ['other=1', undefined],
  ])('%j', (text, maintenance) => {
    expect(parseGlobalBlock(block(text))).toEqual({ maintenance, fault: undefined });
  });

  test('words that nobody defined, and no text, are told', () => {
    expect(parseGlobalBlock(block('maintenance=maybe'))).toMatchObject({
      maintenance: undefined,
      fault: expect.stringContaining('maybe'),
    });
    expect(parseGlobalBlock(block('maintenance='))).toMatchObject({
      maintenance: undefined,
      fault: expect.any(String),
    });
    expect(parseGlobalBlock(Buffer.alloc(BLOCK_BYTES, 0xff)).fault).toContain('not text');
  });

  test('is written as agents write it', () => {
    expect(formatGlobalBlock(false)).toEqual(block('maintenance=0'));
  });
});

describe('writing', () => {
  const good = host(block(EXAMPLE));
  test.each([
    ['a | in the name', { ...good, hostname: 'a|b' }, '|'],
    ['a | in the status', { ...good, engineStatus: { ...good.engineStatus, vm: 'a|b' } }, '|'],
    ['a name that is not ASCII', { ...good, hostname: 'hôst' }, 'ASCII'],
    ['a name that is too long', { ...good, hostname: 'h'.repeat(500) }, 'at most 512'],
    ['too much extra', { ...good, extra: 'x'.repeat(3585) }, 'at most 3584'],
    ['a score that is no whole number', { ...good, score: 0.5 }, 'whole'],
  ])('%s is refused: other agents could not read it', (_, bad, why) => {
    const result = formatHostBlock(bad);
    expect(result.ok ? 'written' : result.why).toContain(why);
  });

  const texts = fc.stringMatching(/^[a-zA-Z0-9 .:-]{0,20}$/);
  const blocks: fc.Arbitrary<HostBlock> = fc.record({
    hostId: fc.integer({ min: 1, max: 2000 }),
    hostTs: fc.nat(),
    score: fc.integer({ min: 0, max: 3400 }),
    engineStatus: fc.record({
      vm: texts,
      health: texts,
      detail: fc.oneof(texts, fc.constant('ü"\\€')),
      reason: fc.constant('r'),
    }),
    hostname: texts,
    localMaintenance: fc.boolean(),
    stopped: fc.boolean(),
    confOnSharedStorage: fc.boolean(),
    localConfTimestamp: fc.nat(),
    extra: texts,
  });

  test('what is written is read back', () => {
    fc.assert(
      fc.property(blocks, (any) => {
        const written = formatHostBlock(any);
        if (!written.ok) throw new Error(written.why);
        expect(written.bytes.length).toBe(BLOCK_BYTES);
        expect(host(written.bytes)).toEqual(any);
      }),
    );
  });

  test('the human part has the state’s name, which stands nowhere else', () => {
    const extra = extraText({
      hostTs: 5021,
      at: new Date('2020-07-01T11:43:07Z'),
      hostId: 2,
      score: 3400,
      localConfTimestamp: 5020,
      confRefreshedAt: new Date('2020-07-01T11:43:06Z'),
      confOnSharedStorage: true,
      state: { state: 'EngineDown', stopped: false, maintenance: false },
    });
    expect(extra.split('\n')).toEqual([
      'metadata_parse_version=1',
      'metadata_feature_version=1',
      'timestamp=5021 (Wed Jul  1 11:43:07 2020)',
      'host-id=2',
      'score=3400',
      'vm_conf_refresh_time=5020 (Wed Jul  1 11:43:06 2020)',
      'conf_on_shared_storage=True',
      'maintenance=False',
      'state=EngineDown',
      'stopped=False',
      '',
    ]);
    expect(extraFields(extra).get('state')).toBe('EngineDown');
  });
});

test('any bytes give a verdict, never an exception', () => {
  const nearly = fc
    .tuple(fc.nat(EXAMPLE.length - 1), fc.string({ maxLength: 3 }))
    .map(([at, insert]) => block(EXAMPLE.slice(0, at) + insert + EXAMPLE.slice(at + 1)));
  const bytes = fc.oneof(
    nearly,
    fc.uint8Array({ maxLength: 600 }).map((array) => Buffer.from(array)),
  );
  fc.assert(
    fc.property(bytes, (any) => {
      expect(typeof parseHostBlock(any).kind).toBe('string');
      expect(typeof parseGlobalBlock(any)).toBe('object');
    }),
    { numRuns: 500 },
  );
});
