import { XMLParser, XMLValidator } from 'fast-xml-parser';

import type { Body, Field } from './body.ts';

/** The body cannot be read at all: the engine answers with a `usage_message` document instead of a fault. */
export class UnreadableBody extends Error {}

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  // Entities are decoded below, after parsing: no document type can then define any.
  processEntities: false,
  trimValues: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  textNodeName: '#text',
});

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Replaces the five named entities and character references; an unknown one stays as written. */
export function decodeEntities(text: string): string {
  return text.replaceAll(/&(?:#x([\da-f]{1,6})|#(\d{1,7})|([a-z]+));/gi, (whole, hex, decimal, name) => {
    if (typeof name === 'string') return NAMED[name] ?? whole;
    const code = typeof hex === 'string' ? Number.parseInt(hex, 16) : Number(decimal);
    return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

/**
 * Reads a request body of XML.
 *
 * @returns the root element's name and content
 * @throws {UnreadableBody} not well formed, or with a document type
 */
export function readXml(source: string): { root: string; body: Body } {
  if (/<!DOCTYPE/i.test(source)) throw new UnreadableBody('document types are not accepted');
  const valid = XMLValidator.validate(source);
  if (valid !== true) throw new UnreadableBody(valid.err.msg);
  const [entry, ...rest] = Object.entries(fieldOfObject(parseXml(source)) ?? {});
  if (entry === undefined || rest.length > 0) throw new UnreadableBody('one root element is needed');
  const [root, field] = entry;
  return { root, body: typeof field === 'string' || Array.isArray(field) ? {} : (field as Body) };
}

/** The parser finds more to complain of than the validator. */
function parseXml(source: string): unknown {
  try {
    return parser.parse(source);
  } catch (error) {
    throw new UnreadableBody(error instanceof Error ? error.message : 'not XML');
  }
}

/** Reads a request body of JSON; numbers and booleans are taken as their texts, as the engine takes both. */
export function readJson(source: string): Body {
  let parsed: unknown;
  try {
    parsed = JSON.parse(source);
  } catch (error) {
    throw new UnreadableBody(error instanceof Error ? error.message : 'not JSON');
  }
  const body = fieldOfObject(parsed);
  if (body === undefined) throw new UnreadableBody('a JSON object is needed');
  return body;
}

function fieldOfObject(value: unknown): Body | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const out: Record<string, Field> = {};
  const entries = Object.entries(value);
  for (const [name, content] of entries) {
    if (name === '#text' && entries.length > 1 && String(content).trim() === '') continue;
    const field = fieldOf(content);
    if (field !== undefined && name !== '__proto__') out[name] = field;
  }
  return out;
}

function fieldOf(value: unknown): Field | undefined {
  if (value === null || value === undefined) return undefined;
  if (Array.isArray(value)) return value.map(fieldOf).filter((field) => field !== undefined);
  if (typeof value === 'object') {
    const body = fieldOfObject(value);
    // An element with attributes and text, or only text: what the engine's types know is the text.
    return body !== undefined && Object.keys(body).length === 1 && typeof body['#text'] === 'string'
      ? body['#text']
      : body;
  }
  if (typeof value === 'string') return decodeEntities(value);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined;
}
