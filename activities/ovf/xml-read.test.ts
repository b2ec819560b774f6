import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseXml, textOf, XML_BYTES_MAX } from './xml-read.ts';
import { element, xmlText } from './xml-write.ts';

function refusal(text: string): string {
  const result = parseXml(text, 'OVF');
  return result.ok ? 'accepted' : (result.problems[0]?.what ?? '');
}

describe('hostile documents', () => {
  const BOMB = `<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">${Array.from({ length: 9 }, (_, i) => `<!ENTITY ${'b'.repeat(i + 1)} "&a;&a;">`).join('')}]><a>&bbbbbbbbb;</a>`;
  test.each([
    ['external entity', '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', 'document type'],
    ['external DTD', '<!DOCTYPE a SYSTEM "http://example.test/x.dtd"><a/>', 'document type'],
    ['entity bomb', BOMB, 'document type'],
    ['lower-case doctype', '<!doctype a><a/>', 'document type'],
    ['undefined entity', '<a>&x;</a>', 'not defined in XML'],
    ['reference to no character', '<a>&#0;</a>', 'not defined in XML'],
    ['reference to half a character', '<a>&#xD800;</a>', 'not defined in XML'],
    ['too deep', `${'<a>'.repeat(100)}${'</a>'.repeat(100)}`, 'cannot be read'],
    ['reserved names', '<__proto__><x/></__proto__>', 'cannot be read'],
    ['too large', `<a>${' '.repeat(XML_BYTES_MAX)}</a>`, 'larger than 1024 KiB'],
    ['two roots', '<a/><b/>', 'not'],
    ['nothing', '', 'not well-formed'],
    ['cut off', '<a><b>', 'not well-formed'],
    ['an attribute twice', '<a x="1" x="2"/>', 'not well-formed'],
  ])('%s', (_, text, expected) => {
    expect(refusal(text)).toContain(expected);
  });
});

test('references, CDATA, comments and a byte order mark', () => {
  const result = parseXml(
    '\uFEFF<?xml version="1.0"?><a><b x="&lt;&#x41;">1&amp;<!-- no -->2<![CDATA[&amp;<]]></b></a>',
    'OVF',
  );
  expect(result.ok && textOf(result.root, 'b')).toBe('1&2&amp;<');
  expect(result.ok && result.root.children[0]?.attributes.get('x')).toBe('<A');
});

const text = fc.string({
  unit: fc.constantFrom('<', '>', '&', '"', "'", ']', ' ', '\n', '\r', '\t', 'ü', '€', '𝄞', 'a', ';', '#', '='),
});

test('what is written is read back, whatever the characters', () => {
  fc.assert(
    fc.property(text, text, (inside, attribute) => {
      const result = parseXml(xmlText(element('a', [element('b', inside, { x: attribute })])), 'OVF');
      if (!result.ok) throw new Error(JSON.stringify(result.problems));
      const [b] = result.root.children;
      expect([b?.text, b?.attributes.get('x')]).toEqual([inside, attribute]);
    }),
  );
});

test('what XML cannot hold is replaced, not written', () => {
  const written = xmlText(element('a', 'x\u0000\ud800y', { b: '\u0001' }));
  expect(written).toContain('x\uFFFD\uFFFDy');
  expect(parseXml(written, 'OVF').ok).toBe(true);
});

test('any text gives a result, never an exception', () => {
  const markup = fc.string({
    unit: fc.constantFrom('<', '>', '/', '&', '!', '[', ']', '-', '?', '"', '=', ' ', 'a', ':'),
  });
  fc.assert(
    fc.property(fc.oneof(fc.string(), markup), (any) => typeof parseXml(any, 'OVF').ok === 'boolean'),
    { numRuns: 1000 },
  );
});
