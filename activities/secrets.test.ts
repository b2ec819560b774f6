import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { secretsIn } from './secrets.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'bellwether-test-'));
  writeFileSync(join(dir, 'root'), 'open sesame\n');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('a secret is its file’s text without the last line break', async () => {
  expect(await secretsIn(dir).read('root')).toBe('open sesame');
});

test.each([
  ['none', 'there is no such file'],
  ['../root', 'no name of a secret'],
  ['.hidden', 'no name of a secret'],
])('%s is told apart: %s', async (name, why) => {
  await expect(secretsIn(dir).read(name)).rejects.toThrow(why);
});

test('without a folder the variable is named', async () => {
  await expect(secretsIn(undefined).read('root')).rejects.toThrow('BELLWETHER_SECRETS_DIR');
});
