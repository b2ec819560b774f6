import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CONFIGURATION_BYTES,
  CONFIGURATION_MEMBERS,
  type Configuration,
  buildConfigurationArchive,
  readConfigurationArchive,
} from './configuration-archive.ts';
import { packTar } from './tar.ts';

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
