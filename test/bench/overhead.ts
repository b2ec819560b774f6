/** What durability costs: the upgrade under Temporal beside the same steps awaited one after the other. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import type { WorkflowBundle } from '@temporalio/worker';
import type { Counterparts } from '../../activities/counterparts.ts';
import { startLab, type Lab } from '../../infra/lab/lab.ts';
import type { Platform } from '../../infra/start/platform.ts';
import { createCounterparts } from '../../infra/start/service.ts';
import { startOrchestrator } from '../../workers/orchestrator/worker.ts';
import { DEFAULT_TIMING, MESSAGES, type OperationView } from '../../workflows/model/operation.ts';
import type { UpgradeRequest } from '../../workflows/model/requests.ts';
import { UPGRADE_STEPS, type UpgradeActivities } from '../../workflows/model/upgrade.ts';
import type { OperationResult } from '../../workflows/model/operation.ts';
import { runBody } from '../../workflows/steps/definition.ts';
import { runUpgrade } from '../../workflows/upgrade/steps.ts';
import { PlainRunner } from './plain-runner.ts';
import { profileOf, type Profile } from './profile.ts';
import { median, timed } from './stats.ts';
import { RETRY_MS, idleActivities, labSteps } from './steps.ts';

/** Lab seconds per second: its delays are then shorter than its own work. Faster, its host agents take the processor. */
export const LAB_SPEED = 50;
/** A cluster's entity stays on the queue of its first operation, so each queue has a cluster of its own. */
const IDLE_CLUSTER = 'Idle';
const CLUSTER = 'Default';
const TIMING = { ...DEFAULT_TIMING, firstRetryMs: RETRY_MS, maxRetryMs: RETRY_MS };
const UPGRADE_LIMIT_MS = 60_000;

export interface OverheadOptions {
  readonly platform: Platform;
  readonly client: Client;
  readonly workflowBundle: WorkflowBundle;
  readonly dir: string;
  readonly labRuns: number;
  /** No new round after so long, when the machine is busy; two are always made. */
  readonly labLimitMs: number;
  readonly idleRuns: number;
  readonly idleLimitMs: number;
  readonly say: (line: string) => void;
}

/** Medians in milliseconds. */
export interface Comparison {
  readonly runs: number;
  readonly steps: number;
  readonly plainMs: number;
  readonly durableMs: number;
  readonly overheadMs: number;
  readonly overheadPerStepMs: number;
  /** durable / plain. */
  readonly ratio: number;
  readonly plainAllMs: readonly number[];
  readonly durableAllMs: readonly number[];
  /** Processor time of this process (worker and client; on a lab the lab, too): it shows what noise hides. */
  readonly durableCpuMs: number;
  readonly profile: Profile;
}

export interface Overhead {
  readonly lab: Comparison;
  readonly idle: Comparison;
}

function requestFor(cluster: string, key: string, vmConf?: string): UpgradeRequest {
  return {
    version: 1,
    operation: 'upgrade',
    cluster,
    key,
    ticket: key,
    requestedBy: 'bench',
    ifBusy: 'queue',
    source: 'auto',
    ...(vmConf === undefined ? {} : { vmConf }),
  };
}

async function runPlain(activities: UpgradeActivities, request: UpgradeRequest): Promise<number> {
  const runner = new PlainRunner(activities);
  const startedAt = new Date().toISOString();
  const call = { operationId: `upgrade/${request.cluster}/${request.key}`, cluster: request.cluster, startedAt };
  const { ms, value } = await timed(() => runBody({ body: runUpgrade }, runner, call, request));
  if (value.state !== 'done') throw new Error(`the plain run ended ${value.state}: ${value.lines.join(' ')}`);
  return ms;
}

/** What a run that does not end waits for. */
async function stuck(client: Client, workflowId: string): Promise<never> {
  const view = await client.workflow.getHandle(workflowId).query<OperationView>(MESSAGES.view);
  const failures = view.steps.flatMap(({ name, failure }) =>
    failure === undefined ? [] : [`${name}: ${failure.what}: ${failure.why}`],
  );
  throw new Error(`${workflowId} is ${view.state} after ${UPGRADE_LIMIT_MS} ms; ${failures.join('; ')}`);
}

interface Durable {
  readonly ms: number;
  readonly cpuMs: number;
  readonly workflowId: string;
}

async function runDurable(client: Client, taskQueue: string, request: UpgradeRequest): Promise<Durable> {
  const workflowId = `upgrade/${request.cluster}/${request.key}`;
  const upgrade = async () => {
    const args = [{ request, timing: TIMING }];
    const handle = await client.workflow.start('upgradeHostedEngine', { workflowId, taskQueue, args });
    const result: Promise<OperationResult> = handle.result();
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, UPGRADE_LIMIT_MS);
    });
    const ended = await Promise.race([result, limit.then(() => stuck(client, workflowId))]);
    clearTimeout(timer);
    return ended;
  };
  const before = process.cpuUsage();
  const { ms, value } = await timed(upgrade);
  const { user, system } = process.cpuUsage(before);
  if (value.state !== 'done') throw new Error(`${workflowId} ended ${value.state}: ${value.lines.join(' ')}`);
  return { ms, cpuMs: (user + system) / 1000, workflowId };
}

/** One run of each kind, the order changing from round to round: neither always meets the warmer machine. */
async function inTurn(round: number, plain: () => Promise<void>, durable: () => Promise<void>): Promise<void> {
  const order = round % 2 === 0 ? [plain, durable] : [durable, plain];
  for (const run of order) await run();
}

/** The first round only warms up. */
function more(round: number, rounds: number, deadline: number): boolean {
  return round <= 2 || (round <= rounds && performance.now() < deadline);
}

/** Leaves the warm-up out. */
function compare(plainRuns: readonly number[], durableRuns: readonly Durable[], profile: Profile): Comparison {
  const plainAllMs = plainRuns.slice(1);
  const durableAllMs = durableRuns.slice(1).map(({ ms }) => ms);
  const plainMs = median(plainAllMs);
  const durableMs = median(durableAllMs);
  const overheadMs = durableMs - plainMs;
  const steps = UPGRADE_STEPS.length;
  return {
    runs: plainAllMs.length,
    steps,
    plainMs,
    durableMs,
    overheadMs,
    overheadPerStepMs: overheadMs / steps,
    ratio: durableMs / plainMs,
    plainAllMs,
    durableAllMs,
    durableCpuMs: median(durableRuns.slice(1).map(({ cpuMs }) => cpuMs)),
    profile,
  };
}

const NOBODY = new Error('no lab is up');

/** The worker that serves one queue of this benchmark, with steps of its own. */
async function withWorker<T>(
  options: OverheadOptions,
  taskQueue: string,
  steps: UpgradeActivities,
  work: () => Promise<T>,
): Promise<T> {
  const { platform, client, workflowBundle } = options;
  const config = {
    clusters: [],
    bucket: 'bellwether-bench',
    taskQueue,
    logLevel: 'silent',
    tickets: undefined,
    timing: DEFAULT_TIMING,
  };
  const counterparts = createCounterparts(platform, config);
  const { address, namespace } = platform.temporal;
  const orchestrator = await startOrchestrator({
    address,
    namespace,
    taskQueue,
    client,
    counterparts,
    workflowBundle,
    steps: { ...steps },
  });
  try {
    return await work();
  } finally {
    await orchestrator.stop();
    await counterparts.clusters.close();
  }
}

/** Steps that do nothing: the lab's noise can't hide the cost. */
async function compareIdle(options: OverheadOptions): Promise<Comparison> {
  const { client } = options;
  const taskQueue = 'bench-idle';
  const plainAll: number[] = [];
  const durableAll: Durable[] = [];
  const deadline = performance.now() + options.idleLimitMs;
  await withWorker(options, taskQueue, idleActivities('durable'), async () => {
    for (let round = 0; more(round, options.idleRuns, deadline); round += 1) {
      const request = requestFor(IDLE_CLUSTER, `IDLE${round}`);
      const plain = async () => void plainAll.push(await runPlain(idleActivities('plain'), request));
      const durable = async () => {
        durableAll.push(await runDurable(client, taskQueue, request));
      };
      await inTurn(round, plain, durable);
    }
  });
  return compare(plainAll, durableAll, await profileOf(client, durableAll.at(-1)?.workflowId ?? ''));
}

/** A fresh lab, and clients for it; both gone when the work is done. */
async function withLab<T>(
  options: OverheadOptions,
  work: (lab: Lab, counterparts: Counterparts) => Promise<T>,
): Promise<T> {
  const dir = mkdtempSync(join(options.dir, 'lab-'));
  const lab = await startLab({ dir, speed: LAB_SPEED, cluster: CLUSTER });
  const counterparts = createCounterparts(options.platform, {
    clusters: [{ name: CLUSTER, engine: lab.ready.engine, hosts: lab.ready.hosts }],
    // A bucket of its own: a backup that is there already would not be made again.
    bucket: `bellwether-${dir.slice(-6).toLowerCase()}`,
    taskQueue: '',
    logLevel: 'silent',
    tickets: undefined,
    timing: DEFAULT_TIMING,
  });
  try {
    return await work(lab, counterparts);
  } finally {
    await counterparts.clusters.close();
    await lab.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function compareOnLabs(options: OverheadOptions): Promise<Comparison> {
  const { client, say } = options;
  const taskQueue = 'bench-lab';
  const plainAll: number[] = [];
  const durableAll: Durable[] = [];
  let current: Counterparts | undefined;
  const deadline = performance.now() + options.labLimitMs;
  const used = () => {
    if (current === undefined) throw NOBODY;
    return current;
  };
  const plainSteps = labSteps(used, LAB_SPEED, 'plain');
  const onLab = (work: (request: UpgradeRequest) => Promise<void>, key: string) =>
    withLab(options, async (lab, counterparts) => {
      current = counterparts;
      await work(requestFor(CLUSTER, key, lab.fixture.vmConf));
    });
  await withWorker(options, taskQueue, labSteps(used, LAB_SPEED, 'durable'), async () => {
    for (let round = 0; more(round, options.labRuns, deadline); round += 1) {
      const plain = () =>
        onLab(async (request) => void plainAll.push(await runPlain(plainSteps, request)), `PLAIN${round}`);
      const durable = () =>
        onLab(async (request) => {
          durableAll.push(await runDurable(client, taskQueue, request));
        }, `LAB${round}`);
      await inTurn(round, plain, durable);
      say(
        `  round ${round} of ${options.labRuns}: plain ${Math.round(plainAll.at(-1) ?? 0)} ms, durable ${Math.round(durableAll.at(-1)?.ms ?? 0)} ms${round === 0 ? ' (warm-up)' : ''}`,
      );
    }
  });
  return compare(plainAll, durableAll, await profileOf(client, durableAll.at(-1)?.workflowId ?? ''));
}

export async function measureOverhead(options: OverheadOptions): Promise<Overhead> {
  const idle = await compareIdle(options);
  return { idle, lab: await compareOnLabs(options) };
}
