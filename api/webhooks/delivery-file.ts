/**
 * The delivery log as a file of JSON lines. It is opened for each write: rotate it by renaming. Writing happens after
 * the answer and beside it; when it fails (a full disk) lines are dropped and counted, and the deliveries go on.
 */
import { appendFile, open } from 'node:fs/promises';
import type { AppLogger } from '../ports.ts';
import type { DeliveryStore } from './deliveries.ts';

/** Waiting lines at most: a disk that hangs must not eat the memory. */
const WAITING_MAX = 1000;
/** Room for more than the thousand deliveries that can be asked for. */
const TAIL_BYTES = 1_048_576;

async function tailOf(file: string): Promise<readonly string[]> {
  const handle = await open(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (handle === undefined) return [];
  try {
    const { size } = await handle.stat();
    const start = Math.max(0, size - TAIL_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(size - start), 0, size - start, start);
    return buffer.toString('utf8', 0, bytesRead).split('\n');
  } finally {
    await handle.close();
  }
}

export interface DeliveryFile extends DeliveryStore {
  /** Resolves when nothing waits to be written. */
  settled(): Promise<void>;
}

/** @param write of a test; else appends to the file, which only its owner can read. */
export function createDeliveryFile(
  file: string,
  logger: AppLogger,
  write: (text: string) => Promise<void> = (text) => appendFile(file, text, { mode: 0o600 }),
): DeliveryFile {
  const waiting: string[] = [];
  let dropped = 0;
  let failing = false;
  let writing: Promise<void> | undefined;

  function failed(lines: number, error: unknown): void {
    dropped += lines;
    // Once per trouble, not once per delivery.
    if (!failing) logger.error({ file, error: String(error) }, 'delivery log can’t be written; deliveries go on');
    failing = true;
  }

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      const lines = waiting.splice(0);
      try {
        // A line that a full disk has cut in two is ended first.
        await write(`${failing ? '\n' : ''}${lines.join('\n')}\n`);
        if (failing) logger.warn({ file, dropped }, 'delivery log is written again; lines are missing');
        failing = false;
        dropped = 0;
      } catch (error) {
        failed(lines.length, error);
      }
    }
    writing = undefined;
  }

  return {
    append(line) {
      if (waiting.length >= WAITING_MAX) return failed(1, new Error('the disk does not keep up'));
      waiting.push(line);
      writing ??= drain();
      return undefined;
    },
    tail: () => tailOf(file),
    settled: () => writing ?? Promise.resolve(),
  };
}
