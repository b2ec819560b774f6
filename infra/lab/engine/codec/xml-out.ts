import { create } from 'xmlbuilder2';
import type { XMLBuilder } from 'xmlbuilder2/lib/interfaces.js';

import { Decimal, isAttribute, isRepeated, isScalar, prefixed } from './tree.ts';
import type { Defined, Node, Scalar } from './tree.ts';

/**
 * Writes an answer as XML: root named after the type, `id` and `href` as attributes (engine.md 6).
 *
 * @param prefix API prefix of the client's request, put before links
 */
export function toXml(root: string, node: Node, prefix: string): string {
  const document = create({ version: '1.0', encoding: 'UTF-8', standalone: true });
  writeElement(document, root, node, prefix);
  return document.end();
}

function writeElement(parent: XMLBuilder, name: string, value: Defined, prefix: string): void {
  if (isRepeated(value)) {
    for (const item of value) writeElement(parent, name, item, prefix);
    return;
  }
  const element = parent.ele(name);
  if (isScalar(value)) {
    const text = scalarText(value);
    if (text !== '') element.txt(prefixed(name, text, prefix));
    return;
  }
  for (const [member, content] of Object.entries(value)) {
    if (content === undefined) continue;
    if (isAttribute(member) && isScalar(content)) element.att(member, prefixed(member, scalarText(content), prefix));
    else writeElement(element, member, content, prefix);
  }
}

/** Text of a scalar in XML; dates are ISO 8601 with three fraction digits (nine would break the Python SDK). */
export function scalarText(value: Scalar): string {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Decimal) return String(value.value);
  return stripIllegal(String(value));
}

/** XML 1.0 cannot carry control characters or unpaired surrogates, not even escaped; user texts may hold them. */
function stripIllegal(text: string): string {
  // oxlint-disable-next-line no-control-regex
  const legal = text.replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, '');
  return Buffer.from(legal, 'utf8').toString('utf8');
}
