/** `bellwether-host journal [--file F] show|verify|replay`: text to print. Works on a laptop as well as on the host. */
import { readFileSync } from 'node:fs';
import { CounterpartError } from '../../../activities/errors.ts';
import { journalFiles } from './files.ts';
import { readLine } from './line.ts';
import { replayJournal } from './replay.ts';
import { showLine } from './show.ts';
import { splitLines, verifyJournal } from './verify.ts';

export interface JournalCommand {
  readonly action: 'show' | 'verify' | 'replay';
  /** The file that is written; its older siblings (`.1`, `.2`, …) are read with it. */
  readonly file: string;
  /** `show`: so many of the newest lines; default 20. */
  readonly last?: number;
}

export interface JournalAnswer {
  readonly text: string;
  /** False: the chain is broken, or a round came out differently: exit code 1. */
  readonly ok: boolean;
}

function filesOf(file: string): readonly string[] {
  try {
    const files = journalFiles(file);
    if (files.length > 0) return files;
    throw new Error('neither it nor an older file of it is there');
  } catch (error) {
    throw new CounterpartError({
      type: 'journal/no-file',
      kind: 'needs-operator',
      subject: file,
      what: 'the journal can’t be read',
      why: error instanceof Error ? error.message : String(error),
      remedy: 'Give the journal’s file with --file; `bellwether-host status` says where the worker has it.',
    });
  }
}

function show(files: readonly string[], last: number): JournalAnswer {
  const newest: { readonly bytes: Buffer; readonly from: string }[] = [];
  for (const file of files.toReversed()) {
    if (newest.length >= last) break;
    const { lines } = splitLines(readFileSync(file));
    newest.unshift(...lines.slice(-(last - newest.length)).map((bytes) => ({ bytes, from: file })));
  }
  const texts = newest.map(({ bytes, from }) => {
    const read = readLine(bytes);
    return 'line' in read ? showLine(read.line) : `a line of ${from} can’t be understood: ${read.why}`;
  });
  return { text: texts.length === 0 ? 'The journal is empty.\n' : `${texts.join('\n\n')}\n`, ok: true };
}

function verify(files: readonly string[]): JournalAnswer {
  const { ok, lines, first, last, notes, broken } = verifyJournal(files);
  const span =
    first === undefined || last === undefined ? '' : `, numbers ${first.seq} to ${last.seq}, ${first.at} to ${last.at}`;
  const head =
    broken === undefined
      ? `The chain is whole: ${lines} lines in ${files.length} files${span}.`
      : `The chain is broken at line ${broken.line} of ${broken.file}: ${broken.what}.\nThe ${lines} lines before it are whole.`;
  return { text: `${[head, ...notes.map((note) => `Note: ${note}.`)].join('\n')}\n`, ok };
}

function replay(files: readonly string[]): JournalAnswer {
  const { same, others, first } = replayJournal(files);
  if (first === undefined) {
    const beside = others === 0 ? '' : ` ${others} other lines tell of repairs and gaps.`;
    return { text: `All ${same} rounds come out the same, to the byte.${beside}\n`, ok: true };
  }
  const where = `line ${first.line} of ${first.file}`;
  const before = `The ${same} rounds before it come out the same.`;
  if (first.difference === undefined) {
    return { text: `The record in ${where} can’t be read: ${first.why}.\n${before}\n`, ok: false };
  }
  const { path, journal, again } = first.difference;
  const text = [
    `The round in ${where} (${first.at}, decided by version ${first.version}) comes out differently.`,
    `  where    ${path}`,
    `  journal  ${journal}`,
    `  again    ${again}`,
    `${before} Another version of the worker may decide differently; the same version must not.`,
  ];
  return { text: `${text.join('\n')}\n`, ok: false };
}

/** @throws CounterpartError `journal/no-file` */
export function journalCommand(command: JournalCommand): JournalAnswer {
  const files = filesOf(command.file);
  if (command.action === 'show') return show(files, command.last ?? 20);
  return command.action === 'verify' ? verify(files) : replay(files);
}
