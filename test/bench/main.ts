/**
 * `npm run bench`: what durability, the front door and the worker cost on this machine. Figures and ratios, no verdict:
 * goals are printed beside them, and nothing fails because a machine was busy.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { Command } from 'commander';
import { pino } from 'pino';
import { startPlatform, type Platform } from '../../infra/start/platform.ts';
import { logThrough } from '../../workers/orchestrator/worker.ts';
import { measureBundle } from './bundle.ts';
import { measureDoor, type DoorOptions } from './door.ts';
import { describeMachine, load, loadWarning } from './machine.ts';
import { measureMemory, type MemoryOptions } from './memory.ts';
import { measureOverhead, type OverheadOptions } from './overhead.ts';
import { measureHostWorker } from './host-worker.ts';
import { report } from './report.ts';
import type { BenchResult } from './result.ts';
import { timed } from './stats.ts';

type Amounts = Pick<OverheadOptions, 'labRuns' | 'labLimitMs' | 'idleRuns' | 'idleLimitMs'> &
  Pick<DoorOptions, 'requests' | 'limitMs'> &
  Pick<MemoryOptions, 'operations'> & { readonly hostWorkerSeconds: number };

/** About four minutes at most. */
const FULL: Amounts = {
  labRuns: 7,
  labLimitMs: 60_000,
  idleRuns: 40,
  idleLimitMs: 25_000,
  requests: { one: 600, many: 2500 },
  limitMs: 12_000,
  operations: 200,
  hostWorkerSeconds: 90,
};
/** About one minute. */
const QUICK: Amounts = {
  labRuns: 3,
  labLimitMs: 15_000,
  idleRuns: 15,
  idleLimitMs: 6000,
  requests: { one: 200, many: 800 },
  limitMs: 4000,
  operations: 50,
  hostWorkerSeconds: 20,
};

const say = (line: string) => process.stderr.write(`${line}\n`);

async function measure(
  platform: Platform,
  dir: string,
  quick: boolean,
  atStart: number,
): Promise<Omit<BenchResult, 'tookSeconds'>> {
  const { address, namespace, origin } = platform.temporal;
  const amounts = quick ? QUICK : FULL;
  const connection = await Connection.connect({ address, connectTimeout: '5s' });
  const client = new Client({ connection, namespace });
  try {
    const machine = await describeMachine(client, origin);
    const warning = loadWarning(atStart);
    if (warning !== undefined) say(`WARNING: ${warning}`);
    const { facts: bundle, bundle: workflowBundle } = await measureBundle();
    const beforeOverhead = load();
    say('1. Durability beside plain calls ...');
    const overhead = await measureOverhead({ ...amounts, platform, client, workflowBundle, dir, say });
    const beforeDoor = load();
    say('2. Webhook to 202 ...');
    const door = await measureDoor({ ...amounts, address, client, dir });
    const beforeMemory = load();
    say('3. Worker: start-up and memory ...');
    const memory = await measureMemory({ ...amounts, address, client, code: workflowBundle.code, dir });
    say('4. Host worker: memory, processor, storage ...');
    const hostWorker = await measureHostWorker(dir, amounts.hostWorkerSeconds);
    const loads = { atStart, overhead: beforeOverhead, door: beforeDoor, memory: beforeMemory, atEnd: load() };
    const at = new Date().toISOString();
    return {
      machine,
      at,
      quick,
      load: loads,
      warnings: warning === undefined ? [] : [warning],
      overhead,
      door,
      bundle,
      memory,
      hostWorker,
    };
  } finally {
    await connection.close();
  }
}

async function main(quick: boolean, json: string | undefined): Promise<void> {
  const atStart = load();
  // The SDK's worker warns while whole workers come and go; only errors are of interest here.
  logThrough(pino({ level: 'error' }));
  const dir = mkdtempSync(join(tmpdir(), 'bellwether-bench-'));
  const platform = await startPlatform({ dir, env: process.env, say });
  try {
    const { ms, value } = await timed(() => measure(platform, dir, quick, atStart));
    const result: BenchResult = { ...value, tookSeconds: ms / 1000 };
    process.stdout.write(`${report(result).join('\n')}\n`);
    if (json === undefined) return;
    mkdirSync(dirname(resolve(json)), { recursive: true });
    writeFileSync(json, `${JSON.stringify(result, null, 2)}\n`);
    say(`written: ${json}`);
  } finally {
    await platform.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

const command = new Command('bench')
  .description('What durability, the front door and the worker cost on this machine; about four minutes.')
  .option('--quick', 'fewer runs: about one minute', false)
  .option('--json <file>', 'write all figures as JSON, too');
const { quick, json } = command.parse().opts<{ quick: boolean; json?: string }>();

// Leaving in order ends the servers and processes that were started (they are groups of their own).
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

process.exit(
  await main(quick, json).then(
    () => 0,
    (error: unknown) => {
      say(`the benchmark failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      return 1;
    },
  ),
);
