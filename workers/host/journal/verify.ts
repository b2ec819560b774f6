/** Is the chain of a journal whole? Each line carries the sha256 of the one before, so a change anywhere shows behind it. */
import { readFileSync } from 'node:fs';
import { NO_LINE, readLink, sha256, type Link } from './line.ts';

export interface Verdict {
  readonly ok: boolean;
  /** Good lines before the first broken one, or all. */
  readonly lines: number;
  readonly first: Link | undefined;
  readonly last: Link | undefined;
  /** What is no break but worth knowing, in words. */
  readonly notes: readonly string[];
  readonly broken: { readonly file: string; readonly line: number; readonly what: string } | undefined;
}

interface Ahead extends Link {
  readonly sha256: string;
}

const LF = 0x0a;

/** Whole lines, and what is behind the last end of line. */
export function splitLines(bytes: Buffer): { readonly lines: readonly Buffer[]; readonly rest: Buffer } {
  const lines: Buffer[] = [];
  let start = 0;
  for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, start)) {
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  return { lines, rest: bytes.subarray(start) };
}

function wrongPlace(link: Link, before: Ahead | undefined): string | undefined {
  if (before === undefined) {
    return link.seq === 1 && link.prev !== NO_LINE ? 'it is number 1 and names a line before it' : undefined;
  }
  if (link.seq > before.seq + 1) return `lines number ${before.seq + 1} to ${link.seq - 1} are missing before it`;
  if (link.seq <= before.seq) return `it is number ${link.seq}, and the line before it is number ${before.seq}`;
  if (link.prev !== before.sha256) {
    return `it does not follow from line number ${before.seq}: that line was changed after this one was written, or another was put in its place`;
  }
  return undefined;
}

/**
 * `files` oldest first (`journalFiles`). A piece without an end of line at the very end is no break: the worker died while
 * it wrote, or writes at this moment.
 *
 * @throws the file system's error
 */
export function verifyJournal(files: readonly string[]): Verdict {
  const notes: string[] = [];
  let first: Link | undefined;
  let before: Ahead | undefined;
  let lines = 0;
  const verdict = (broken: Verdict['broken']): Verdict => {
    const last = before === undefined ? undefined : { seq: before.seq, at: before.at, prev: before.prev };
    return { ok: broken === undefined, lines, first, last, notes, broken };
  };
  for (const [at, file] of files.entries()) {
    const { lines: found, rest } = splitLines(readFileSync(file));
    for (const [index, bytes] of found.entries()) {
      const link = readLink(bytes);
      const what = link === undefined ? 'it is no line of a journal' : wrongPlace(link, before);
      if (link === undefined || what !== undefined) return verdict({ file, line: index + 1, what: what ?? '' });
      if (first === undefined && link.seq > 1) notes.push(`lines before number ${link.seq} were rotated away`);
      first ??= link;
      before = { ...link, sha256: sha256(bytes) };
      lines += 1;
    }
    if (rest.length === 0) continue;
    const broken = { file, line: found.length + 1, what: `its ${rest.length} bytes have no end of line` };
    if (at < files.length - 1) return verdict(broken);
    notes.push(`${rest.length} bytes at the end are no whole line: the worker writes now, or died while it wrote`);
  }
  return verdict(undefined);
}
