import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { child, parseXml } from '../../../activities/ovf/xml-read.ts';
import { formatAnswer, formatFault, parseCall, RpcFault, type RpcValue } from './xmlrpc.ts';

const call = (value: string) =>
  `<methodCall><methodName>m</methodName><params><param>${value}</param></params></methodCall>`;
const only = (value: string) => parseCall(call(value)).params[0];

/** An answer made a call: both hold values in the same words. */
function back(value: RpcValue): RpcValue | undefined {
  const inner = /<params>.*<\/params>/s.exec(formatAnswer(value))?.[0] ?? '';
  return parseCall(`<methodCall><methodName>m</methodName>${inner}</methodCall>`).params[0];
}

describe('values of a call', () => {
  it.each([
    ['<value><int>-7</int></value>', -7],
    ['<value><i4>2147483647</i4></value>', 2147483647],
    ['<value><i8>9007199254740991</i8></value>', 9007199254740991],
    ['<value><boolean>1</boolean></value>', true],
    ['<value><double>0.25</double></value>', 0.25],
    ['<value><nil/></value>', null],
    ['<value> plain &amp; text </value>', ' plain & text '],
    ['<value><string></string></value>', ''],
    ['<value><base64>\nYWJj\nZGVm\n</base64></value>', Buffer.from('abcdef')],
    ['<value><array><data>\n<value><int>1</int></value>\n<value><nil/></value></data></array></value>', [1, null]],
    ['<value><struct><member><name>a</name><value>b</value></member></struct></value>', new Map([['a', 'b']])],
  ])('%s', (text, value) => {
    expect(only(text)).toEqual(value);
  });

  it.each([
    '<value><int>2147483648</int></value>',
    '<value><int>1.5</int></value>',
    '<value><i8>99999999999999999999</i8></value>',
    '<value><boolean>yes</boolean></value>',
    '<value><base64>!!!!</base64></value>',
    '<value><double>NaN</double></value>',
    '<value><what>1</what></value>',
    '<value><int>1</int><int>2</int></value>',
    '<value><array/></value>',
    '<value><struct><member><value>b</value></member></struct></value>',
    '<nothing/>',
  ])('refuses %s', (text) => {
    expect(() => only(text)).toThrow(RpcFault);
  });

  it.each(['', 'not xml', '<methodCall/>', '<methodResponse/>', '<!DOCTYPE a [<!ENTITY x "y">]><methodCall/>'])(
    'refuses the document %s',
    (text) => {
      expect(() => parseCall(text)).toThrow(/malformed XML-RPC/);
    },
  );

  it('refuses nesting without end', () => {
    const deep = `${'<value><array><data>'.repeat(1000)}${'</data></array></value>'.repeat(1000)}`;
    expect(() => only(deep)).toThrow(RpcFault);
  });

  it('never throws anything but a fault', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('<value>', '</value>', '<int>', '1', '&amp;', '&', '</int>', ' ') }),
        (text) => {
          try {
            parseCall(call(text));
          } catch (error) {
            expect(error).toBeInstanceOf(RpcFault);
          }
        },
      ),
    );
  });
});

describe('values of an answer', () => {
  const printable = fc.string({ unit: fc.constantFrom('a', '&', '<', '>', '"', ' ', 'é', '\n', ']]>') });
  const { value } = fc.letrec<{ value: RpcValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 2 },
      fc.constant(null),
      fc.boolean(),
      fc.maxSafeInteger(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      printable,
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.array(fc.tuple(printable, tie('value')), { maxLength: 3 }).map((members) => new Map(members)),
    ),
  }));

  it('come back as they went', () => {
    fc.assert(
      fc.property(value, (each) => {
        const expected = typeof each === 'number' ? each + 0 : each;
        expect(back(each)).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  it('drops what XML can’t carry', () => {
    expect(back('a\u0000\u0007b')).toBe('ab');
  });

  it('tells a fault by code and text', () => {
    const document = parseXml(formatFault(new RpcFault(1, 'method <x> is not supported')), 'answer');
    expect(document.ok && child(document.root, 'fault')).toBeTruthy();
    expect(formatFault(new RpcFault(1, 'a < b'))).toContain('a &lt; b');
  });
});
