import { assert as check, property, string } from 'fast-check';
import { expect, test } from 'vitest';
import { clock, dateAndClock, plain, table } from './markdown.ts';

test('text from outside is no markup', () => {
  expect(plain('Cannot ${action} <b>the</b> *disk* `x` [y](z) a|b ~~c~~ &amp; \\')).toBe(
    String.raw`Cannot \${action} \<b\>the\</b\> \*disk\* \`x\` \[y\](z) a\|b \~\~c\~\~ \&amp; \\`,
  );
  expect(plain(' one\n\n- two\t three ')).toBe('one - two three');
});

test('underscores are escaped where they could mean something, not inside words', () => {
  expect(plain('not_operational _now_ OVF_STORE')).toBe(String.raw`not_operational \_now\_ OVF_STORE`);
});

test('whatever a cell holds, a row keeps its columns and its line', () => {
  check(
    property(string({ unit: 'grapheme' }), string(), (first, second) => {
      const [, , row = '', ...rest] = table(['a', 'b'], [[plain(first), plain(second)]]);
      expect(rest).toEqual([]);
      expect(row).not.toMatch(/[\n\r]/);
      expect(row.replaceAll(/\\./gsu, '').match(/\|/g)).toHaveLength(3);
    }),
  );
});

test('a table has a head, a rule and gaps between its cells', () => {
  expect(table(['step', 'state'], [['1. Check', 'done']])).toEqual([
    '| step\u00a0\u00a0 | state\u00a0\u00a0 |',
    '|:---|:---|',
    '| 1. Check\u00a0\u00a0 | done\u00a0\u00a0 |',
  ]);
});

test('times are UTC, to the second', () => {
  expect(clock('2026-01-31T15:04:05.678Z')).toBe('15:04:05');
  expect(clock(undefined)).toBe('');
  expect(dateAndClock('2026-01-31T15:04:05.678Z')).toBe('2026-01-31 15:04:05');
});
