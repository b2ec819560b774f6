/** Records histories of maintenance windows, and of an operation that one runs; only when asked, as `record.test.ts`. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { eventually } from '../workflows/stage.ts';
import { openWindowStage, type OpeningHandle, type WindowStage } from '../workflows/window-stage.ts';
import { record } from './store.ts';

let stage: WindowStage;

const keep = async (name: string, opening: OpeningHandle): Promise<void> =>
  record('maintenanceWindow', name, await opening.handle.fetchHistory());

const historyOf = (id: string) => stage.client.workflow.getHandle(id).fetchHistory();

const keepOperation = async (name: string, id: string): Promise<void> =>
  record('editEngineVm', name, await historyOf(id));

function runs(): void {
  test('an opening that runs all', async () => {
    const opening = await stage.open(stage.window());
    expect((await opening.result()).state).toBe('done');
    await keep('done', opening);
    await record('windowCloser', 'dismissed', await (await opening.closer()).fetchHistory());
  });

  test('an opening that is terminated', async () => {
    const window = stage.window();
    stage.world(window.cluster).failing.add('editEngineVm');
    const opening = await stage.open(window);
    const { operations } = await opening.until('it to run', (view) => view.operations[0]?.state === 'running');
    await eventually('it to park', async () => (await stage.operation(operations[0]?.id ?? '')).state === 'parked');
    const closer = await stage.hurryCloser(opening);
    await opening.handle.terminate();
    await closer.result();
    await record('windowCloser', 'closed', await closer.fetchHistory());
  });

  test('an opening too short for a step, and the next one', async () => {
    const window = stage.window({ lengthMinutes: 8 });
    const first = await stage.open(window);
    const closed = await first.result();
    const next = await stage.open({ ...window, lengthMinutes: 60 }, closed);
    expect((await next.result()).state).toBe('done');
    await keep('too-short', first);
    await keep('went-on', next);
    await keepOperation('in-two-windows', closed.waiting[0] ?? '');
  });

  test('an opening whose operation parks, is cancelled, and one in a freeze', async () => {
    const window = stage.window();
    stage.world(window.cluster).failing.add('editEngineVm');
    const opening = await stage.open(window);
    const { operations } = await opening.until('it to run', (view) => view.operations[0]?.state === 'running');
    const id = operations[0]?.id ?? '';
    await eventually('it to park', async () => (await stage.operation(id)).state === 'parked');
    await opening.handle.cancel();
    expect((await opening.result()).state).toBe('parked');
    await keep('cancelled', opening);
    await keepOperation('parked-at-the-windows-end', id);

    const from = new Date(Date.now() - 60_000).toISOString();
    const to = new Date(Date.now() + 60_000).toISOString();
    const frozen = await stage.open(stage.window({ freezes: [{ from, to, summary: 'Christmas' }] }));
    expect((await frozen.result()).state).toBe('skipped');
    await keep('frozen', frozen);
  });
}

describe.runIf(process.env['UPDATE_REPLAY_HISTORIES'] === '1')('recorded anew', () => {
  beforeAll(async () => {
    stage = await openWindowStage();
  });
  afterAll(() => stage?.close());
  runs();
});
