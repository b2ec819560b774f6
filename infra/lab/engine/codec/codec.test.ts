import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { EngineFault } from '../http/engine-fault.ts';
import { flag, int, items, require, text } from './body.ts';
import { toJson } from './json-out.ts';
import { readJson, readXml, UnreadableBody } from './read.ts';
import type { Node } from './tree.ts';
import { Decimal } from './tree.ts';
import { toXml } from './xml-out.ts';

const HOST: Node = {
  id: '1',
  href: '/hosts/1',
  name: 'a<b & "c"',
  memory: 1024,
  spm: true,
  speed: new Decimal(2.5),
  time: new Date(Date.UTC(2026, 0, 2, 3, 4, 5, 678)),
  nics: { nic: [{ id: 'n1' }, { id: 'n2' }] },
  empty: { one: [] },
  absent: undefined,
  link: [{ href: '/hosts/1/nics', rel: 'nics' }],
};

describe('writing an answer', () => {
  it('writes id, href and rel as XML attributes, the rest as elements, lists as plural with singular children', () => {
    const xml = toXml('host', HOST, '/ovirt-engine/api/v4');
    expect(xml).toContain('<host id="1" href="/ovirt-engine/api/v4/hosts/1">');
    expect(xml).toContain('<name>a&lt;b &amp; "c"</name>');
    expect(xml).toContain('<nics><nic id="n1"/><nic id="n2"/></nics>');
    expect(xml).toContain('<link href="/ovirt-engine/api/v4/hosts/1/nics" rel="nics"/>');
    expect(xml).toContain('<time>2026-01-02T03:04:05.678Z</time>');
    expect(xml).toContain('<empty/>');
    expect(xml).not.toContain('absent');
  });

  it('writes integers and booleans as JSON texts, decimals and dates as numbers, an empty list as {}', () => {
    expect(JSON.parse(toJson(HOST, '/p'))).toEqual({
      id: '1',
      href: '/p/hosts/1',
      name: 'a<b & "c"',
      memory: '1024',
      spm: 'true',
      speed: 2.5,
      time: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
      nics: { nic: [{ id: 'n1' }, { id: 'n2' }] },
      empty: {},
      link: [{ href: '/p/hosts/1/nics', rel: 'nics' }],
    });
    expect(toJson({ host: [] }, '')).toBe('{}');
    expect(toXml('hosts', { host: [] }, '')).toMatch(/<hosts\/>$/);
  });

  it('gives back in XML whatever text a user wrote, without what XML cannot carry', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (value) => {
        const { body } = readXml(toXml('host', { name: value, id: '1' }, ''));
        // oxlint-disable-next-line no-control-regex
        const legal = value.replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, '');
        expect(text(body, 'name')?.replaceAll('\r\n', '\n').replaceAll('\r', '\n')).toBe(
          legal.replaceAll('\r\n', '\n').replaceAll('\r', '\n'),
        );
      }),
    );
  });
});

describe('reading a body', () => {
  it('takes the same members from both formats', () => {
    const xml = readXml(
      '<?xml version="1.0"?><host id="9"><name>n &#x41;&amp;</name><cluster><name>Default</name></cluster><nics><nic><name>a</name></nic></nics><memory>5</memory></host>',
    );
    const json = readJson(
      '{"id":"9","name":"n A&","cluster":{"name":"Default"},"nics":{"nic":[{"name":"a"}]},"memory":5}',
    );
    expect(xml.root).toBe('host');
    for (const body of [xml.body, json]) {
      expect(text(body, 'id')).toBe('9');
      expect(text(body, 'name')).toBe('n A&');
      expect(text(body, 'cluster', 'name')).toBe('Default');
      expect(int(body, 'memory')).toBe(5);
      expect(items(body, 'nics', 'nic').map((nic) => text(nic, 'name'))).toEqual(['a']);
    }
  });

  it('refuses document types, broken XML and JSON that is no object', () => {
    for (const source of ['<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', '<a><b></a>', '', 'plain', '<a/><b/>']) {
      expect(() => readXml(source)).toThrow(UnreadableBody);
    }
    for (const source of ['{', '[]', '"x"', 'null']) expect(() => readJson(source)).toThrow(UnreadableBody);
  });

  it('never throws anything else, whatever arrives', () => {
    fc.assert(
      fc.property(fc.string(), (source) => {
        for (const read of [readXml, readJson]) {
          try {
            read(source);
          } catch (error) {
            expect(error).toBeInstanceOf(UnreadableBody);
          }
        }
      }),
    );
  });

  it('names a bad boolean, a bad number and missing fields with 400', () => {
    const body = readJson('{"a":"maybe","n":"1x","host":{"name":""}}');
    expect(() => flag(body, 'a')).toThrow(/400 Invalid value/);
    expect(() => int(body, 'n')).toThrow(/400 Invalid value/);
    expect(() => require(body, 'StorageDomain', 'add', 'host.id|name', 'storage')).toThrow(
      new EngineFault(400, 'Incomplete parameters', 'StorageDomain [host.id|name, storage] required for add'),
    );
  });
});
