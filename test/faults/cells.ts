/** One cell of the crash matrix: an operation, one of its activities, and a disturbance; the end must be the same. */
import { readFileSync } from 'node:fs';
import { defaultPayloadConverter } from '@temporalio/common';
import { differences, type Facts, type Play } from '../../infra/plays/play.ts';
import { until } from '../../infra/processes.ts';
import { operationId } from '../../workflows/model/ids.ts';
import type { OperationView } from '../../workflows/model/operation.ts';
import { abortingAfter, disturbing, type Disturbance, type Strike } from './disturb.ts';
import type { Ground } from './ground.ts';
import { awaitView, ended, loseWorker, openStage, operate, startOperation, type TestStage } from './stage.ts';

const SETTLED_LIMIT_MS = 60_000;
/** A look costs engine and storage some work. */
const SETTLED_EVERY_MS = 250;
/** A fault that is over must not park an operation more often than this. */
const RETRIES_MAX = 3;

/** An activity that the undisturbed operation scheduled. */
export interface Scheduled {
  readonly activityId: string;
  readonly type: string;
  /** "3 of 7: Set global maintenance". */
  readonly summary: string;
}

export interface CellResult {
  /** Undefined: as it must be. */
  readonly wrong?: string;
  /** False: the disturbance met nobody, because the step calls nobody of that kind. */
  readonly met: boolean;
}

/** Waits for the end; a parked operation is told to go on, as a person would when the trouble is over. */
export async function toTheEnd(stage: TestStage, id: string): Promise<OperationView> {
  let retries = 0;
  let answering = false;
  return awaitView(
    stage,
    id,
    'to end',
    (view) => ended(view) || (view.state === 'parked' && retries >= RETRIES_MAX),
    async (view) => {
      if (view.state !== 'parked') answering = false;
      else if (!answering && retries < RETRIES_MAX) {
        answering = true;
        retries += 1;
        await operate(stage, id, 'retry');
      }
    },
  );
}

/** What differs in the end from what must be; undefined: nothing. */
async function judge(stage: TestStage, play: Play, view: OperationView): Promise<string | undefined> {
  if (view.state !== 'done') {
    const failure = view.steps.find((step) => step.failure !== undefined && step.state !== 'done')?.failure;
    return `it is ${view.state}: ${failure === undefined ? '' : `${failure.what}: ${failure.why}`}`;
  }
  return unlike(stage, play, play.expected);
}

/** What is not as it must be, once it has settled. */
async function unlike(stage: TestStage, play: Play, wanted: Facts): Promise<string | undefined> {
  let seen: Facts = {};
  const settled = async () => {
    seen = await play.outside(stage.lab, stage.archive);
    return differences(wanted, seen).length === 0;
  };
  await until('the end to settle', settled, SETTLED_LIMIT_MS, SETTLED_EVERY_MS).catch(() => {});
  const wrong = differences(wanted, seen);
  return wrong.length === 0 ? undefined : wrong.join('; ');
}

export async function onStage<T>(
  ground: Ground,
  play: Play,
  name: string,
  wrapStep: Parameters<typeof openStage>[2],
  work: (stage: TestStage) => Promise<T>,
): Promise<T> {
  const stage = await openStage(ground, name, { ...play.lab, ...wrapStep });
  try {
    await play.prepare?.(stage.lab, stage.archive);
    return await work(stage);
  } finally {
    await stage.close();
  }
}

/** Payloads as text, wherever they are in the history. */
function plainText(history: object): string {
  return JSON.stringify(history, (_key, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString() : value,
  );
}

/** @throws Error when a password of the lab got into the history: it is kept for weeks, and many may read it. */
function requireNoSecrets(stage: TestStage, history: object): void {
  const { ready, fixture } = stage.lab;
  const text = plainText(history);
  for (const secret of [readFileSync(ready.engine.passwordFile, 'utf8').trim(), fixture.hostRootPassword])
    if (text.includes(secret)) throw new Error('a password is in the workflow’s history');
}

async function scheduledIn(stage: TestStage, id: string): Promise<Scheduled[]> {
  const history = await stage.client.workflow.getHandle(id).fetchHistory();
  requireNoSecrets(stage, history);
  const { events } = history;
  return (events ?? []).flatMap((event) => {
    const attributes = event.activityTaskScheduledEventAttributes;
    const summary = event.userMetadata?.summary;
    if (!attributes?.activityId || !attributes.activityType?.name || !summary) return [];
    const text = defaultPayloadConverter.fromPayload<string>(summary);
    // The cluster's lock and the like are tested with the cluster's entity.
    if (!/^\d+ of \d+: /.test(text)) return [];
    return [{ activityId: attributes.activityId, type: attributes.activityType.name, summary: text }];
  });
}

/** The play without a disturbance. @returns its activities, for the cells. @throws Error when its end is wrong. */
export async function undisturbed(ground: Ground, play: Play, name: string): Promise<Scheduled[]> {
  return onStage(ground, play, name, {}, async (stage) => {
    await stage.service();
    const id = await startOperation(stage, play.request(stage.lab));
    const wrong = await judge(stage, play, await toTheEnd(stage, id));
    if (wrong !== undefined) throw new Error(`${play.name}, undisturbed: ${wrong}`);
    return scheduledIn(stage, id);
  });
}

/** Aborted right after the step's effect: all must be as it was before the operation. */
async function abortedCell(ground: Ground, play: Play, at: Scheduled, name: string): Promise<CellResult> {
  const strike: Strike = { met: false };
  let abort = (): Promise<unknown> => Promise.resolve();
  const wrap = { wrapStep: () => abortingAfter(at.activityId, () => abort(), strike) };
  return onStage(ground, play, name, wrap, async (stage) => {
    const before = await play.outside(stage.lab, stage.archive);
    const request = play.request(stage.lab);
    const id = operationId(request);
    abort = () => operate(stage, id, 'abort');
    await stage.service();
    await startOperation(stage, request);
    const view = await toTheEnd(stage, id);
    const wrong = view.state === 'aborted' ? await unlike(stage, play, before) : `it is ${view.state}`;
    return { met: strike.met, ...(wrong === undefined ? {} : { wrong }) };
  });
}

export async function runCell(
  ground: Ground,
  play: Play,
  at: Scheduled,
  disturbance: Disturbance,
  name: string,
): Promise<CellResult> {
  if (disturbance === 'aborted') return abortedCell(ground, play, at, name);
  const strike: Strike = { met: false };
  const killed = disturbance === 'killed-before' || disturbance === 'killed-after';
  const wrap = killed
    ? {}
    : { wrapStep: (lab: TestStage['lab']) => disturbing(lab, at.activityId, disturbance, strike) };
  return onStage(ground, play, name, wrap, async (stage) => {
    const request = play.request(stage.lab);
    const id = operationId(request);
    if (killed) {
      const moment = disturbance === 'killed-before' ? ('before' as const) : ('after' as const);
      const kill = { step: at.summary, activityId: at.activityId, moment };
      await loseWorker(stage, kill, ground.bundleFile, () => startOperation(stage, request));
      strike.met = true;
      await stage.service();
    } else {
      await stage.service();
      await startOperation(stage, request);
    }
    const wrong = await judge(stage, play, await toTheEnd(stage, id));
    return { met: strike.met, ...(wrong === undefined ? {} : { wrong }) };
  });
}
