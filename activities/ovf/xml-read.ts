/**
 * XML to a plain tree, for input that nobody vouches for.
 *
 * No document types at all (so no external entities and no entity bombs), the five predefined entities and character
 * references only, limits on size and depth. Names are literal, prefix included, as the engine's reader uses them
 * (engine.md 12).
 */
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import type { ConversionProblem, Refused } from './problems.ts';

export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** Its own character data, joined, untrimmed. */
  readonly text: string;
}

/** A real OVF of an engine VM has 15 to 40 KiB. */
export const XML_BYTES_MAX = 1024 * 1024;
/** An OVF nests six deep, a domain XML eight. */
const DEPTH_MAX = 32;

const PARSER = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: false,
  cdataPropName: '#cdata',
  commentPropName: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
  maxNestedTags: DEPTH_MAX,
});

const PREDEFINED: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

class XmlFault extends Error {}

function decoded(text: string): string {
  return text.replace(/&([^;&\s]{0,32});?/g, (reference, name: string) => {
    const plain = Object.hasOwn(PREDEFINED, name) ? PREDEFINED[name] : undefined;
    if (plain !== undefined && reference.endsWith(';')) return plain;
    const number = /^#(?:x([0-9a-f]{1,6})|(\d{1,7}))$/i.exec(name);
    const code =
      number === null ? -1 : Number.parseInt(number[1] ?? number[2] ?? '', number[1] === undefined ? 10 : 16);
    const legal = code === 9 || code === 10 || code === 13 || (code >= 32 && code <= 0x10ffff);
    const surrogate = code >= 0xd800 && code <= 0xdfff;
    if (!legal || surrogate || !reference.endsWith(';')) {
      throw new XmlFault(`the reference ${JSON.stringify(reference.slice(0, 40))} is not defined in XML`);
    }
    return String.fromCodePoint(code);
  });
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function rawText(parts: unknown): string {
  if (!Array.isArray(parts)) return '';
  return parts
    .map((part: unknown) => (isRecord(part) && typeof part['#text'] === 'string' ? part['#text'] : ''))
    .join('');
}

function toElement(name: string, parts: unknown, rawAttributes: unknown): XmlElement {
  const attributes = new Map<string, string>();
  if (isRecord(rawAttributes)) {
    for (const [key, value] of Object.entries(rawAttributes)) attributes.set(key, decoded(String(value)));
  }
  const children: XmlElement[] = [];
  let text = '';
  for (const part of Array.isArray(parts) ? (parts as readonly unknown[]) : []) {
    if (!isRecord(part)) continue;
    for (const [key, value] of Object.entries(part)) {
      if (key === ':@') continue;
      if (key === '#text') text += decoded(String(value));
      else if (key === '#cdata') text += rawText(value);
      else children.push(toElement(key, value, part[':@']));
    }
  }
  return { name, attributes, children, text };
}

function refused(what: string, remedy: string, line?: number): Refused {
  const problem: ConversionProblem = { key: 'XML', what, remedy, ...(line === undefined ? {} : { line }) };
  return { ok: false, problems: [problem] };
}

/** Parses a whole document. Never throws. `what` names the document in problems, e.g. `OVF`. */
export function parseXml(input: string, what: string): { readonly ok: true; readonly root: XmlElement } | Refused {
  if (input.length > XML_BYTES_MAX || Buffer.byteLength(input) > XML_BYTES_MAX) {
    return refused(`the ${what} is larger than ${XML_BYTES_MAX / 1024} KiB`, 'Give the right file.');
  }
  const text = input.replace(/^\uFEFF/, '');
  if (/<!(DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)/i.test(text)) {
    return refused(
      `the ${what} has a document type`,
      'Remove <!DOCTYPE ...>: it is never needed and can hide an attack.',
    );
  }
  const remedy = `Give the ${what} as it was written; it may be cut off or damaged.`;
  try {
    const verdict = XMLValidator.validate(text);
    if (verdict !== true)
      return refused(`the ${what} is not well-formed: ${verdict.err.msg}`, remedy, verdict.err.line);
    const [root, second] = toElement('', PARSER.parse(text), undefined).children;
    if (root === undefined || second !== undefined) return refused(`the ${what} is not one document`, remedy);
    return { ok: true, root };
  } catch (error) {
    // Its own faults, and the parser's: too deep, reserved names, unclosed constructs the validator lets pass.
    return refused(`the ${what} cannot be read: ${error instanceof Error ? error.message : String(error)}`, remedy);
  }
}

export function child(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((each) => each.name === name);
}

export function childrenNamed(element: XmlElement | undefined, name: string): readonly XmlElement[] {
  return element?.children.filter((each) => each.name === name) ?? [];
}

/** Text of a child; undefined when the child is absent *or empty*, as the readers of the real systems see it. */
export function textOf(element: XmlElement | undefined, name: string): string | undefined {
  const text = child(element, name)?.text;
  return text === '' ? undefined : text;
}

/** The element and all below it, in document order. */
export function* descendants(element: XmlElement): Generator<XmlElement> {
  yield element;
  for (const each of element.children) yield* descendants(each);
}
