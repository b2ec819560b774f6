import { XMLParser, XMLValidator } from 'fast-xml-parser';

import { decodeEntities } from '../codec/read.ts';

/** An element with literal (prefixed) names, as the engine's reader looks them up. */
export interface XmlNode {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
  readonly children: readonly XmlNode[];
}

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseTagValue: false,
  parseAttributeValue: false,
  processEntities: false,
  trimValues: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
});

/**
 * Reads a document without entities or a document type.
 *
 * @throws an error of the given class
 */
export function document(source: string, Failure: new (message: string) => Error): XmlNode {
  if (/<!DOCTYPE/i.test(source)) throw new Failure('document types are not accepted');
  const valid = XMLValidator.validate(source);
  if (valid !== true) throw new Failure(`not well formed: ${valid.err.msg} (line ${valid.err.line})`);
  const roots = elements(parsed(source, Failure));
  const [root] = roots;
  if (root === undefined || roots.length > 1) throw new Failure('one root element is needed');
  return root;
}

/** The parser finds more to complain of than the validator, for example declarations that are not closed. */
function parsed(source: string, Failure: new (message: string) => Error): unknown {
  try {
    return parser.parse(source);
  } catch (error) {
    throw new Failure(`not well formed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function elements(ordered: unknown): XmlNode[] {
  if (!Array.isArray(ordered)) return [];
  return ordered.flatMap((entry: unknown) => {
    if (typeof entry !== 'object' || entry === null) return [];
    const pair = Object.entries(entry).find(([name]) => name !== ':@');
    if (pair === undefined || pair[0].startsWith('#')) return [];
    const attributes: unknown = ':@' in entry ? entry[':@'] : {};
    return [{ name: pair[0], attributes: texts(attributes), text: textOf(pair[1]), children: elements(pair[1]) }];
  });
}

function textOf(ordered: unknown): string {
  if (!Array.isArray(ordered)) return '';
  return ordered
    .map((entry: unknown) =>
      typeof entry === 'object' && entry !== null && '#text' in entry ? decodeEntities(String(entry['#text'])) : '',
    )
    .join('');
}

function texts(value: unknown): Record<string, string> {
  if (typeof value !== 'object' || value === null) return {};
  return Object.fromEntries(Object.entries(value).map(([name, text]) => [name, decodeEntities(String(text))]));
}

export function children(node: XmlNode, name: string): readonly XmlNode[] {
  return node.children.filter((one) => one.name === name);
}

export function child(node: XmlNode, name: string): XmlNode | undefined {
  return node.children.find((one) => one.name === name);
}

export function childText(node: XmlNode, name: string): string | undefined {
  return child(node, name)?.text;
}

export function attribute(node: XmlNode, name: string): string | undefined {
  return Object.hasOwn(node.attributes, name) ? node.attributes[name] : undefined;
}
