/** `bellwether-host status --metadata FILE`: all hosts out of a metadata file, without any service. */
import { resolve } from 'node:path';
import { CounterpartError } from '../../../activities/errors.ts';
import { openWhiteboard } from '../env-linux/whiteboard-file.ts';
import { reportBoard, type RawBoard } from './board-report.ts';
import { boardLines } from './board-text.ts';
import { compatStatus } from './compat.ts';

export interface StatusOptions {
  readonly metadata: string;
  readonly json?: boolean;
  readonly compat?: boolean;
}

async function readBoard(path: string): Promise<RawBoard> {
  // The worker's own way: past the page cache, and a hung storage ends after 10 s instead of never.
  const file = openWhiteboard({ path });
  try {
    const { global, slots } = await file.read();
    return { source: path, global, slots };
  } finally {
    file.close();
  }
}

/**
 * The text to print.
 *
 * @throws {CounterpartError} `whiteboard/*`; `status/no-metadata` when nothing in the file can be read
 */
export async function status(options: StatusOptions): Promise<string> {
  const board = await readBoard(resolve(options.metadata));
  const report = reportBoard(board);
  if (report.hosts.length === 0 && report.faulty.length > 0) {
    const [first] = report.faulty;
    throw new CounterpartError({
      type: 'status/no-metadata',
      kind: 'needs-operator',
      subject: report.source,
      what: 'none of its slots can be read',
      why: `${report.faulty.length} slots hold something else, the first is slot ${first?.id}: ${first?.fault}, ${first?.why}`,
      remedy: 'Make sure that it is the he_metadata volume of the hosted-engine domain (another file looks like this).',
    });
  }
  if (options.compat === true) return `${compatStatus(board)}\n`;
  return options.json === true ? `${JSON.stringify(report, null, 2)}\n` : `${boardLines(report).join('\n')}\n`;
}
