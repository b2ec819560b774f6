/**
 * The guest of the real engine VM, made of what is installed: Debian's cloud kernel with a few of its modules, and busybox
 * (lab.md 2). It boots in some three seconds without KVM. Kept in the project's cache.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheDir } from '../../../setup/tools.mjs';
import type { GuestParts } from './parts.ts';

const INIT = fileURLToPath(new URL('init.sh', import.meta.url));
/** As the engine's own page says it (ha-agent.md 4.4). */
const HEALTH_PAGE = 'DB Up!Welcome to Health Status!';

export interface GuestImage {
  readonly kernel: string;
  readonly initrd: string;
}

/** What the image is made of; another kernel or another script makes another image. */
function digest(parts: GuestParts): string {
  const hash = createHash('sha256');
  for (const file of [INIT, parts.busybox, parts.kernel, ...parts.modules]) hash.update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}

function fill(root: string, parts: GuestParts): void {
  for (const folder of ['bin', 'mod', 'www/ovirt-engine/services', 'etc/acpi/PWRF', 'proc', 'sys', 'dev', 'tmp']) {
    mkdirSync(join(root, folder), { recursive: true });
  }
  // acpid keeps its pid and its log there.
  for (const folder of ['var/run', 'var/log']) mkdirSync(join(root, folder), { recursive: true });
  copyFileSync(parts.busybox, join(root, 'bin/busybox'));
  copyFileSync(INIT, join(root, 'init'));
  for (const file of ['bin/busybox', 'init']) chmodSync(join(root, file), 0o755);
  for (const module of parts.modules)
    copyFileSync(module, join(root, 'mod', module.slice(module.lastIndexOf('/') + 1)));
  writeFileSync(join(root, 'www/ovirt-engine/services/health'), HEALTH_PAGE);
  writeFileSync(join(root, 'etc/acpi/PWRF/00000080'), '#!/bin/sh\nsync\npoweroff -f\n', { mode: 0o755 });
}

/** Kernel and initrd in the cache, made when they are not there yet (about a second). @throws Error of cpio */
export function guestImage(parts: GuestParts): GuestImage {
  const folder = join(cacheDir(), 'guest');
  const initrd = join(folder, `initrd-${digest(parts)}.gz`);
  if (existsSync(initrd)) return { kernel: parts.kernel, initrd };
  const root = mkdtempSync(join(tmpdir(), 'bw-guest-'));
  try {
    fill(root, parts);
    mkdirSync(folder, { recursive: true });
    const made = `${initrd}.${process.pid}`;
    execFileSync('sh', ['-c', 'find . | cpio -o -H newc --quiet | gzip -1 > "$1"', 'sh', made], { cwd: root });
    // Two that make it at once make the same.
    renameSync(made, initrd);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  return { kernel: parts.kernel, initrd };
}
