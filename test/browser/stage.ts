/** A front door with made-up ports on a real Node server, for a browser to look at. */
import { createApp } from '../../api/app.ts';
import { serveApp, type ServedApp } from '../../api/adapters/node.ts';
import { entity, look } from '../../api/clusters/testing.ts';
import type { RunReply } from '../../api/clusters/ports.ts';
import type { AppPorts, OperationReport, OperationSummary } from '../../api/ports.ts';
import { memoryPorts } from '../../api/testing/ports.ts';
import type { RecordedLog } from '../../api/testing/record.ts';
import type { StartOrder } from '../../api/ports.ts';
import { createDeliveryLog } from '../../api/webhooks/deliveries.ts';
import { windowBody } from '../../api/schemas/window.ts';
import { readDefinition } from '../../api/windows/definition.ts';
import type { KnownWindow } from '../../api/windows/ports.ts';
import type { ClusterLook, HostLook } from '../../workflows/model/look.ts';
import type { OperatorAction, OperatorCommand, StepView } from '../../workflows/model/operation.ts';

export const TOKENS = { alice: 'tok-alice-0123456789', bob: 'tok-bob-0123456789', plain: 'tok-plain-0123456789' };
export const PARKED = 'upgrade/Default/CHG1';

const step = (name: string, title: string, state: StepView['state']): StepView => ({ name, title, state });

export const parked: OperationReport = {
  id: PARKED,
  operation: 'upgrade',
  cluster: 'Default',
  ticket: 'CHG1',
  requestedBy: 'webhook:servicedesk',
  state: 'parked',
  waitsFor: 'an operator',
  steps: [
    { ...step('preconditions', 'Check what must hold', 'done'), summary: 'all is well' },
    {
      ...step('import-domain', 'Import the storage domain', 'parked'),
      failure: {
        type: 'engine/data-center-not-up',
        what: 'The storage domain was not imported',
        why: 'the data center is not up',
        remedy: 'Activate the data center, then retry.',
        attempts: 3,
      },
    },
    step('verify', 'Verify', 'pending'),
  ],
  undo: [],
  actions: ['retry', 'abort'],
  startedAt: '2026-11-21T14:00:00.000Z',
  execution: 'running',
  readFrom: 'workflow',
};

export const running: OperationReport = {
  ...parked,
  state: 'running',
  actions: ['abort'],
  steps: [step('preconditions', 'Check what must hold', 'running'), step('verify', 'Verify the end', 'pending')],
};

/** Each Saturday night in Berlin; it was open a week ago. */
export function saturday(): KnownWindow {
  const body = windowBody.parse({
    cluster: 'Default',
    name: 'saturday',
    every: 'sat 22:00',
    timeZone: 'Europe/Berlin',
    lengthMinutes: 240,
    globalMaintenance: true,
    operations: [{ operation: 'rolling-host-update' }, { operation: 'backup', keep: 30 }],
  });
  const read = readDefinition(body, 'cli:alice', new Date());
  if (!read.ok) throw new Error(JSON.stringify(read.errors));
  const timing = { firstRetryMs: 1000, maxRetryMs: 30_000, stepPatienceMs: 600_000, heartbeatMs: 10_000 };
  const last = [{ id: 'window/Default/saturday-1', openedAt: '2026-11-14T21:00:00.000Z', state: 'done' }];
  return { input: { definition: read.definition, timing }, open: false, last };
}

function summaryOf({ id, operation, cluster, ticket, state, execution, startedAt }: OperationReport): OperationSummary {
  return { id, operation, cluster, state, execution, started: startedAt, ...(ticket === undefined ? {} : { ticket }) };
}

/** The reference's words: active, not active, in both kinds of maintenance, none where it is not configured. */
export function hosts(): HostLook[] {
  const [one, two, three] = look().hosts;
  if (one === undefined || two === undefined || three === undefined) throw new Error('the made-up look has 3 hosts');
  const { summary: _summary, ...bare } = three;
  const first = { ...one, cannotRun: '', engineVm: 'Up' };
  const second = { ...two, summary: '[Local Maintenance Enabled]' };
  return [first, second, { ...two, name: 'host4', summary: 'Not Active' }, bare];
}

export interface BrowserStage {
  readonly served: ServedApp;
  readonly orders: readonly StartOrder[];
  readonly acts: { id: string; action: OperatorAction; command: OperatorCommand; updateId: string | undefined }[];
  readonly logs: readonly RecordedLog[];
  /** What the operations look like from now on. */
  report: OperationReport;
  look: RunReply<ClusterLook>;
  listFails: boolean;
  windows: readonly KnownWindow[];
  /** Lets the door's clock go forward. */
  pass(ms: number): void;
  stop(): Promise<void>;
}

/** @param change e.g. the token file */
export async function openStage(change: Partial<AppPorts> = {}): Promise<BrowserStage> {
  const lines = [`alice:operator:${TOKENS.alice}`, `bob:read-only:${TOKENS.bob}`, TOKENS.plain];
  const acts: BrowserStage['acts'] = [];
  const memory = memoryPorts({ '/tokens': lines }, change);
  const deliveries = createDeliveryLog(memory.ports.logger);
  const delivery = { time: '2026-11-21T13:00:00.000Z', instance: 'urn:uuid:1', source: 'servicedesk', status: 401 };
  deliveries.record({ ...delivery, verdict: 'refused', reason: 'signature-refused: no-match' });
  const stage = {
    orders: memory.orders,
    acts,
    logs: memory.logs,
    report: parked,
    look: { outcome: 'seen', value: look({ hosts: hosts() }) } as RunReply<ClusterLook>,
    listFails: false,
    windows: [] as readonly KnownWindow[],
  };
  let aheadMs = 0;
  const ports: AppPorts = {
    ...memory.ports,
    clock: () => new Date(Date.now() + aheadMs),
    deliveries,
    temporalUiLink: (id) => `http://127.0.0.1:8233/${encodeURIComponent(id)}`,
    reader: {
      list: () =>
        Promise.resolve(
          stage.listFails
            ? { outcome: 'unavailable', why: 'the connection was refused' }
            : { outcome: 'listed', operations: [summaryOf(stage.report)] },
        ),
      show: (id) =>
        Promise.resolve(id === stage.report.id ? { outcome: 'found', report: stage.report } : { outcome: 'unknown' }),
      missing: () => Promise.resolve(undefined),
    },
    windows: {
      ...memory.ports.windows,
      list: () => Promise.resolve({ outcome: 'listed', windows: stage.windows }),
    },
    desk: {
      act(id, action, command, updateId) {
        acts.push({ id, action, command, updateId });
        return Promise.resolve({ outcome: 'accepted' });
      },
    },
    looks: {
      ...memory.ports.looks,
      look: () => Promise.resolve(stage.look),
      entity: () =>
        Promise.resolve(entity({ holder: { operationId: PARKED, label: 'CHG1', ifBusy: 'queue' }, queue: [] })),
    },
  };
  const served = await serveApp(createApp(ports), { host: '127.0.0.1', port: 0 });
  return Object.assign(stage, { served, pass: (ms: number) => void (aheadMs += ms), stop: () => served.close(500) });
}
