import type { Node } from '../codec/tree.ts';

/** `link` members to sub-collections: `rel` and `href` (engine.md 6). */
export function links(base: string, ...names: readonly string[]): readonly Node[] {
  return names.map((name) => ({ href: `${base}/${name}`, rel: name }));
}

/** The `actions` member. */
export function actions(base: string, ...names: readonly string[]): Node {
  return { link: names.map((name) => ({ href: `${base}/${name}`, rel: name })) };
}

/** A reference to an object of a top collection. */
export function ref(collection: string, id: string, more: Node = {}): Node {
  return { id, href: `/${collection}/${id}`, ...more };
}

/** Software versions the lab's engine claims: the 4.5 line. */
export const ENGINE_VERSION = { major: 4, minor: 5, build: 6, revision: 0, full_version: '4.5.6-1.el9' } as const;

export const BLANK_TEMPLATE = '00000000-0000-0000-0000-000000000000';
