/**
 * XML-RPC as Python's `xmlrpc` speaks it: None as `nil`, numbers beyond 32 bits as `i8`, bytes as `base64` (ha-agent.md 4.1).
 *
 * Documents are read and written by libraries; only their meaning is here.
 */
import { XMLBuilder } from 'fast-xml-parser';
import { child, childrenNamed, parseXml, type XmlElement } from '../../../activities/ovf/xml-read.ts';

export type RpcValue = null | boolean | number | string | Buffer | readonly RpcValue[] | ReadonlyMap<string, RpcValue>;

export interface RpcCall {
  readonly method: string;
  readonly params: readonly RpcValue[];
}

/** Told to the caller as a fault. */
export class RpcFault extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = 'RpcFault';
    this.code = code;
  }
}

/** The reference answers every kind of unreadable call with fault 1. */
const malformed = (why: string) => new RpcFault(1, `malformed XML-RPC: ${why}`);

function integer(text: string, bits: 32 | 64): number {
  const value = /^\s*[+-]?\d{1,20}\s*$/.test(text) ? Number(text) : Number.NaN;
  const fits = bits === 32 ? value >= -(2 ** 31) && value < 2 ** 31 : Number.isSafeInteger(value);
  if (!fits) throw malformed(`${JSON.stringify(text.slice(0, 40))} is no integer of ${bits} bits`);
  return value;
}

function double(text: string): number {
  const value = text.trim() === '' ? Number.NaN : Number(text);
  if (!Number.isFinite(value)) throw malformed(`${JSON.stringify(text.slice(0, 40))} is no number`);
  return value;
}

function boolean(text: string): boolean {
  const word = text.trim();
  if (word !== '0' && word !== '1') throw malformed(`${JSON.stringify(word.slice(0, 40))} is no boolean`);
  return word === '1';
}

function bytes(text: string): Buffer {
  const packed = text.replaceAll(/\s/g, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(packed) || packed.length % 4 !== 0) throw malformed('base64 is damaged');
  return Buffer.from(packed, 'base64');
}

function struct(element: XmlElement): ReadonlyMap<string, RpcValue> {
  return new Map(
    childrenNamed(element, 'member').map((member): [string, RpcValue] => {
      const name = child(member, 'name');
      if (name === undefined) throw malformed('a member has no name');
      return [name.text, valueIn(member)];
    }),
  );
}

function array(element: XmlElement): readonly RpcValue[] {
  const data = child(element, 'data');
  if (data === undefined) throw malformed('an array has no data');
  return childrenNamed(data, 'value').map(valueOf);
}

function valueIn(parent: XmlElement): RpcValue {
  const value = child(parent, 'value');
  if (value === undefined) throw malformed(`<${parent.name}> has no value`);
  return valueOf(value);
}

function valueOf(value: XmlElement): RpcValue {
  const [typed, second] = value.children;
  // No type means text.
  if (typed === undefined) return value.text;
  if (second !== undefined) throw malformed('a value has two types');
  switch (typed.name) {
    case 'nil':
      return null;
    case 'boolean':
      return boolean(typed.text);
    case 'int':
    case 'i4':
      return integer(typed.text, 32);
    case 'i8':
      return integer(typed.text, 64);
    case 'double':
      return double(typed.text);
    case 'string':
    case 'dateTime.iso8601':
      return typed.text;
    case 'base64':
      return bytes(typed.text);
    case 'array':
      return array(typed);
    case 'struct':
      return struct(typed);
    default:
      throw malformed(`the type ${JSON.stringify(typed.name.slice(0, 40))} is not known`);
  }
}

/** A `methodCall` document. @throws {RpcFault} when it is none */
export function parseCall(text: string): RpcCall {
  const document = parseXml(text, 'call');
  if (!document.ok) throw malformed(document.problems.map((problem) => problem.what).join('; '));
  if (document.root.name !== 'methodCall') throw malformed(`the root is <${document.root.name.slice(0, 40)}>`);
  const method = child(document.root, 'methodName')?.text.trim() ?? '';
  if (method === '') throw malformed('no method name');
  const params = child(document.root, 'params');
  return { method, params: childrenNamed(params, 'param').map(valueIn) };
}

/** XML 1.0 can't carry control characters or lone surrogates, not even escaped; names and messages may hold them. */
function legal(text: string): string {
  // oxlint-disable-next-line no-control-regex
  return text.replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, '').toWellFormed();
}

function isList(value: RpcValue): value is readonly RpcValue[] {
  return Array.isArray(value);
}

/** A value as the library builds it: an element's name and what is in it. */
type Tree = { readonly [name: string]: string | Tree | readonly Tree[] };

function numberTree(value: number): Tree {
  const type = !Number.isSafeInteger(value) ? 'double' : value >= 2 ** 31 || value < -(2 ** 31) ? 'i8' : 'int';
  return { [type]: String(value) };
}

/** What stands within `<value>`. */
function tree(value: RpcValue): Tree {
  if (value === null) return { nil: '' };
  if (typeof value === 'boolean') return { boolean: value ? '1' : '0' };
  if (typeof value === 'number') return numberTree(value);
  if (typeof value === 'string') return { string: legal(value) };
  if (Buffer.isBuffer(value)) return { base64: value.toString('base64') };
  // The library writes nothing at all for an empty list, so the elements around it are named.
  if (isList(value)) return { array: { data: value.length === 0 ? '' : { value: value.map(tree) } } };
  const members = [...value].map(([name, each]) => ({ name: legal(name), value: tree(each) }));
  return { struct: members.length === 0 ? '' : { member: members } };
}

const builder = new XMLBuilder({ format: false, processEntities: true, suppressEmptyNode: true });

function response(content: Tree): string {
  return `<?xml version="1.0" encoding="UTF-8"?>${builder.build({ methodResponse: content })}`;
}

/** A `methodResponse` document with one value. */
export function formatAnswer(value: RpcValue): string {
  return response({ params: { param: { value: tree(value) } } });
}

/** A `methodResponse` document with a fault. */
export function formatFault(fault: RpcFault): string {
  const facts = new Map<string, RpcValue>([
    ['faultCode', fault.code],
    ['faultString', fault.message],
  ]);
  return response({ fault: { value: tree(facts) } });
}
