import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CONFIGURATION_BYTES,
  CONFIGURATION_MEMBERS,
  type Configuration,
  buildConfigurationArchive,
  readConfigurationArchive,
  withMembers,
} from './configuration-archive.ts';
import { packTar, unpackTar } from './tar.ts';

const FILES: Configuration = {
  version: '2.4.5\n',
  'fhanswers.conf': '[environment:default]\nOVEHOSTED_VM/vmMemSizeMB=str:16384\n',
  'hosted-engine.conf': 'fqdn=engine.example.test\nhost_id=1\n',
  'broker.conf': '[email]\nsmtp-server = localhost\n',
  'vm.conf': 'vmId=7d1b6c0a-8e5f-4f3d-9a2c-0b1c2d3e4f50\n',
};

async function built(files: Configuration = FILES): Promise<Buffer> {
  const result = await buildConfigurationArchive(files);
  if (!result.ok) throw new Error(result.problem);
  return result.bytes;
}

test('exactly 20480 bytes, the same each time, that any tar reads', async () => {
  const bytes = await built();
  expect(bytes.length).toBe(CONFIGURATION_BYTES);
  expect(await built()).toEqual(bytes);
  const listed = execFileSync('tar', ['-tf', '-'], { input: bytes, encoding: 'utf8' });
  expect(listed.trim().split('\n')).toEqual([...CONFIGURATION_MEMBERS]);
  expect(execFileSync('tar', ['-xOf', '-', 'vm.conf'], { input: bytes, encoding: 'utf8' })).toBe(FILES['vm.conf']);
});

test('is read back, from the whole volume too, with the times of its members', async () => {
  const writtenAt = new Date('2020-07-01T11:43:07Z');
  const result = await buildConfigurationArchive(FILES, { 'vm.conf': writtenAt });
  if (!result.ok) throw new Error(result.problem);
  const read = await readConfigurationArchive(Buffer.concat([result.bytes, Buffer.alloc(100_000, 0xff)]));
  if (!read.ok) throw new Error(read.problem);
  expect(read.members).toEqual(FILES);
  expect(read.writtenAt['vm.conf']).toEqual(writtenAt);
});

test('GNU tar’s archives are read, as deployments make them with ./ before the names', async () => {
  const packed = await packTar(CONFIGURATION_MEMBERS.map((name) => ({ name: `./${name}`, content: FILES[name] })));
  const read = await readConfigurationArchive(packed);
  expect(read.ok && read.members).toEqual(FILES);
});

test('what does not fit is refused, by name of the largest file', async () => {
  const result = await buildConfigurationArchive({ ...FILES, 'vm.conf': 'x'.repeat(18_000) });
  expect(result.ok ? 'built' : result.problem).toContain('vm.conf');
});

describe('a damaged volume: a reason, no exception', () => {
  test.each([
    ['nothing written yet', async () => Buffer.alloc(CONFIGURATION_BYTES), 'empty'],
    ['another file', async () => Buffer.alloc(CONFIGURATION_BYTES, '#'), 'no tar'],
    ['cut in the middle', async () => (await built()).subarray(0, 1200), 'cut off'],
    [
      'members missing',
      async () => packTar([{ name: 'version', content: '1' }]),
      'no fhanswers.conf, no hosted-engine.conf',
    ],
  ])('%s', async (_, bytes, problem) => {
    const read = await readConfigurationArchive(await bytes());
    expect(read.ok ? 'read' : read.problem).toContain(problem);
  });

  test('any text fits through unchanged', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ maxLength: 2000, unit: 'grapheme' }), async (text) => {
        const read = await readConfigurationArchive(await built({ ...FILES, 'broker.conf': text }));
        expect(read.ok && read.members['broker.conf']).toBe(text);
      }),
      { numRuns: 30 },
    );
  });
});

describe('one file replaced', () => {
  const at = new Date('2026-01-02T03:04:05Z');
  const change = (content: Buffer) => new Map([['vm.conf' as const, { content, writtenAt: at }]]);

  async function replaced(volume: Buffer, content: Buffer): Promise<Buffer> {
    const result = await withMembers(volume, change(content));
    if (!result.ok) throw new Error(result.problem);
    return result.bytes;
  }

  test('the others stay to the byte, text or not, with their times; any tar reads it', async () => {
    const odd = { name: 'odd', content: Buffer.from([0, 255, 10]), writtenAt: new Date('2019-01-01T00:00:00Z') };
    const packed = await packTar([...CONFIGURATION_MEMBERS.map((name) => ({ name, content: FILES[name] })), odd]);
    const bytes = await replaced(packed, Buffer.from('vmId=new\n'));
    expect(bytes.length).toBe(CONFIGURATION_BYTES);
    const [before, after] = [await unpackTar(packed), await unpackTar(bytes)];
    if (!before.ok || !after.ok) throw new Error('no tar');
    expect([...after.members.keys()]).toEqual([...CONFIGURATION_MEMBERS, 'odd']);
    for (const [name, member] of before.members)
      if (name !== 'vm.conf') expect(after.members.get(name)).toEqual(member);
    expect(after.members.get('vm.conf')).toEqual({ content: Buffer.from('vmId=new\n'), writtenAt: at });
    expect(execFileSync('tar', ['-xOf', '-', 'vm.conf'], { input: bytes, encoding: 'utf8' })).toBe('vmId=new\n');
  });

  test('what does not fit, or is no archive, is refused with a reason', async () => {
    const result = await withMembers(await built(), change(Buffer.alloc(19_000, 'x')));
    expect(result.ok ? 'built' : result.problem).toContain('20480 fit');
    for (const volume of [Buffer.alloc(0), Buffer.alloc(CONFIGURATION_BYTES), Buffer.alloc(600, '#')])
      expect((await withMembers(volume, change(Buffer.from('x')))).ok).toBe(false);
  });

  test('any bytes go round, and putting the old file back gives the old archive', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), async (raw) => {
        const content = Buffer.from(raw);
        const old = await built();
        const bytes = await replaced(old, content);
        const read = await unpackTar(bytes);
        expect(read.ok && read.members.get('vm.conf')?.content.equals(content)).toBe(true);
        const back = await withMembers(
          bytes,
          new Map([['vm.conf', { content: Buffer.from(FILES['vm.conf']), writtenAt: new Date(0) }]]),
        );
        expect(back.ok && back.bytes.equals(old)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test('no damage makes it throw', async () => {
    const whole = await built();
    await fc.assert(
      fc.asyncProperty(
        fc.nat(CONFIGURATION_BYTES - 1),
        fc.nat(255),
        fc.nat(CONFIGURATION_BYTES),
        async (at, byte, length) => {
          const volume = Buffer.from(whole.subarray(0, length));
          if (at < volume.length) volume[at] = byte;
          const result = await withMembers(volume, change(Buffer.from('vmId=new\n')));
          expect(result.ok ? result.bytes.length : result.problem.length).toBeGreaterThan(0);
        },
      ),
      { numRuns: 100 },
    );
  });
});
