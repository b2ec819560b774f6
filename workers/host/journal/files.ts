/** The journal's files: `journal.jsonl` is written, `journal.jsonl.1` is the one before it, and so on. */
import { closeSync, fsyncSync, openSync, readdirSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Numbered siblings, the highest number (the oldest) first. */
function numbered(file: string): { readonly path: string; readonly number: number }[] {
  const [dir, base] = [dirname(file), basename(file)];
  return readdirSync(dir)
    .filter((name) => name.startsWith(`${base}.`) && /^[1-9]\d{0,5}$/.test(name.slice(base.length + 1)))
    .map((name) => ({ path: join(dir, name), number: Number(name.slice(base.length + 1)) }))
    .sort((a, b) => b.number - a.number);
}

/** All files of a journal, oldest first, the one that is written last. @throws when the folder cannot be read */
export function journalFiles(file: string): readonly string[] {
  const present = readdirSync(dirname(file)).includes(basename(file));
  return [...numbered(file).map(({ path }) => path), ...(present ? [file] : [])];
}

/** Names are on disk only when the folder is. */
export function syncFolder(file: string): void {
  const fd = openSync(dirname(file), 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Makes room for a new file; at most `keep` older ones stay. Interrupted anywhere, no line is lost that was to stay. */
export function shiftFiles(file: string, keep: number): void {
  for (const { path, number } of numbered(file)) {
    if (number >= keep) unlinkSync(path);
    else renameSync(path, `${file}.${number + 1}`);
  }
  renameSync(file, `${file}.1`);
  syncFolder(file);
}

/** All bytes, or an error: a full disk takes a part of them first. */
export function writeAll(fd: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length;) {
    done += writeSync(fd, bytes, done, bytes.length - done, position + done);
  }
}

/** Bounded: a host that dies again and again leaves no heap of pieces. */
const TORN_KEPT = 8;

/** Older pieces than the last few are removed; by number of the line that would have come. */
export function pruneTorn(file: string): void {
  const [dir, base] = [dirname(file), basename(file)];
  const prefix = `${base}.torn-`;
  const order = (name: string) => Number.parseInt(name.slice(prefix.length), 10);
  const pieces = readdirSync(dir)
    .filter((name) => name.startsWith(prefix))
    .sort((a, b) => order(b) - order(a));
  for (const name of pieces.slice(TORN_KEPT)) unlinkSync(join(dir, name));
}
