/**
 * The libvirt domain XML that engines since 4.2 put into the engine VM's OVF (`EngineXml`) and agents into vm.conf
 * (`xmlBase64`): when it may be used (ha-agent.md 5.7).
 */
import { type XmlElement, child, childrenNamed, descendants, parseXml } from './xml-read.ts';

const OVIRT_VM_NAMESPACE = 'http://ovirt.org/vm/1.0';
/** libvirt of 2018 refused longer aliases of a pty console (Bugzilla 1560666); agents cut to this day. */
const ALIAS_LENGTH_MAX = 24;

export type EngineXml =
  | { readonly usable: true; readonly xml: string; readonly aliasCut: boolean; readonly uuid: string | undefined }
  | { readonly usable: false; readonly why: string; readonly uuid: string | undefined };

/** UTF-8 text of base64; undefined when the bytes are not UTF-8. */
export function textOfBase64(base64: string): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(base64, 'base64'));
  } catch {
    return undefined;
  }
}

export function base64OfText(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

/** The prefix bound to oVirt's namespace in this document; every engine so far says `ovirt-vm`. */
function ovirtPrefix(root: XmlElement): string {
  for (const each of descendants(root)) {
    for (const [name, value] of each.attributes) {
      if (value === OVIRT_VM_NAMESPACE && name.startsWith('xmlns:')) return name.slice('xmlns:'.length);
    }
  }
  return 'ovirt-vm';
}

/** `shared` of the first disk that oVirt's metadata describes. */
function firstSharing(root: XmlElement): string | undefined {
  const prefix = ovirtPrefix(root);
  for (const each of descendants(root)) {
    if (each.name !== `${prefix}:device` || each.attributes.get('devtype') !== 'disk') continue;
    const shared = child(each, `${prefix}:shared`);
    if (shared !== undefined && shared.text !== '') return shared.text;
  }
  return undefined;
}

function escapeForPattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** Cuts the alias in place, so that the rest of the document stays as the engine wrote it. */
function withAliasCut(xml: string, root: XmlElement): { xml: string; aliasCut: boolean } {
  const consoles = [...descendants(root)]
    .filter((each) => each.name === 'devices')
    .flatMap((each) => childrenNamed(each, 'console'));
  const pty = consoles.filter((each) => each.attributes.get('type') === 'pty').map((each) => child(each, 'alias'));
  const name = pty.find((alias) => alias !== undefined)?.attributes.get('name');
  if (name === undefined || name.length <= ALIAS_LENGTH_MAX) return { xml, aliasCut: false };
  const pattern = new RegExp(`(<alias\\s[^>]*?\\bname\\s*=\\s*)(["'])${escapeForPattern(name)}\\2`);
  const from = xml.search(/<console[\s>]/);
  const tail = xml.slice(from).replace(pattern, (_, before: string, quote: string) => {
    return `${before}${quote}${name.slice(0, ALIAS_LENGTH_MAX)}${quote}`;
  });
  return { xml: xml.slice(0, from) + tail, aliasCut: true };
}

/**
 * Applies the agent's rule: used only with a lease device *and* the first disk shared exclusively, because sanlock's
 * lease on the disk is all that keeps two hosts from running the engine (Bugzilla 1547479).
 */
export function readEngineXml(xml: string): EngineXml {
  const parsed = parseXml(xml, 'domain XML');
  if (!parsed.ok) return { usable: false, why: parsed.problems[0]?.what ?? 'it cannot be read', uuid: undefined };
  const { root } = parsed;
  const uuid = child(root, 'uuid')?.text.trim();
  const devices = [...descendants(root)].filter((each) => each.name === 'devices');
  if (!devices.some((each) => child(each, 'lease') !== undefined)) {
    return { usable: false, why: 'it has no lease device, so nothing would keep two hosts from running the VM', uuid };
  }
  if (firstSharing(root) !== 'exclusive') {
    return { usable: false, why: 'its first disk is not marked shared = exclusive, so the disk has no lease', uuid };
  }
  return { usable: true, ...withAliasCut(xml, root), uuid };
}
