/**
 * The audit trail as an append-only file of chained lines. Lines that wait together are written and synced together;
 * whoever appended goes on when its line is on disk.
 *
 * After any failure the file itself is read again before the next line: what it really holds is what the chain goes on
 * from. Rotate it by renaming: the new file goes on with the chain. One front door per file.
 */
import { mkdir, open, rename, stat, writeFile, type FileHandle } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { AppLogger } from '../ports.ts';
import { NO_LINE, readLine, sha256, type AuditLine, type Saying } from './line.ts';
import { readTail } from './tail.ts';
import type { AuditPage, AuditQuery, AuditTrail } from './trail.ts';
import { linesOf } from './verify.ts';

export interface AuditFile extends AuditTrail {
  close(): Promise<void>;
}

type Write = (handle: FileHandle, bytes: Buffer, at: number) => Promise<void>;

interface Waiting {
  readonly saying: Saying;
  done(seq: number): void;
  failed(error: Error): void;
}

interface Open {
  readonly handle: FileHandle;
  readonly ino: number;
  size: number;
}

/** More are not kept waiting for a disk that hangs. */
const WAITING_MAX = 1000;
/** So that a disk that hangs does not hold a request longer than its sender waits. */
const PATIENCE_MS = 5000;

/** @throws the file system's error */
async function writeAndSync(handle: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += (await handle.write(bytes, done, bytes.length - done, at + done)).bytesWritten;
  }
  await handle.datasync();
}

/** @param write of a test, to make it fail */
export function openAuditFile(file: string, logger: AppLogger, write: Write = writeAndSync): AuditFile {
  const trail = new Trail(file, logger, write);
  return {
    append: (kind, fields) => trail.append({ kind, ...fields }),
    read: (query) => readPage(file, query),
    close: () => trail.close(),
  };
}

class Trail {
  readonly #file: string;
  readonly #logger: AppLogger;
  readonly #write: Write;
  #open: Open | undefined;
  #chain: { readonly seq: number; readonly sha256: string } | undefined;
  #notes: Saying[] = [];
  #missed: { count: number; readonly since: string; why: string } | undefined;
  #waiting: Waiting[] = [];
  #writing: Promise<void> | undefined;
  #failing = false;

  constructor(file: string, logger: AppLogger, write: Write) {
    this.#file = file;
    this.#logger = logger;
    this.#write = write;
  }

  append(saying: Saying): Promise<number> {
    if (this.#waiting.length >= WAITING_MAX) return Promise.reject(new Error('the disk does not keep up'));
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => reject(new Error(`the disk did not answer in ${PATIENCE_MS / 1000} s`)),
        PATIENCE_MS,
      );
      const settled = () => clearTimeout(late);
      this.#waiting.push({
        saying,
        done: (seq) => (settled(), resolve(seq)),
        failed: (error) => (settled(), reject(error)),
      });
      this.#writing ??= this.#drain();
    });
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#shut();
  }

  async #shut(): Promise<void> {
    const { handle } = this.#open ?? {};
    this.#open = undefined;
    await handle?.close().catch(() => undefined);
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0);
      try {
        const first = await this.#put(batch.map(({ saying }) => saying));
        if (this.#failing) this.#logger.warn({ file: this.#file }, 'the audit trail is written again');
        this.#failing = false;
        for (const [index, one] of batch.entries()) one.done(first + index);
      } catch (error) {
        this.#failed(batch, error instanceof Error ? error : new Error(String(error)));
      }
    }
    this.#writing = undefined;
  }

  #failed(batch: readonly Waiting[], error: Error): void {
    if (!this.#failing)
      this.#logger.error({ file: this.#file, error: error.message }, 'the audit trail can’t be written');
    this.#failing = true;
    // What was only asked for did not happen; an answer that is missing did.
    const answers = batch.filter(({ saying }) => saying.kind === 'answered').length;
    if (answers > 0) {
      this.#missed ??= { count: 0, since: new Date().toISOString(), why: error.message };
      this.#missed.count += answers;
    }
    for (const one of batch) one.failed(error);
  }

  /** @returns the number of the batch's first line */
  async #put(batch: readonly Saying[]): Promise<number> {
    const open = await this.#ready();
    const missed: Saying[] = this.#missed === undefined ? [] : [{ kind: 'missed', ...this.#missed }];
    const before = [...this.#notes, ...missed];
    const at = new Date().toISOString();
    let { seq, sha256: prev } = this.#chain ?? { seq: 0, sha256: NO_LINE };
    const first = seq + before.length + 1;
    let all = '';
    for (const saying of [...before, ...batch]) {
      seq += 1;
      const line = JSON.stringify({ seq, at, prev, ...saying });
      prev = sha256(line);
      all += `${line}\n`;
    }
    const bytes = Buffer.from(all);
    try {
      await this.#write(open.handle, bytes, open.size);
    } catch (error) {
      // What is not surely there must not be there at all; if that fails too, the next opening sets it aside.
      await open.handle.truncate(open.size).catch(() => undefined);
      await this.#shut();
      throw error;
    }
    open.size += bytes.length;
    this.#chain = { seq, sha256: prev };
    this.#notes = [];
    this.#missed = undefined;
    return first;
  }

  /** The file as it is now: nobody replaced it, nobody else wrote to it. */
  async #ready(): Promise<Open> {
    if (this.#open !== undefined) {
      const named = await stat(this.#file).catch(() => undefined);
      if (named?.ino === this.#open.ino && named.size === this.#open.size) return this.#open;
      this.#logger.warn({ file: this.#file }, 'somebody else moved or changed the audit trail; it is read again');
      await this.#shut();
    }
    await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
    const handle = await open(this.#file, 'a+', 0o600).then(async (created) => {
      await created.close();
      // Not in append mode: after a repair the next line goes to where the last good one ends.
      return open(this.#file, 'r+');
    });
    try {
      const tail = await readTail(handle);
      this.#chain = tail.last ?? this.#chain;
      if (tail.torn.length > 0) await this.#setAside(handle, tail.torn, tail.end);
      this.#open = { handle, ino: (await handle.stat()).ino, size: tail.end };
      return this.#open;
    } catch (error) {
      await handle.close().catch(() => undefined);
      throw error;
    }
  }

  async #setAside(handle: FileHandle, torn: Buffer, end: number): Promise<void> {
    const digest = sha256(torn);
    const kept = `${this.#file}.torn-${(this.#chain?.seq ?? 0) + 1}-${digest.slice(0, 8)}`;
    await writeFile(`${kept}.new`, torn, { mode: 0o600, flush: true });
    await rename(`${kept}.new`, kept);
    await handle.truncate(end);
    this.#notes.push({ kind: 'torn', bytes: torn.length, keptAs: basename(kept), sha256: digest });
    this.#logger.warn({ file: this.#file, kept }, 'the last line of the audit trail was not whole; its bytes are kept');
  }
}

function within({ since, until, before }: AuditQuery, line: AuditLine): boolean {
  if (before !== undefined && line.seq >= before) return false;
  return (since === undefined || line.at >= since) && (until === undefined || line.at < until);
}

async function readPage(file: string, query: AuditQuery): Promise<AuditPage> {
  let lines: AuditLine[] = [];
  let more = false;
  if ((await stat(file).catch(() => undefined)) === undefined) return { lines, more };
  for await (const { bytes, whole } of linesOf(file)) {
    const line = whole ? readLine(bytes) : undefined;
    if (line === undefined || !within(query, line)) continue;
    lines.push(line);
    if (lines.length < 2 * query.limit) continue;
    lines = lines.slice(-query.limit);
    more = true;
  }
  more ||= lines.length > query.limit;
  return { lines: lines.slice(-query.limit).toReversed(), more };
}
