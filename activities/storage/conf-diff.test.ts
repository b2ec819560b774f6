import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diffConf } from './conf-diff.ts';

test('a changed, a new and a lost key are told in words', () => {
  expect(diffConf('memSize=8192\nsmp=4\nold=1\n', 'memSize=16384\nsmp=4\nnew=\n')).toEqual([
    'memSize: 8192 now, 16384 in the backup',
    'old: 1 now, not in the backup',
    'new: empty in the backup, not there now',
  ]);
});

test('of keys that stand several times only the lines that differ are told', () => {
  const now = 'devices={a:1}\ndevices={b:2}\ndevices={b:2}\n';
  expect(diffConf(now, 'devices={b:2}\ndevices={a:1}\ndevices={b:2}\n')).toEqual([
    'only blanks, comments or the order of lines differ',
  ]);
  expect(diffConf(now, 'devices={a:1}\ndevices={b:2}\n')).toEqual(['devices: {b:2} now, not in the backup']);
});

test('secrets are never shown, long values are cut', () => {
  const lines = diffConf(
    'password=hunter2\nOVEHOSTED/adminPassword=str:a\n',
    `password=other\nOVEHOSTED/adminPassword=str:b\nxml=${'x'.repeat(500)}\n`,
  );
  expect(lines.slice(0, 2)).toEqual([
    'password: differs (secret, not shown)',
    'OVEHOSTED/adminPassword: differs (secret, not shown)',
  ]);
  expect(lines[2]).toContain('(500 characters)');
  expect(lines.join()).not.toMatch(/hunter2|str:a/);
});

describe('for any two texts', () => {
  const line = fc.oneof(fc.constantFrom('a=1', 'a=2', 'b=', '# c', '', 'devices={x:1}'), fc.string({ maxLength: 12 }));
  const text = fc.array(line, { maxLength: 8 }).map((lines) => lines.join('\n'));

  test('nothing is told of equal ones, something of others', () => {
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(diffConf(a, a)).toEqual([]);
        if (a !== b) expect(diffConf(a, b).length).toBeGreaterThan(0);
      }),
    );
  });
});
