/** `follow=disk_attachments.disk,nics`: puts what links lead to in their place (engine.md 5). */
import { isNode, isRepeated } from '../codec/tree.ts';
import type { Node, Scalar, Value } from '../codec/tree.ts';

/** Fetches what lies at an href below the API root; `undefined` when nothing does. */
export type Fetch = (href: string) => Promise<{ readonly root: string; readonly node: Node } | undefined>;

/** Names compare without case and underscores. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll('_', '');
}

/** Follows all paths on each object of an answer (the object itself, or the members of a list). */
export async function follow(node: Node, ofList: boolean, paths: string, fetch: Fetch): Promise<Node> {
  const trees = paths
    .split(',')
    .map((path) => path.trim().split('.').filter(Boolean))
    .filter((path) => path.length > 0);
  let out = node;
  for (const path of trees) out = ofList ? await intoList(out, path, fetch) : await into(out, path, fetch);
  return out;
}

async function intoList(node: Node, path: readonly string[], fetch: Fetch): Promise<Node> {
  const entries: [string, Value][] = [];
  for (const [member, value] of Object.entries(node)) {
    entries.push([
      member,
      isRepeated(value) ? await Promise.all(value.map(async (one) => await intoMember(one, path, fetch))) : value,
    ]);
  }
  return Object.fromEntries(entries);
}

async function intoMember(value: Scalar | Node, path: readonly string[], fetch: Fetch): Promise<Scalar | Node> {
  return isNode(value) ? await into(value, path, fetch) : value;
}

async function into(node: Node, path: readonly string[], fetch: Fetch): Promise<Node> {
  const [name, ...rest] = path;
  if (name === undefined) return node;
  const member = Object.keys(node).find((key) => plain(key) === plain(name));
  const value = member === undefined ? undefined : node[member];
  if (member !== undefined && isNode(value)) {
    const href = value['href'];
    const target = typeof href === 'string' ? await fetch(href) : undefined;
    const inner = target?.node ?? value;
    const followed = href === undefined ? await intoList(inner, rest, fetch) : await into(inner, rest, fetch);
    return { ...node, [member]: followed };
  }
  return await intoLink(node, name, rest, fetch);
}

async function intoLink(node: Node, name: string, rest: readonly string[], fetch: Fetch): Promise<Node> {
  const all = node['link'];
  const links = isRepeated(all) ? all : [];
  const link = links.find((one) => isNode(one) && typeof one['rel'] === 'string' && plain(one['rel']) === plain(name));
  if (!isNode(link) || typeof link['href'] !== 'string') return node;
  const target = await fetch(link['href']);
  if (target === undefined) return node;
  const inlined = rest.length === 0 ? target.node : await intoList(target.node, rest, fetch);
  return { ...node, link: links.filter((one) => one !== link), [target.root]: inlined };
}
