/**
 * Plain tree to XML text: indented for the people who read it at night, leaf text untouched.
 */

export interface XmlOut {
  readonly name: string;
  readonly attributes: readonly (readonly [string, string])[];
  /** Text of a leaf, or the elements inside. */
  readonly content: string | readonly XmlOut[];
}

const ILLEGAL = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;
const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
  '\n': '&#10;',
  '\t': '&#9;',
};

/** A bare CR would come back as LF; characters that XML cannot hold become U+FFFD rather than break the document. */
function escapeText(text: string): string {
  return text.replace(ILLEGAL, '\uFFFD').replace(/[&<>\r]/g, (c) => ESCAPES[c] ?? c);
}

function escapeAttribute(text: string): string {
  return text.replace(ILLEGAL, '\uFFFD').replace(/[&<>"\r\n\t]/g, (c) => ESCAPES[c] ?? c);
}

export function element(
  name: string,
  content: string | number | boolean | readonly XmlOut[] = '',
  attributes: Readonly<Record<string, string>> = {},
): XmlOut {
  return {
    name,
    attributes: Object.entries(attributes),
    content: typeof content === 'object' ? content : String(content),
  };
}

function render(node: XmlOut, indent: string, lines: string[]): void {
  const attributes = node.attributes.map(([key, value]) => ` ${key}="${escapeAttribute(value)}"`).join('');
  const open = `${indent}<${node.name}${attributes}>`;
  if (typeof node.content === 'string') {
    lines.push(`${open}${escapeText(node.content)}</${node.name}>`);
    return;
  }
  lines.push(open);
  for (const each of node.content) render(each, `${indent}  `, lines);
  lines.push(`${indent}</${node.name}>`);
}

/** A document in UTF-8. */
export function xmlText(root: XmlOut): string {
  const lines = ['<?xml version="1.0" encoding="UTF-8"?>'];
  render(root, '', lines);
  lines.push('');
  return lines.join('\n');
}
