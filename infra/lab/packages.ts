/**
 * Packages of a lab host: what its repositories offer, what was installed, and the order to reboot. They lie in the host's
 * folder, which stands for its disk; the lab's engine gets there as the real one does over SSH.
 */
import { appendFileSync, existsSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const OFFERED = 'updates-offered';
const INSTALLED = 'updates-installed';
const REBOOT = 'reboot';

function lines(file: string): string[] {
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').filter(Boolean) : [];
}

/** The host's repositories have this package from now on, e.g. `vdsm-4.50.6`. */
export function offerUpdate(hostDir: string, name: string): void {
  appendFileSync(join(hostDir, OFFERED), `${name}\n`);
}

export function offeredUpdates(hostDir: string): string[] {
  return lines(join(hostDir, OFFERED));
}

export function installUpdates(hostDir: string): void {
  const names = offeredUpdates(hostDir);
  rmSync(join(hostDir, OFFERED), { force: true });
  if (names.length > 0) appendFileSync(join(hostDir, INSTALLED), `${names.join(' ')}\n`);
}

/** One entry per installation: a second one would show. */
export function installations(hostDir: string): string[] {
  return lines(join(hostDir, INSTALLED));
}

export function orderReboot(hostDir: string): void {
  writeFileSync(join(hostDir, REBOOT), '');
}

/** Calls `reboot` for each order. @returns what ends it */
export function onReboot(hostDir: string, reboot: () => void): () => void {
  const watcher = watch(hostDir, (_event, name) => {
    const order = join(hostDir, REBOOT);
    if (name !== REBOOT || !existsSync(order)) return;
    rmSync(order, { force: true });
    reboot();
  });
  watcher.on('error', () => undefined);
  return () => watcher.close();
}
