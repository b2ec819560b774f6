/** Maintenance windows as Temporal schedules. */
import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type Client,
  type ScheduleDescription,
  type WorkflowExecutionInfo,
} from '@temporalio/client';
import { defineSearchAttributeKey, TypedSearchAttributes } from '@temporalio/common';
import { msToTs, tsToMs } from '@temporalio/common/lib/time.js';
import { windowId, WINDOW_WORKFLOW, type WindowInput } from '../../workflows/model/window.ts';
import { GRPC, grpcError, unavailable, type Deadlines } from '../operations/temporal-common.ts';
import type { KnownWindow, PastOpening, WindowDesk } from './ports.ts';
import { storedInput } from './stored.ts';
import { scheduleOf } from './temporal-spec.ts';

const PAST_SHOWN = 5;
const WINDOWS_MAX = 100;
const HE_STATE = defineSearchAttributeKey('HeState', 'KEYWORD');
const keyword = (name: string, value: string) => ({ key: defineSearchAttributeKey(name, 'KEYWORD'), value });

function attributesOf({ definition: { cluster, ticket } }: WindowInput): TypedSearchAttributes {
  return new TypedSearchAttributes([
    keyword('HeCluster', cluster),
    keyword('HeOperation', 'window'),
    ...(ticket === undefined ? [] : [keyword('HeTicket', ticket)]),
  ]);
}

function pastOf(info: WorkflowExecutionInfo): PastOpening {
  const { workflowId, status, startTime, typedSearchAttributes, memo } = info;
  const state = typedSearchAttributes.get(HE_STATE) ?? 'opening';
  const openedAt = startTime.toISOString();
  if (status.name !== 'RUNNING' && status.name !== 'COMPLETED') {
    const outcome = 'Temporal ended it before it could close: see that global maintenance is off';
    return { id: workflowId, openedAt, state: status.name.toLowerCase(), outcome };
  }
  const outcome = memo?.['outcome'];
  return { id: workflowId, openedAt, state, ...(typeof outcome === 'string' ? { outcome } : {}) };
}

/** Ids are made of names without quotes; a foreign one is no window. */
async function pastOpenings(client: Client, id: string): Promise<PastOpening[]> {
  const query = `WorkflowType = '${WINDOW_WORKFLOW}' AND TemporalScheduledById = '${id.replaceAll("'", '')}'`;
  const past: PastOpening[] = [];
  for await (const info of client.workflow.list({ query, pageSize: PAST_SHOWN })) {
    past.push(pastOf(info));
    if (past.length >= PAST_SHOWN) break;
  }
  return past;
}

async function known(client: Client, description: ScheduleDescription): Promise<KnownWindow | undefined> {
  const { action, state, info, scheduleId } = description;
  const args: unknown = action.args?.[0];
  const input = storedInput.safeParse(args);
  if (!input.success) return undefined;
  return {
    input: input.data,
    ...(state.paused ? { paused: state.note ?? 'paused' } : {}),
    open: info.runningActions.length > 0,
    last: await pastOpenings(client, scheduleId),
  };
}

async function listed(client: Client, cluster: string | undefined): Promise<KnownWindow[]> {
  const ids: string[] = [];
  for await (const { scheduleId } of client.schedule.list()) {
    if (scheduleId.startsWith(cluster === undefined ? 'window/' : `window/${cluster}/`)) ids.push(scheduleId);
    if (ids.length >= WINDOWS_MAX) break;
  }
  const windows = await Promise.all(
    ids.toSorted().map(async (id) => {
      // Deleted since: the list is a little behind.
      const description = await client.schedule.getHandle(id).describe().catch(gone);
      return description === undefined ? undefined : known(client, description);
    }),
  );
  return windows.filter((window) => window !== undefined);
}

function gone(error: unknown): undefined {
  if (!(error instanceof ScheduleNotFoundError)) throw error;
  return undefined;
}

async function times(client: Client, id: string, from: Date, to: Date): Promise<number[]> {
  const { startTime } = await client.workflowService.listScheduleMatchingTimes({
    namespace: client.options.namespace,
    scheduleId: id,
    startTime: msToTs(from.getTime()),
    endTime: msToTs(to.getTime()),
  });
  return startTime.map((time) => tsToMs(time));
}

/** The desk on a Temporal client. */
export function createWindowDesk(client: Client, taskQueue: string, { serverDeadlineMs }: Deadlines): WindowDesk {
  /** Several calls each, so a little more patience than for one. */
  const within = <T>(work: () => Promise<T>) => client.withDeadline(Date.now() + serverDeadlineMs * 2, work);
  const on = <T extends { readonly outcome: string }>(
    cluster: string,
    name: string,
    work: (id: string) => Promise<T>,
  ) =>
    within(() => work(windowId(cluster, name))).catch((error: unknown) => {
      const missing = error instanceof ScheduleNotFoundError || grpcError(error)?.code === GRPC.NOT_FOUND;
      return missing ? { outcome: 'unknown' as const } : unavailable(error);
    });
  const done = { outcome: 'done' } as const;
  const handle = (id: string) => client.schedule.getHandle(id);
  return {
    create: (input) =>
      within(async () => {
        await client.schedule.create(scheduleOf(input, taskQueue, attributesOf(input)));
        return { outcome: 'created' as const };
      }).catch((error: unknown) => {
        if (error instanceof ScheduleAlreadyRunning) return { outcome: 'exists' as const };
        const grpc = grpcError(error);
        return grpc?.code === GRPC.INVALID_ARGUMENT
          ? { outcome: 'refused' as const, why: grpc.details }
          : unavailable(error);
      }),
    list: (cluster) =>
      within(async () => ({ outcome: 'listed' as const, windows: await listed(client, cluster) })).catch(unavailable),
    show: (cluster, name) =>
      on(cluster, name, async (id) => {
        const window = await known(client, await handle(id).describe());
        return window === undefined ? { outcome: 'unknown' as const } : { outcome: 'found' as const, window };
      }),
    times: (cluster, name, from, to) =>
      on(cluster, name, async (id) => ({ outcome: 'listed' as const, times: await times(client, id, from, to) })),
    pause: (cluster, name, note) =>
      on(cluster, name, async (id) =>
        handle(id)
          .pause(note)
          .then(() => done),
      ),
    resume: (cluster, name, note) =>
      on(cluster, name, async (id) =>
        handle(id)
          .unpause(note)
          .then(() => done),
      ),
    remove: (cluster, name) =>
      on(cluster, name, async (id) =>
        handle(id)
          .delete()
          .then(() => done),
      ),
    runNow: (cluster, name) =>
      on(cluster, name, async (id) => {
        const { info } = await handle(id).describe();
        if (info.runningActions.length > 0) return { outcome: 'open' as const };
        await handle(id).trigger(ScheduleOverlapPolicy.SKIP);
        return done;
      }),
  };
}
