/** Recorded histories: `<workflow>/<release>/<name>.json`, one event a line, without what only one machine knows. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { historyFromJSON, historyToJSON } from '@temporalio/common/lib/proto-utils.js';

type History = ReturnType<typeof historyFromJSON>;

const HERE = dirname(fileURLToPath(import.meta.url));

/** Names of the files, e.g. `upgradeHostedEngine/0.1.0/done.json`. */
export function recordedHistories(): string[] {
  return readdirSync(HERE, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.json'))
    .map((file) => file.split(sep).join('/'))
    .toSorted();
}

export function historyText(file: string): string {
  return readFileSync(join(HERE, file), 'utf8');
}

export function readHistory(file: string): History {
  return historyFromJSON(JSON.parse(historyText(file)));
}

/** Of no use to a replay: process and host, the build's hash, the server's own bookkeeping, stacks with their paths. */
const DROPPED = new Set(['identity', 'stackTrace', 'workerVersion', 'meteringMetadata', 'taskId', 'requestId', 'historySizeBytes']);

/** The folder of the lab that was recorded. */
const LAB_FOLDER = new RegExp(`${tmpdir()}/bellwether-[\\w-]+`, 'g');

/** A payload is base64 of JSON. */
function withoutFolders(data: string): string {
  const text = Buffer.from(data, 'base64').toString();
  // Compared, not tested: a global pattern's test goes on where the last one ended.
  const without = text.replaceAll(LAB_FOLDER, '/srv/lab');
  return without === text ? data : Buffer.from(without).toString('base64');
}

function scrubbed(key: string, value: unknown): unknown {
  if (DROPPED.has(key)) return undefined;
  if (key === 'data' && typeof value === 'string') return withoutFolders(value);
  // A queue's name is random here; a worker's own queue is named after its host.
  if (key === 'taskQueue') return { name: 'recorded', kind: 'TASK_QUEUE_KIND_NORMAL' };
  return value;
}

/** Writes the history of a run; the folder's release is the package's. */
export function record(workflow: string, name: string, history: Parameters<typeof historyToJSON>[0]): void {
  const { version } = JSON.parse(readFileSync(join(HERE, '../../package.json'), 'utf8')) as { version: string };
  const { events } = JSON.parse(historyToJSON(history)) as { events: unknown[] };
  const lines = events.map((event) => JSON.stringify(event, scrubbed));
  const folder = join(HERE, workflow, version);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.json`), `{"events":[\n${lines.join(',\n')}\n]}\n`);
}
