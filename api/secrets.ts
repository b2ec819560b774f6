/**
 * Secrets from files, read anew for every request: a file is small, the page cache has it, and a rotation takes effect
 * at once without a restart or a stale copy.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { AppLogger, WebhookSource } from './ports.ts';

export type ReadSecrets = (file: string) => Promise<readonly string[]>;

/** One secret per line; blank lines and lines starting with `#` are left out. @throws when the file can't be read. */
export async function readSecretFile(file: string): Promise<readonly string[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').map((line) => line.trim());
  return lines.filter((line) => line !== '' && !line.startsWith('#'));
}

/** All active secrets of a source. A file that can't be read is logged; the others still count. */
export async function secretsOf(source: WebhookSource, read: ReadSecrets, logger: AppLogger): Promise<string[]> {
  const lists = await Promise.all(
    source.secretFiles.map((file) =>
      read(file).catch((error: unknown) => {
        logger.warn({ source: source.name, file, error: String(error) }, 'secret file can’t be read');
        return [];
      }),
    ),
  );
  return lists.flat();
}

/** Equal in time that does not depend on where they differ, or on their lengths. */
export function sameSecret(a: string, b: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
