/**
 * The decision journal on the local disk: what was decided is on it before it is done (peers-ha.md 6, C3).
 *
 * Writing is synchronous, which is allowed here only because the disk is local; the shared storage is never touched.
 * After any failure the file itself is read again before the next line: what it really holds is what the chain goes on from.
 */
import {
  closeSync,
  constants,
  fdatasyncSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { journalFiles, pruneTorn, shiftFiles, syncFolder, writeAll } from './files.ts';
import { formatLine, NO_LINE, readLine, sha256, type Saying } from './line.ts';
import { readTail, type Tail } from './tail.ts';
import type { JournalEntry } from '../env.ts';

export interface JournalOptions {
  readonly file: string;
  /** Bytes after which a new file is begun. */
  readonly maxBytes: number;
  /** Older files that stay beside the one that is written; at least one. */
  readonly keep: number;
  readonly wallMs: () => number;
  readonly version: string;
  /**
   * Which start of the host the times in the entries belong to (`/proc/sys/kernel/random/boot_id`): a restarted worker
   * takes the last entries of the same boot over into `recent`.
   */
  readonly boot?: string;
  /** One plain line for the log: appending failed, works again, was slow, the file was repaired. */
  readonly report?: (text: string) => void;
  /** An append that takes longer is reported. */
  readonly slowMs?: number;
}

export interface JournalStats {
  readonly appended: number;
  /** Entries that could not be written, ever. */
  readonly failures: number;
  /** Not written since the last success. */
  readonly missed: number;
  readonly lastMs: number;
  readonly worstMs: number;
  /** Why the last append failed; undefined when it did not. */
  readonly failing: string | undefined;
}

export interface Journal {
  /** True: the entry is on disk. Never throws; false when it cannot be written, and the chain stays whole. */
  append(entry: JournalEntry): boolean;
  /** The last entries, newest last, at most 50; those that could not be written among them. */
  recent(n: number): readonly JournalEntry[];
  stats(): JournalStats;
  close(): void;
}

const RECENT = 50;

/** Opens at once if it can; a disk that is not there yet is tried again at each append. Never throws. */
export function openJournal(options: JournalOptions): Journal {
  const journal = new JournalFile(options);
  journal.begin();
  return {
    append: (entry) => journal.append(entry),
    recent: (n) => (n > 0 ? journal.recent.slice(-n) : []),
    stats: () => journal.stats(),
    close: () => journal.close(),
  };
}

interface Open {
  readonly fd: number;
  readonly ino: number;
  size: number;
}

class JournalFile {
  readonly recent: JournalEntry[] = [];
  private readonly options: JournalOptions;
  private readonly boot: string;
  private open: Open | undefined;
  private chain: { readonly seq: number; readonly sha256: string } | undefined;
  private notes: Saying[] = [];
  private missed: { count: number; readonly sinceMs: number; readonly why: string } | undefined;
  private failing: string | undefined;
  private appended = 0;
  private failures = 0;
  private lastMs = 0;
  private worstMs = 0;

  constructor(options: JournalOptions) {
    this.options = options;
    this.boot = options.boot ?? '';
  }

  begin(): void {
    try {
      this.ready();
    } catch (error) {
      this.failed(error);
    }
  }

  append(entry: JournalEntry): boolean {
    const startedMs = performance.now();
    this.recent.push(entry);
    if (this.recent.length > RECENT) this.recent.shift();
    try {
      const file = this.ready();
      this.write(file, { kind: 'decision', boot: this.boot, version: this.options.version, entry });
    } catch (error) {
      this.missed ??= { count: 0, sinceMs: this.options.wallMs(), why: wordsOf(error) };
      this.missed.count += 1;
      this.failures += 1;
      this.failed(error);
      return false;
    } finally {
      this.measured(performance.now() - startedMs);
    }
    this.appended += 1;
    if (this.failing !== undefined) this.report('it can be written again');
    this.failing = undefined;
    return true;
  }

  stats(): JournalStats {
    const { appended, failures, lastMs, worstMs, failing } = this;
    return { appended, failures, missed: this.missed?.count ?? 0, lastMs, worstMs, failing };
  }

  close(): void {
    if (this.open === undefined) return;
    try {
      closeSync(this.open.fd);
    } catch {
      // A descriptor that cannot be closed is none any more.
    }
    this.open = undefined;
  }

  /** The file as it is now: nobody replaced it, nobody else wrote to it. */
  private ready(): Open {
    const { open } = this;
    if (open !== undefined) {
      const named = statSync(this.options.file, { throwIfNoEntry: false });
      if (named?.ino === open.ino && named.size === open.size) return open;
      this.report('somebody else moved, removed or changed the file; it is read again');
      this.close();
    }
    return this.reopen();
  }

  private reopen(): Open {
    const { file } = this.options;
    mkdirSync(dirname(file), { recursive: true, mode: 0o750 });
    const fresh = statSync(file, { throwIfNoEntry: false }) === undefined;
    // Not in append mode: after a repair the next line goes to where the last good one ends.
    const fd = openSync(file, constants.O_RDWR | constants.O_CREAT, 0o640);
    try {
      if (fresh) syncFolder(file);
      const tail = readTail(fd);
      this.chain = tail.last ?? this.chain ?? this.chainOfOlder();
      if (tail.torn.length > 0) this.setAside(fd, tail);
      if (this.appended === 0 && this.recent.length === 0) this.remember(tail.lines);
      this.open = { fd, ino: fstatSync(fd).ino, size: tail.end };
      return this.open;
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** The last line of the newest older file, when the worker died between renaming and writing. */
  private chainOfOlder(): Tail['last'] {
    const older = journalFiles(this.options.file).filter((path) => path !== this.options.file);
    const newest = older.at(-1);
    if (newest === undefined) return undefined;
    const fd = openSync(newest, 'r');
    try {
      return readTail(fd).last;
    } finally {
      closeSync(fd);
    }
  }

  private setAside(fd: number, tail: Tail): void {
    const { file } = this.options;
    const digest = sha256(tail.torn);
    const kept = `${file}.torn-${(this.chain?.seq ?? 0) + 1}-${digest.slice(0, 8)}`;
    writeFileSync(kept, tail.torn, { mode: 0o640, flush: true });
    ftruncateSync(fd, tail.end);
    this.notes.push({ kind: 'torn', bytes: tail.torn.length, keptAs: basename(kept), sha256: digest });
    this.report(`its last line was not whole; the ${tail.torn.length} bytes are kept in ${kept}`);
    pruneTorn(file);
  }

  private remember(lines: readonly Buffer[]): void {
    if (this.boot === '') return;
    for (const bytes of lines.slice(-RECENT)) {
      const read = readLine(bytes);
      if ('line' in read && read.line.kind === 'decision' && read.line.boot === this.boot) {
        this.recent.push(read.line.entry);
      }
    }
  }

  private write(open: Open, decision: Saying): void {
    const { missed } = this;
    const lost: Saying[] =
      missed === undefined
        ? []
        : [{ kind: 'missed', count: missed.count, since: new Date(missed.sinceMs).toISOString(), why: missed.why }];
    const at = new Date(this.options.wallMs()).toISOString();
    let { seq, sha256: prev } = this.chain ?? { seq: 0, sha256: NO_LINE };
    let all = '';
    for (const saying of [...this.notes, ...lost, decision]) {
      seq += 1;
      const line = formatLine({ ...saying, seq, at, prev });
      prev = sha256(line);
      all += `${line}\n`;
    }
    const bytes = Buffer.from(all);
    const file = this.rotated(open, bytes.length);
    this.put(file, bytes);
    file.size += bytes.length;
    this.chain = { seq, sha256: prev };
    this.notes = [];
    this.missed = undefined;
  }

  private put(file: Open, bytes: Buffer): void {
    try {
      writeAll(file.fd, bytes, file.size);
      fdatasyncSync(file.fd);
    } catch (error) {
      // What is not surely there must not be there at all; if that fails too, the next opening sets it aside.
      try {
        ftruncateSync(file.fd, file.size);
      } catch {
        // Opening again reads what is true.
      }
      this.close();
      throw error;
    }
  }

  /** A journal that cannot be rotated goes on growing: that is better than none. */
  private rotated(open: Open, more: number): Open {
    const { file, maxBytes, keep } = this.options;
    if (open.size === 0 || open.size + more <= maxBytes) return open;
    try {
      shiftFiles(file, Math.max(1, keep));
    } catch (error) {
      this.report(`a new file can’t be begun: ${wordsOf(error)}`);
      if (statSync(file, { throwIfNoEntry: false })?.ino === open.ino) return open;
    }
    this.close();
    return this.reopen();
  }

  private failed(error: unknown): void {
    const why = wordsOf(error);
    if (this.failing !== why) this.report(`it can’t be written: ${why}`);
    this.failing = why;
  }

  private measured(ms: number): void {
    this.lastMs = ms;
    this.worstMs = Math.max(this.worstMs, ms);
    if (ms > (this.options.slowMs ?? 500))
      this.report(`writing a line took ${Math.round(ms)} ms: the local disk is slow`);
  }

  private report(text: string): void {
    this.options.report?.(`journal ${this.options.file}: ${text}`);
  }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
