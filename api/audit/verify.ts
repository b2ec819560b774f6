/** Is the chain of an audit trail whole? A line that was changed, moved or taken out shows in the one behind it. */
import { createReadStream } from 'node:fs';
import { NO_LINE, readLink, sha256, type Link } from './line.ts';

export interface Verdict {
  readonly ok: boolean;
  /** Good lines before the first broken one, or all. */
  readonly lines: number;
  readonly first?: number;
  /** Number and sha256 of the last good line: kept elsewhere, they show later that nothing was cut off the end. */
  readonly last?: { readonly seq: number; readonly sha256: string };
  readonly notes: readonly string[];
  readonly broken?: { readonly file: string; readonly line: number; readonly what: string };
}

const LF = 0x0a;

/** Whole lines of a file in order, and at the end what has no end of line. */
export async function* linesOf(file: string): AsyncGenerator<{ readonly bytes: Buffer; readonly whole: boolean }> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(file)) {
    const bytes = Buffer.concat([rest, chunk as Buffer]);
    let start = 0;
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, start)) {
      yield { bytes: bytes.subarray(start, end), whole: true };
      start = end + 1;
    }
    rest = bytes.subarray(start);
  }
  if (rest.length > 0) yield { bytes: rest, whole: false };
}

function wrongPlace(link: Link, before: { seq: number; sha256: string } | undefined): string | undefined {
  if (before === undefined) {
    return link.seq === 1 && link.prev !== NO_LINE ? 'it is number 1 and names a line before it' : undefined;
  }
  if (link.seq > before.seq + 1) return `lines number ${before.seq + 1} to ${link.seq - 1} are missing before it`;
  if (link.seq <= before.seq) return `it is number ${link.seq}, and the line before it is number ${before.seq}`;
  if (link.prev === before.sha256) return undefined;
  return `it does not follow from line number ${before.seq}: that line was changed after this one was written, or another was put in its place`;
}

/** A line as somebody kept it elsewhere. */
export interface KnownLine {
  readonly seq: number;
  readonly sha256: string;
}

/** What speaks against the known line, at the place where it must be. */
function againstKnown(known: KnownLine | undefined, line: KnownLine): string | undefined {
  if (known?.seq !== line.seq || known.sha256 === line.sha256) return undefined;
  return `it is not the line number ${known.seq} that is known: the trail was written anew from there, or before`;
}

interface Seen {
  readonly first: number | undefined;
  readonly last: KnownLine | undefined;
  readonly file: string;
  readonly lines: number;
}

function missing({ seq }: KnownLine, { first, last, file, lines }: Seen): Verdict['broken'] {
  if (first !== undefined && seq < first)
    return { file, line: 1, what: `line number ${seq} is in an older file: name that, too` };
  if (last !== undefined && seq <= last.seq) return undefined;
  const end = last === undefined ? 'there is none' : `the last is number ${last.seq}`;
  return {
    file,
    line: lines + 1,
    what: `line number ${seq} is known and missing, ${end}: what was written behind it was cut off`,
  };
}

/**
 * `files` oldest first.
 * @param known a line that must be among them, number and sha256 as an earlier look printed them: shows what was cut off the end
 * @throws the file system's error
 */
export async function verifyTrail(files: readonly string[], known?: KnownLine): Promise<Verdict> {
  const notes: string[] = [];
  let first: number | undefined;
  let last: { seq: number; sha256: string } | undefined;
  let lines = 0;
  const verdict = (broken?: Verdict['broken']): Verdict => ({
    ok: broken === undefined,
    lines,
    notes,
    ...(first === undefined ? {} : { first }),
    ...(last === undefined ? {} : { last }),
    ...(broken === undefined ? {} : { broken }),
  });
  for (const [index, file] of files.entries()) {
    let at = 0;
    for await (const { bytes, whole } of linesOf(file)) {
      at += 1;
      if (!whole) {
        const what = `its ${bytes.length} bytes have no end of line`;
        if (index < files.length - 1) return verdict({ file, line: at, what });
        notes.push(`${bytes.length} bytes at the end are no whole line: it is written now, or was cut off`);
        continue;
      }
      const link = readLink(bytes);
      const what = link === undefined ? 'it is no line of an audit trail' : wrongPlace(link, last);
      if (link === undefined || what !== undefined) return verdict({ file, line: at, what: what ?? '' });
      if (first === undefined && link.seq > 1) notes.push(`lines before number ${link.seq} are in older files`);
      first ??= link.seq;
      const here = { seq: link.seq, sha256: sha256(bytes) };
      const against = againstKnown(known, here);
      if (against !== undefined) return verdict({ file, line: at, what: against });
      last = here;
      lines += 1;
    }
  }
  return verdict(known === undefined ? undefined : missing(known, { first, last, file: files.at(-1) ?? '', lines }));
}
