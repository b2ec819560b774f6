/** What the real engine VM needs of this machine. Nothing is installed here: what is missing is named, with its package. */
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { onPath } from '../../../setup/tools.mjs';
import { findRealSanlock } from '../../sanlock/index.ts';

/** In the order in which they are loaded (lab.md 2). */
const MODULES = [
  'drivers/virtio/virtio_ring',
  'drivers/virtio/virtio',
  'drivers/virtio/virtio_pci_legacy_dev',
  'drivers/virtio/virtio_pci_modern_dev',
  'drivers/virtio/virtio_pci',
  'net/core/failover',
  'drivers/net/net_failover',
  'drivers/net/virtio_net',
  'drivers/block/virtio_blk',
  'drivers/input/evdev',
  'drivers/acpi/button',
];
/** Program and the Debian package it comes in. */
const PROGRAMS = [
  ['qemu-system-x86_64', 'qemu-system-x86'],
  ['busybox', 'busybox-static'],
  ['cpio', 'cpio'],
  ['ip', 'iproute2'],
  ['setpriv', 'util-linux'],
  ['gzip', 'gzip'],
] as const;

export interface GuestParts {
  readonly kernel: string;
  readonly modules: readonly string[];
  readonly busybox: string;
  readonly qemu: string;
  readonly sanlock: string;
}

export type RealGuest =
  | { readonly available: true; readonly parts: GuestParts }
  | { readonly available: false; readonly why: string };

const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
const find = (program: string) => onPath(program, { ...process.env, PATH });

function writable(file: string): boolean {
  try {
    accessSync(file, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The newest kernel whose modules are there too, uncompressed as busybox loads them. */
function findKernel(): Pick<GuestParts, 'kernel' | 'modules'> | undefined {
  const names = existsSync('/boot') ? readdirSync('/boot').filter((name) => name.startsWith('vmlinuz-')) : [];
  const found = names.sort().flatMap((name) => {
    const base = join('/lib/modules', name.slice('vmlinuz-'.length), 'kernel');
    const modules = MODULES.map((module) => join(base, `${module}.ko`)).filter((file) => existsSync(file));
    const kernel = join('/boot', name);
    return modules.length === MODULES.length && existsSync(kernel) ? [{ kernel, modules }] : [];
  });
  return found.at(-1);
}

/** The parts, or one line that says what is missing and how it is had. */
export function findRealGuest(): RealGuest {
  const missing: string[] = [];
  if (process.platform !== 'linux' || process.arch !== 'x64') missing.push('Linux on x86-64');
  if (process.getuid?.() !== 0) missing.push('root (namespaces and taps)');
  if (!writable('/dev/net/tun')) missing.push('/dev/net/tun');
  for (const [program, deb] of PROGRAMS) {
    if (find(program) === undefined) missing.push(`${program} (apt-get install ${deb})`);
  }
  const sanlock = findRealSanlock();
  if (!sanlock.available) missing.push(sanlock.why);
  else if (sanlock.faketime === undefined) missing.push('libfaketime (apt-get install faketime)');
  const kernel = findKernel();
  if (kernel === undefined) missing.push('a guest kernel (apt-get install linux-image-cloud-amd64)');
  const busybox = find('busybox');
  const qemu = find('qemu-system-x86_64');
  if (missing.length > 0 || kernel === undefined || busybox === undefined || qemu === undefined || !sanlock.available) {
    return { available: false, why: missing.join(', ') };
  }
  return { available: true, parts: { ...kernel, busybox, qemu, sanlock: sanlock.program } };
}
