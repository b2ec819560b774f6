/** Questions that the running worker of this host answers from its memory: `status`, `why`, `what-if`. */
import { askBoard, askSnapshot } from '../control/client.ts';
import { capacity, capacityLines } from '../explain/capacity.ts';
import { blockFieldsOf, explainCompat } from '../explain/status-compat.ts';
import { statusLines } from '../explain/status-text.ts';
import { explainStatus } from '../explain/status.ts';
import { explainWhy } from '../explain/why.ts';
import { parseSnapshot } from '../journal/codec.ts';

export interface LiveOptions {
  readonly socket: string;
  readonly json?: boolean;
  readonly compat?: boolean;
  readonly timing?: boolean;
}

const json = (value: unknown) => `${JSON.stringify(value, null, 2)}\n`;
const text = (lines: readonly string[]) => `${lines.join('\n')}\n`;

async function snapshotOf(socket: string) {
  return parseSnapshot(await askSnapshot(socket));
}

/** @throws CounterpartError `host/worker-not-running` */
export async function liveStatus(options: LiveOptions): Promise<string> {
  const snapshot = await snapshotOf(options.socket);
  const slots = await askBoard(options.socket);
  if (options.compat === true) return `${explainCompat(snapshot, Date.now(), slots)}\n`;
  const report = explainStatus(snapshot, blockFieldsOf(slots));
  return options.json === true ? json(report) : text(statusLines(report, { timing: options.timing === true }));
}

/** @throws CounterpartError `host/worker-not-running` */
export async function liveWhy({ socket }: LiveOptions): Promise<string> {
  const screen = explainWhy(await snapshotOf(socket));
  return screen.endsWith('\n') ? screen : `${screen}\n`;
}

/** @throws CounterpartError also for an event that is not understood */
export async function liveWhatIf(words: string, options: LiveOptions): Promise<string> {
  const snapshot = await snapshotOf(options.socket);
  if (words === 'capacity') {
    const report = capacity(snapshot);
    return options.json === true ? json(report) : text(capacityLines(report));
  }
  const { whatIf } = await import('../explain/what-if/what-if.ts');
  const { whatIfLines } = await import('../explain/what-if/text.ts');
  const report = whatIf(snapshot, words);
  return options.json === true ? json(report) : text(whatIfLines(report));
}
