/** The benchmark's result for people. */
import type { BundleFacts } from './bundle.ts';
import type { DoorResult } from './door.ts';
import type { HostWorkerResult } from './host-worker.ts';
import type { BenchResult } from './result.ts';
import type { MemoryResult, ParkedMemory } from './memory.ts';
import { LAB_SPEED, type Comparison, type Overhead } from './overhead.ts';
import type { Sent } from './senders.ts';
import { against, round, table } from './table.ts';

/** orchestration.md 7.2, P1, P4 and P7. */
const GOALS = { perStepMs: 25, allMs: 1000, webhookP50Ms: 10, webhookP99Ms: 50, bundleKb: 1800, parkedKb: 400 };
/** Issue 4, Figures. */
const HOST_GOALS = { bundleKb: 2000, rssMb: 50, privateMb: 16, cpuPercent: 0.3, storageKb: 150 };

function comparison(name: string, { runs, plainMs, durableMs, overheadMs, overheadPerStepMs, ratio }: Comparison) {
  return [name, runs, plainMs, durableMs, overheadMs, overheadPerStepMs, `${round(ratio)} x`];
}

function overheadPart({ idle, lab }: Overhead): string[] {
  const { profile, steps } = idle;
  const head = ['', 'runs', 'plain ms', 'durable ms', 'overhead ms', `per step (${steps})`, 'durable/plain'];
  return [
    '1. The upgrade under Temporal beside a plain runner of the same steps (medians)',
    ...table(head, [comparison('steps that do nothing', idle), comparison(`real steps, lab at ${LAB_SPEED} x`, lab)]),
    `  Durability (steps that do nothing): per step ${against(idle.overheadPerStepMs, GOALS.perStepMs, 'ms')}; in all ${against(idle.overheadMs, GOALS.allMs, 'ms')}.`,
    `  Fastest durable run ${Math.round(Math.min(...idle.durableAllMs))} ms; worker and client took ${Math.round(idle.durableCpuMs)} ms of processor time per run.`,
    `  On the lab: per step ${against(lab.overheadPerStepMs, GOALS.perStepMs, 'ms')}; in all ${against(lab.overheadMs, GOALS.allMs, 'ms')} (the lab's own scatter: plain runs took ${Math.round(Math.min(...lab.plainAllMs))} to ${Math.round(Math.max(...lab.plainAllMs))} ms).`,
    `  Where it goes (last run, medians): activity handed over after ${round(profile.activityWait)} ms, done and reported in ${round(profile.activityRun)}; next workflow task handed over after ${round(profile.taskWait)}, answered in ${round(profile.taskRun)}.`,
    `  ${profile.events} events, ${profile.workflowTasks} workflow tasks, ${profile.activities} activities, ${profile.failedTasks} failed tasks.`,
  ];
}

function sent(name: string, { senders, requests, p50Ms, p99Ms, perSecond, failed }: Sent, base: Sent) {
  return [name, senders, requests, p50Ms, p99Ms, perSecond, `${round(p50Ms / base.p50Ms)} x`, failed];
}

function doorPart(results: readonly DoorResult[]): string[] {
  const head = ['', 'senders', 'requests', 'p50 ms', 'p99 ms', 'req/s', 'p50 / bare start', 'not 202'];
  const rows = results.flatMap(({ webhook, bareStart, idleRoute }) => [
    sent('signed webhook -> 202, workflow started', webhook, bareStart),
    sent('bare Temporal start (SDK client)', bareStart, bareStart),
    sent('Hono route that does nothing', idleRoute, bareStart),
  ]);
  const single = results[0]?.webhook;
  const goals =
    single === undefined
      ? []
      : [
          `  One sender: p50 ${against(single.p50Ms, GOALS.webhookP50Ms, 'ms')}; p99 ${against(single.p99Ms, GOALS.webhookP99Ms, 'ms')}.`,
        ];
  return ['2. The front door (no worker on the queue)', ...table(head, rows), ...goals];
}

function parked(name: string, memory: ParkedMemory) {
  const { operations, cache, emptyMb, parkedMb, entityKb, operationKb } = memory;
  return [name, operations, cache, emptyMb, parkedMb, operationKb, entityKb];
}

function workerPart(bundle: BundleFacts, { startUp, all, limited }: MemoryResult): string[] {
  const head = ['', 'parked', 'cache', 'RSS before MB', 'RSS after MB', 'KB/operation', 'KB/cluster entity'];
  const other = bundle.packages.filter((name) => !name.startsWith('@temporalio/'));
  return [
    '3. Workflow bundle and parked operations',
    `  Bundle: ${Math.round(bundle.withSourceMapKb)} kB with its source map (${Math.round(bundle.codeKb)} kB of code), ${against(bundle.withSourceMapKb, GOALS.bundleKb, 'kB')}; zod in it: ${bundle.hasZod ? 'YES' : 'no'}; built in ${Math.round(bundle.buildMs)} ms.`,
    `  Packages in it beside Temporal's own: ${other.length === 0 ? 'none' : other.join(', ')}.`,
    ...table(head, [parked('all in memory', all), parked('the worker as it is', limited)]),
    `  A parked operation in memory: ${against(all.operationKb, GOALS.parkedKb, 'KB')}.`,
    '',
    '4. Start-up of a worker process (bundle prebuilt)',
    `  Program loaded after ${Math.round(startUp.loadedMs)} ms, worker ready after ${Math.round(startUp.readyMs)} ms, first step of a waiting operation after ${Math.round(startUp.firstStepMs)} ms; ${Math.round(startUp.rssMb)} MB resident.`,
  ];
}

function hostWorkerPart({ bundleKb, startMs, seconds, main, board }: HostWorkerResult): string[] {
  const row = (name: string, { rssMb, privateMb, cpu, storageKbPerSecond }: HostWorkerResult['main']) => [
    name,
    rssMb,
    privateMb,
    cpu * 100,
    storageKbPerSecond,
  ];
  const all = main.cpu + board.cpu;
  return [
    `5. An idle host worker, default profile, ${seconds} s (3 hosts)`,
    ...table(
      ['', 'RSS MB', 'private MB', '% of a core', 'storage KB/s'],
      [row('worker', main), row('its storage process', board)],
    ),
    `  RSS of the worker ${against(main.rssMb, HOST_GOALS.rssMb, 'MB')}; private ${against(main.privateMb, HOST_GOALS.privateMb, 'MB')}.`,
    `  Processor, both: ${against(all * 100, HOST_GOALS.cpuPercent, '%')}; storage ${against(main.storageKbPerSecond + board.storageKbPerSecond, HOST_GOALS.storageKb, 'KB/s')}.`,
    `  Bundle ${Math.round(bundleKb)} kB, ${against(bundleKb, HOST_GOALS.bundleKb, 'kB')}; first answer ${Math.round(startMs)} ms after its start.`,
  ];
}

/** @returns the lines of the report */
export function report(result: BenchResult): string[] {
  const { machine, load, warnings } = result;
  const { cores, cpu, memoryGib, os, node, temporal, temporalOrigin } = machine;
  const loads = [load.atStart, load.overhead, load.door, load.memory, load.atEnd].map((value) => value.toFixed(1));
  return [
    '',
    `Bellwether bench, ${result.at}${result.quick ? ' (--quick)' : ''}, ${Math.round(result.tookSeconds)} s`,
    `${cores} cores (${cpu}), ${memoryGib} GiB, ${os}; Node ${node}; Temporal ${temporal} on SQLite (${temporalOrigin})`,
    `load average at start and before 1, 2, 3, at end: ${loads.join(', ')}`,
    ...warnings.map((warning) => `WARNING: ${warning}`),
    '',
    ...overheadPart(result.overhead),
    '',
    ...doorPart(result.door),
    '',
    ...workerPart(result.bundle, result.memory),
    '',
    ...hostWorkerPart(result.hostWorker),
  ];
}
