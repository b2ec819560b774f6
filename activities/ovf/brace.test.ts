import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BraceValue, formatBrace, parseBrace, sameBrace } from './brace.ts';

function value(text: string) {
  const result = parseBrace(text);
  if (!result.ok) throw new Error(result.what);
  return result.value;
}

describe('what real files hold', () => {
  test.each([
    ['a MAC address', '{macAddr:00:16:3e:00:00:01}', { macAddr: '00:16:3e:00:00:01' }],
    ['a path with a server', '{path:srv:/a/b.iso}', { path: 'srv:/a/b.iso' }],
    ['an IPv6 address with a path', '{path:[2001:db8::1]:/x,a:b}', { path: '[2001:db8::1]:/x', a: 'b' }],
    ['an empty value', '{path:,device:cdrom}', { path: '', device: 'cdrom' }],
    ['blanks everywhere', '{ a : 1 , b:{ c:d } }', { a: '1', b: { c: 'd' } }],
    ['nothing', '{}', {}],
    ['empty parameters', '{specParams:{}}', { specParams: {} }],
    ['a list', '{l:[a, b,{c:d},[]]}', { l: ['a', 'b', { c: 'd' }, []] }],
    ['quotes', `{'a':'b',"c": "d"}`, { a: 'b', c: 'd' }],
    ['a comma too much', '{a:b,}', { a: 'b' }],
  ])('%s', (_, text, expected) => {
    expect(value(text)).toEqual(expected);
  });

  test('the last of a repeated key counts, and is told', () => {
    const result = parseBrace('{a:1,b:2,a:3}');
    expect(result).toEqual({ ok: true, value: { a: '3', b: '2' }, duplicates: ['a'] });
  });

  test('a key called __proto__ is a key', () => {
    expect(Object.keys(value('{__proto__:x,a:b}'))).toEqual(['__proto__', 'a']);
  });
});

describe('what cannot be read is named', () => {
  test.each([
    ['{a:b', 'never closed'],
    ['{a:{b:c}', 'never closed'],
    ['{a:[b', 'never closed'],
    ['a:b}', 'instead of {'],
    ['', 'instead of {'],
    ['{a:b}x', 'after its closing brace'],
    ['{a}', 'without a value'],
    ['{a:b,c}', 'without a value'],
    ['{:b}', 'where a key should be'],
    ['{a:b{c:d}}', 'brace inside the value'],
    ['{a:{b:c}d}', 'after a closed value'],
    [`${'{a:'.repeat(9)}${'}'.repeat(9)}`, 'nests deeper'],
    [`{a:${'['.repeat(9)}`, 'nests deeper'],
  ])('%s', (text, expected) => {
    const result = parseBrace(text);
    expect(result.ok ? 'it was accepted' : result.what).toContain(expected);
  });
});

const word = fc.stringMatching(/^[A-Za-z0-9_.:/-]{1,10}$/);
const values = fc.letrec<{ value: BraceValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    word,
    fc.dictionary(fc.stringMatching(/^[A-Za-z_]{1,6}$/), tie('value'), { maxKeys: 3 }),
    fc.array(tie('value'), { maxLength: 3 }),
  ),
})).value;

test('formatting and parsing are inverse', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.stringMatching(/^[A-Za-z_]{1,6}$/), values, { maxKeys: 4 }), (map) => {
      expect(value(formatBrace(map))).toEqual({ ...map });
    }),
  );
});

test('any text gives a result, never an exception', () => {
  const text = fc.string({ unit: fc.constantFrom('{', '}', '[', ']', ':', ',', 'a', ' ', "'", '"') });
  fc.assert(
    fc.property(text, (any) => typeof parseBrace(any).ok === 'boolean'),
    { numRuns: 2000 },
  );
});

test('sameness ignores order and empty maps, nothing else', () => {
  expect(sameBrace({ a: '1', b: {} }, { a: '1' })).toBe(true);
  expect(sameBrace({ a: '1', b: '2' }, { b: '2', a: '1' })).toBe(true);
  expect(sameBrace({ a: '1' }, { a: '2' })).toBe(false);
  expect(sameBrace(['a', 'b'], ['b', 'a'])).toBe(false);
  expect(sameBrace(['a'], { a: '1' })).toBe(false);
  expect(sameBrace('', undefined)).toBe(false);
});
