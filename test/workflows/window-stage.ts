/** Openings of maintenance windows on the shared server: the real workflows, activities on worlds in memory. */
import { randomUUID } from 'node:crypto';
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { NativeConnection, Worker } from '@temporalio/worker';
import { inject } from 'vitest';
import { asActivity } from '../../activities/border.activities.ts';
import { lockActivities } from '../../activities/cluster/lock.activities.ts';
import { windowActivities } from '../../activities/cluster/window.activities.ts';
import { CounterpartError } from '../../activities/errors.ts';
import type { BoardFacts } from '../../workflows/model/hosted-engine.ts';
import {
  MESSAGES,
  type OperationView,
  type OperatorAction,
  type StepOutcome,
} from '../../workflows/model/operation.ts';
import {
  WINDOW_MESSAGES,
  WINDOW_WORKFLOW,
  type WindowDefinition,
  type WindowResult,
  type WindowView,
} from '../../workflows/model/window.ts';
import { eventually, TIMING } from './stage.ts';

const every = [{ start: 0, end: 59, step: 1 }];

/** One cluster in memory. */
export class WindowWorld {
  maintenance = false;
  /** The steps that ran, each with whether global maintenance was on. */
  readonly ran: string[] = [];
  /** Steps that wait for a person. */
  readonly failing = new Set<string>();
  readonly held = new Map<string, Promise<void>>();

  hold(step: string): () => void {
    let open = () => {};
    this.held.set(step, new Promise((resolve) => (open = resolve)));
    return open;
  }
}

interface Input {
  readonly cluster: string;
  readonly facts?: Partial<BoardFacts>;
}

function activities(worldOf: (cluster: string) => WindowWorld) {
  const step = <T>(name: string, act: (world: WindowWorld, input: Input) => T) =>
    asActivity(async (_context, input: Input): Promise<StepOutcome<T>> => {
      const world = worldOf(input.cluster);
      world.ran.push(`${name}${world.maintenance ? ' in maintenance' : ''}`);
      await world.held.get(name);
      if (world.failing.has(name)) {
        const words = { subject: 'host1', what: `${name} failed`, why: 'it was told to', remedy: 'Tell it not to.' };
        throw new CounterpartError({ type: 'fake/no', kind: 'needs-operator', ...words });
      }
      return { done: 'now', summary: name, value: act(world, input) };
    });
  return {
    inspectBoard: step('inspectBoard', (world) => ({ globalMaintenanceBefore: world.maintenance })),
    enterGlobalMaintenance: step('enter', (world) => void (world.maintenance = true)),
    leaveGlobalMaintenance: step('leave', (world, { facts }) => {
      if (facts?.globalMaintenanceBefore !== true) world.maintenance = false;
    }),
    inspectStorage: step('inspectStorage', () => ({})),
    takeBackup: step('takeBackup', () => ({ bucket: 'b', manifestKey: 'm', objects: 1, bytes: 1, notTaken: [] })),
    discardBackup: step('discardBackup', () => null),
    inspectEdit: step('inspectEdit', () => ({ vm: { name: 'HostedEngine' } })),
    editEngineVm: step('editEngineVm', () => null),
    revertEngineVm: step('revertEngineVm', () => null),
    persistEngineVm: step('persistEngineVm', () => ['persisted']),
  };
}

const COMMON = { version: 1, ifBusy: 'queue' } as const;

export class WindowStage {
  readonly client: Client;
  readonly taskQueue = randomUUID();
  readonly #connection: Connection;
  readonly #worlds = new Map<string, WindowWorld>();
  #worker: { stop(): Promise<void> } | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.client = new Client({ connection, namespace: inject('temporal').namespace, identity: 'test' });
  }

  world(cluster: string): WindowWorld {
    const world = this.#worlds.get(cluster) ?? new WindowWorld();
    this.#worlds.set(cluster, world);
    return world;
  }

  async startWorker(): Promise<void> {
    const connection = await NativeConnection.connect({ address: inject('temporal').address });
    const worker = await Worker.create({
      connection,
      namespace: inject('temporal').namespace,
      taskQueue: this.taskQueue,
      workflowBundle: { codePath: inject('bundleFile') },
      activities: {
        ...activities((cluster) => this.world(cluster)),
        ...lockActivities(this.client, this.taskQueue),
        ...windowActivities(this.client, this.taskQueue),
      },
      stickyQueueScheduleToStartTimeout: '1s',
    });
    const done = worker.run().catch(() => undefined);
    this.#worker = {
      async stop() {
        worker.shutdown();
        await done;
        await connection.close();
      },
    };
  }

  /** Held steps go on first: a worker that ends waits for what it runs. */
  async stopWorker(): Promise<void> {
    await this.#worker?.stop();
    this.#worker = undefined;
  }

  async close(): Promise<void> {
    await this.stopWorker();
    await this.#connection.close();
  }

  /** A window of its own cluster: global maintenance around an edit and a backup, four hours. */
  window(change: Partial<WindowDefinition> = {}): WindowDefinition {
    const cluster = `w${randomUUID().slice(0, 8)}`;
    return {
      version: 1,
      cluster,
      name: 'sat',
      when: 'every sat 22:00',
      timeZone: 'Europe/Berlin',
      calendars: [
        {
          minute: [{ start: 0, end: 0, step: 1 }],
          hour: [{ start: 22, end: 22, step: 1 }],
          dayOfMonth: every,
          month: every,
          dayOfWeek: [{ start: 6, end: 6, step: 1 }],
        },
      ],
      lengthMinutes: 240,
      jitterMinutes: 0,
      catchUpMinutes: 120,
      overlap: 'skip',
      freezes: [],
      globalMaintenance: true,
      operations: [
        { ...COMMON, operation: 'edit-engine-vm', cluster, change: { description: 'new' } },
        { ...COMMON, operation: 'backup', cluster },
      ],
      createdBy: 'test',
      createdAt: '2026-01-01T00:00:00.000Z',
      ...change,
    };
  }

  /**
   * An opening now, as its schedule starts it: with the last one's result. Skipped time is the opening's alone: its
   * operations, which it does not wait for as children, keep the clock of the machine.
   */
  async open(definition: WindowDefinition, last?: WindowResult, skipTime = false): Promise<OpeningHandle> {
    const id = `window/${definition.cluster}/${definition.name}-${randomUUID().slice(0, 8)}`;
    await this.#start(id, WINDOW_WORKFLOW, { definition, timing: TIMING }, skipTime, last);
    return new OpeningHandle(this, id);
  }

  /** The opening's closer once more, which does not wait minutes between its looks. */
  async hurryCloser(opening: OpeningHandle): Promise<WorkflowHandle<() => Promise<string>>> {
    const { id } = opening;
    const { events } = await (await opening.closer()).fetchHistory();
    const [payload] = events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    if (!payload) throw new Error(`${id} has no closer`);
    await this.#start(`${id}/hurried`, 'windowCloser', defaultPayloadConverter.fromPayload(payload), true);
    return this.client.workflow.getHandle<() => Promise<string>>(`${id}/hurried`);
  }

  async #start(workflowId: string, name: string, input: unknown, skipTime: boolean, last?: unknown): Promise<void> {
    const payload = (value: unknown) => defaultPayloadConverter.toPayload(value);
    await this.client.workflowService.startWorkflowExecution({
      namespace: this.client.options.namespace,
      requestId: randomUUID(),
      workflowId,
      workflowType: { name },
      taskQueue: { name: this.taskQueue },
      input: { payloads: [payload(input)] },
      ...(last === undefined ? {} : { lastCompletionResult: { payloads: [payload(last)] } }),
      timeSkippingConfig: { enabled: skipTime },
    });
  }

  operation(id: string): Promise<OperationView> {
    return this.client.workflow.getHandle(id).query<OperationView>(MESSAGES.view);
  }

  /** Whether the signal has reached the workflow. */
  async wasTold(id: string, signal: string): Promise<boolean> {
    const { events } = await this.client.workflow.getHandle(id).fetchHistory();
    return (events ?? []).some((event) => event.workflowExecutionSignaledEventAttributes?.signalName === signal);
  }

  async operate(id: string, action: OperatorAction): Promise<void> {
    await this.client.workflow.getHandle(id).executeUpdate(action, { args: [{ by: 'alice' }] });
  }
}

export class OpeningHandle {
  readonly #stage: WindowStage;
  readonly id: string;

  constructor(stage: WindowStage, id: string) {
    this.#stage = stage;
    this.id = id;
  }

  get handle() {
    return this.#stage.client.workflow.getHandle<() => Promise<WindowResult>>(this.id);
  }

  /** It closes the opening where that is terminated. */
  async closer(): Promise<WorkflowHandle<() => Promise<string>>> {
    const { events } = await this.handle.fetchHistory();
    const child = events?.find((event) => event.childWorkflowExecutionStartedEventAttributes);
    const id = child?.childWorkflowExecutionStartedEventAttributes?.workflowExecution?.workflowId;
    if (!id?.endsWith('/closer')) throw new Error(`${this.id} has no closer`);
    return this.#stage.client.workflow.getHandle<() => Promise<string>>(id);
  }

  view(): Promise<WindowView> {
    return this.handle.query<WindowView>(WINDOW_MESSAGES.view);
  }

  async until(what: string, wanted: (view: WindowView) => boolean): Promise<WindowView> {
    let view: WindowView | undefined;
    await eventually(
      `${this.id}: ${what}`,
      async () => wanted((view = await this.view())),
      () => view,
    );
    return view ?? this.view();
  }

  result(): Promise<WindowResult> {
    return this.handle.result();
  }
}

export async function openWindowStage(): Promise<WindowStage> {
  const stage = new WindowStage(
    await Connection.connect({ address: inject('temporal').address, connectTimeout: '5s' }),
  );
  await stage.startWorker();
  return stage;
}
