import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { applyMapping, unmatchedWords } from './apply.ts';
import { mapping, type Mapping } from './mapping.ts';
import { isPointer, valueAt } from './pointer.ts';
import { readRequest } from './request.ts';

const NEEDED = { operation: 'upgrade', cluster: 'Default', ticket: 'T-1' };
const read = (request: object, when: object[] = []): Mapping =>
  mapping.parse({ when, request: { ...NEEDED, ...request } });
const apply = (request: object, body: unknown, when: object[] = []) => applyMapping(read(request, when), body);
const matches = (condition: object, body: unknown) => apply({}, body, [condition]).matched;

function mistakes(value: unknown): string[] {
  const parsed = mapping.safeParse(value);
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('JSON pointers', () => {
  it('are those of RFC 6901', () => {
    const body: unknown = JSON.parse('{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"m~n":8,"~1":9," ":7}');
    const values = ['/foo/0', '/', '/a~1b', '/c%d', '/m~0n', '/~01', '/ '].map((one) => valueAt(body, one));
    expect(values).toEqual(['bar', 0, 1, 2, 8, 9, 7]);
    expect(valueAt(body, '')).toBe(body);
    expect(['a', '/a~', '/a~2', 'a/b', '#/a'].map(isPointer)).toEqual([false, false, false, false, false]);
    expect(['/foo/2', '/foo/-', '/foo/01', '/foo/length', '/foo/0/0'].map((one) => valueAt(body, one))).toEqual(
      Array.from({ length: 5 }),
    );
  });

  it('see only what the body itself has', () => {
    const names = ['/toString', '/constructor', '/__proto__', '/hasOwnProperty', '/constructor/name'];
    expect(names.map((one) => valueAt({}, one))).toEqual(names.map(() => undefined));
    expect(valueAt(JSON.parse('{"toString":"Approved","__proto__":"x"}'), '/toString')).toBe('Approved');
    expect(valueAt(JSON.parse('{"__proto__":"x"}'), '/__proto__')).toBe('x');
  });

  it('find each name that can be written', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(), (name, value) => {
        const pointer = `/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
        expect(isPointer(pointer)).toBe(true);
        expect(valueAt(Object.fromEntries([[name, value]]), pointer)).toBe(value);
      }),
    );
  });
});

describe('conditions', () => {
  it('look at the kind too, and at nothing as ticket systems write it', () => {
    expect(matches({ path: '/a', equals: 1 }, { a: 1 })).toBe(true);
    expect(matches({ path: '/a', equals: 1 }, { a: '1' })).toBe(false);
    expect(matches({ path: '/a', equals: null }, { a: null })).toBe(true);
    expect(matches({ path: '/a', equals: null }, {})).toBe(false);
    expect(matches({ path: '/a', in: ['x', 'y'] }, { a: 'y' })).toBe(true);
    for (const body of [{}, { a: null }, { a: '' }]) {
      expect(matches({ path: '/a', exists: true }, body)).toBe(false);
      expect(matches({ path: '/a', exists: false }, body)).toBe(true);
    }
    expect(matches({ path: '/a', exists: true }, { a: 0 })).toBe(true);
  });

  it('find one element for which all hold', () => {
    const some = {
      path: '/items',
      some: [
        { path: '/field', equals: 'status' },
        { path: '/toString', equals: 'Approved' },
      ],
    };
    const item = (field: string, to: string) => ({ field, toString: to });
    expect(matches(some, { items: [item('rank', 'x'), item('status', 'Approved')] })).toBe(true);
    expect(matches(some, { items: [item('status', 'Open'), item('rank', 'Approved')] })).toBe(false);
    expect(matches(some, { items: item('status', 'Approved') })).toBe(false);
    expect(matches(some, {})).toBe(false);
  });

  it('that do not hold are told with what was found', () => {
    const mapped = apply({}, { status: 'Open' }, [
      { path: '/status', in: ['Approved'] },
      { path: '/x', exists: true },
    ]);
    expect(mapped).toMatchObject({ matched: false, fields: [], request: {} });
    expect(unmatchedWords(mapped)).toBe(
      '/status is "Open"; wanted: is one of "Approved". /x is nothing; wanted: is there',
    );
  });
});

describe('values', () => {
  const one = (value: unknown, body: unknown) => {
    const { fields, errors } = apply({ reason: value }, body);
    const field = fields.find((trace) => trace.field === 'reason');
    return errors[0]?.what ?? field?.value;
  };

  it('come from the body, from a map, from us', () => {
    expect(one({ path: '/a' }, { a: 'x' })).toBe('x');
    expect(one({ path: '/a', map: { x: 'ours', 7: 'seven' } }, { a: 'x' })).toBe('ours');
    expect(one({ path: '/a', map: { 7: 'seven' } }, { a: 7 })).toBe('seven');
    expect(one('text', {})).toBe('text');
    expect(one({ literal: { kind: 'public-key' } }, {})).toEqual({ kind: 'public-key' });
    expect(one({ path: '/a', default: 'd' }, { a: '' })).toBe('d');
    expect(one({ path: '/a', as: 'text', prefix: 'GH-' }, { a: 17 })).toBe('GH-17');
    expect(one({ path: '/a', max: 2 }, { a: '𝒳𝒴𝒵' })).toBe('𝒳𝒴');
    expect(one({ path: '/a', as: 'number' }, { a: '-1.5' })).toBe(-1.5);
    expect(one({ path: '/a', as: 'boolean' }, { a: 'false' })).toBe(false);
  });

  it('that can’t be had are mistakes that name the pointer', () => {
    expect(one({ path: '/a/b' }, {})).toBe('the body has nothing at /a/b');
    expect(one({ path: '/a', map: { x: 'y' } }, { a: 'z' })).toBe('/a is "z", and the map has only "x"');
    expect(one({ path: '/a', map: { x: 'y' } }, { a: 'toString' })).toContain('the map has only');
    expect(one({ path: '/a', as: 'number' }, { a: '12 MB' })).toBe('/a is "12 MB": no number');
    expect(one({ path: '/a', as: 'boolean' }, { a: 'constructor' })).toContain('no boolean');
  });

  it('that are optional leave no key, and objects are built of fields', () => {
    const change = { fields: { memoryMiB: { path: '/ram', as: 'number' }, comment: { path: '/c', optional: true } } };
    const mapped = apply({ change, host: { path: '/h', optional: true } }, { ram: '8192', h: null });
    expect(mapped.request).toEqual({ ...NEEDED, change: { memoryMiB: 8192 } });
  });

  it('never throw, and give only what the template names, whatever the body', () => {
    const template = read(
      { reason: { path: '/a/0/b', optional: true }, host: { path: '/h', map: { x: 'y' }, default: 'z' } },
      [{ path: '/a', exists: true }],
    );
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (a, h) => {
        const mapped = applyMapping(template, { a, h });
        const names = Object.keys(mapped.request);
        expect([...Object.keys(NEEDED), 'reason', 'host']).toEqual(expect.arrayContaining(names));
      }),
    );
  });
});

describe('the template', () => {
  it('names unknown keys, bad pointers and what is missing, by their place', () => {
    expect(mistakes({ request: { operation: 'upgrade', cluster: 'Default' } })).toEqual([
      'request.ticket: every request needs it',
    ]);
    expect(mistakes({ request: { ...NEEDED, hots: { path: '/h' } } })[0]).toMatch(
      /^request\.hots: no request has such a field; known are .*host/,
    );
    expect(mistakes({ request: { ...NEEDED, host: { path: 'h' } } })).toEqual([
      expect.stringMatching(/^request\.host\.path: "h" is no JSON pointer/),
    ]);
    expect(mistakes({ request: { ...NEEDED, host: { pth: '/h' } } }).join()).toContain('"pth"');
    expect(mistakes({ request: { ...NEEDED, operation: { path: '/o', map: { Up: 'upgarde' } } } })).toEqual([
      expect.stringMatching(/^request\.operation: "upgarde" is no operation; known are upgrade, /),
    ]);
    expect(mistakes({ when: [{ path: '/a' }], request: NEEDED })).toEqual([
      'when.0: needs exactly one of equals, in, exists, some',
    ]);
    expect(mistakes({ when: [{ path: '/a', equals: 1, exists: true }], request: NEEDED })).toHaveLength(1);
    expect(mistakes({ request: { ...NEEDED, host: { path: '/h', literal: 'x' } } })).toHaveLength(1);
    expect(mistakes({ request: { ...NEEDED, host: { literal: 'x', max: 3 } } })[0]).toContain('go with path only');
    expect(mistakes({ whem: [], request: NEEDED })[0]).toContain('whem');
  });

  it('is checked by the same schema as every request in the end', () => {
    const source = {
      name: 'jira',
      scheme: 'jira' as const,
      secretFiles: ['x'],
      mapping: read({ host: { path: '/h' } }),
    };
    const body = Buffer.from(JSON.stringify({ h: 'host2' }));
    expect(readRequest(source, body)).toMatchObject({ kind: 'invalid', problem: 'invalid-request' });
    const bad = { ...source, mapping: read({ cluster: { path: '/c' } }) };
    const reading = readRequest(bad, Buffer.from('{"c":"a/b"}'));
    const errors = z.object({ errors: z.array(z.object({ path: z.string(), remedy: z.string() })) }).parse(reading);
    expect(errors.errors).toEqual([{ path: 'cluster', remedy: 'It came from /c.' }]);
  });
});
