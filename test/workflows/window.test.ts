/** A maintenance window closes in every ending, and what did not fit goes on in the next one. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WINDOW_MESSAGES, type WindowDefinition } from '../../workflows/model/window.ts';
import { eventually } from './stage.ts';
import { openWindowStage, type OpeningHandle, type WindowStage } from './window-stage.ts';
import './quiet.ts';

let stage: WindowStage;
beforeAll(async () => {
  stage = await openWindowStage();
});
afterAll(() => stage.close());

const states = async (opening: OpeningHandle) => (await opening.view()).operations.map(({ state }) => state);
/** With its first operation only. */
const briefly = (window: WindowDefinition): WindowDefinition => ({
  ...window,
  operations: window.operations.slice(0, 1),
});
const world = ({ cluster }: WindowDefinition) => stage.world(cluster);

async function parked(opening: OpeningHandle, index = 0): Promise<string> {
  const running = await opening.until('the operation to run', (view) => view.operations[index]?.state === 'running');
  const id = running.operations[index]?.id ?? '';
  await eventually(`${id} to park`, async () => (await stage.operation(id)).state === 'parked');
  return id;
}

describe.concurrent('an opening', () => {
  test('runs its operations in order, inside global maintenance that it ends', async () => {
    const window = stage.window();
    const opening = await stage.open(window);
    expect(await opening.result()).toEqual({
      state: 'done',
      lines: ['2 of 2 operations done.', 'Global maintenance: off again, seen on storage.'],
      waiting: [],
    });
    const { ran, maintenance } = world(window);
    expect(ran).toEqual([
      'inspectBoard',
      'enter',
      'inspectEdit in maintenance',
      'editEngineVm in maintenance',
      'persistEngineVm in maintenance',
      'inspectStorage in maintenance',
      'takeBackup in maintenance',
      'inspectBoard in maintenance',
      'leave in maintenance',
    ]);
    expect(maintenance).toBe(false);
    expect(await (await opening.closer()).result()).toBe(`${opening.id} closed by itself.`);
    const info = await opening.handle.describe();
    expect(info.memo?.['outcome']).toContain('2 of 2 operations done');
  });

  test('leaves global maintenance on that a person had switched on, and says so', async () => {
    const window = briefly(stage.window());
    world(window).maintenance = true;
    const result = await (await stage.open(window)).result();
    expect(result.state).toBe('done');
    expect(result.lines[1]).toBe('Global maintenance: stays on: somebody had switched it on before.');
    expect(world(window).maintenance).toBe(true);
  });

  test('in a freeze does nothing, and leaves what waits to the next one', async () => {
    const from = new Date(Date.now() - 60_000).toISOString();
    const to = new Date(Date.now() + 60_000).toISOString();
    const window = stage.window({ freezes: [{ from, to, summary: 'Christmas' }] });
    const last = { state: 'parked' as const, lines: [], waiting: ['backup/x/y'] };
    const result = await (await stage.open(window, last)).result();
    expect(result).toEqual({ state: 'skipped', lines: ['skipped: freeze Christmas'], waiting: ['backup/x/y'] });
    expect(world(window).ran).toEqual([]);
  });

  test('that is too short for a step parks the operation; the next one goes on there', async () => {
    // Persisting may take ten minutes: more than is left.
    const window = briefly(stage.window({ lengthMinutes: 8 }));
    const first = await stage.open(window);
    const closed = await first.result();
    const [id = ''] = closed.waiting;
    expect(closed).toMatchObject({ state: 'parked', waiting: [id] });
    expect(closed.lines[0]).toContain('0 of 1 operations done');
    expect(await states(first)).toEqual(['waits']);
    expect(world(window).maintenance).toBe(false);
    const waiting = await stage.operation(id);
    expect(waiting.steps[2]?.failure?.what).toMatch(
      /^the window sat closes at .* UTC; it goes on in the next one \(opens at .* UTC\)$/,
    );
    expect(waiting.steps[2]?.failure?.why).toMatch(/^the step may take 10 min, and [78] min are left$/);

    const next = await stage.open({ ...window, lengthMinutes: 60 }, closed);
    expect((await next.result()).state).toBe('done');
    expect((await stage.operation(id)).state).toBe('done');
    // What waited came before the opening's own operations, in maintenance again, and no step twice.
    expect(await states(next)).toEqual(['done', 'done']);
    expect(world(window).ran.filter((step) => step.startsWith('editEngineVm'))).toHaveLength(2);
    expect(world(window).ran.filter((step) => step === 'persistEngineVm in maintenance')).toHaveLength(2);
    expect(world(window).maintenance).toBe(false);
  });

  test('closes at its end though an operation is parked, which goes on in the next one', async () => {
    const window = briefly(stage.window({ lengthMinutes: 30 }));
    world(window).failing.add('editEngineVm');
    const opening = await stage.open(window, undefined, true);
    await parked(opening);
    // Time is not skipped while a child runs; and an opening gets on without its closer.
    await (await opening.closer()).terminate();
    const closed = await opening.result();
    expect(closed.state).toBe('parked');
    expect(world(window).maintenance).toBe(false);
    expect(await states(opening)).toEqual(['waits']);
    // Else the server did not skip, and this test would have taken half an hour.
    const info = await opening.handle.describe();
    const { events } = await opening.handle.fetchHistory();
    expect(info.status.name).toBe('COMPLETED');
    expect((events ?? []).some((event) => event.workflowExecutionTimeSkippingTransitionedEventAttributes)).toBe(true);
    world(window).failing.clear();
    const next = await stage.open({ ...window, lengthMinutes: 600 }, closed);
    expect((await next.result()).state).toBe('done');
    expect(await states(next)).toEqual(['done', 'done']);
  });

  test('closes early when an operation is aborted: the rest does not start', async () => {
    const window = stage.window();
    world(window).failing.add('inspectEdit');
    const opening = await stage.open(window);
    await stage.operate(await parked(opening), 'abort');
    const result = await opening.result();
    expect(result.state).toBe('closed-early');
    expect(result.lines[0]).toMatch(/^Closed early: edit-engine-vm\/.* was aborted; 0 of 2 operations done\.$/);
    expect(await states(opening)).toEqual(['aborted', 'not-started']);
    expect(world(window).maintenance).toBe(false);
  });

  test('closes though its operation was terminated', async () => {
    const window = stage.window();
    world(window).failing.add('inspectEdit');
    const opening = await stage.open(window);
    await stage.client.workflow.getHandle(await parked(opening)).terminate();
    // Noticed at the next look, or as here when it is asked to close; nobody waits five minutes.
    await opening.handle.cancel();
    const result = await opening.result();
    expect(result.state).toBe('closed-early');
    expect(await states(opening)).toEqual(['failed', 'not-started']);
    expect(world(window).maintenance).toBe(false);
  });

  test('lets a running step end when it is cancelled, then closes', async () => {
    const window = stage.window();
    const go = world(window).hold('editEngineVm');
    const opening = await stage.open(window);
    await eventually('the step', async () => world(window).ran.includes('editEngineVm in maintenance'));
    await opening.handle.cancel();
    const { operations } = await opening.until('to close', (view) => view.state === 'closing');
    await eventually('the operation to be told', () => stage.wasTold(operations[0]?.id ?? '', WINDOW_MESSAGES.closes));
    expect(world(window).maintenance).toBe(true);
    go();
    expect((await opening.result()).state).toBe('parked');
    expect(world(window).ran).not.toContain('persistEngineVm in maintenance');
    expect(world(window).maintenance).toBe(false);
  });

  test('closes though it was terminated: its closer does it', async () => {
    const window = stage.window();
    world(window).failing.add('inspectEdit');
    const opening = await stage.open(window);
    const id = await parked(opening);
    const closer = await stage.hurryCloser(opening);
    await opening.handle.terminate();
    expect(world(window).maintenance).toBe(true);
    expect(await closer.result()).toBe(
      `${opening.id} was ended from outside: global maintenance is off again, seen on storage.`,
    );
    expect(world(window).maintenance).toBe(false);
    // Parked for a person, it held the cluster until it was told.
    expect((await stage.operation(id)).state).toBe('parked');
  });

  test('terminated, closes only when the next one, begun meanwhile, is over', async () => {
    const window = briefly(stage.window());
    world(window).failing.add('inspectEdit');
    const opening = await stage.open(window);
    await parked(opening);
    const closer = await stage.hurryCloser(opening);
    const next = await stage.open({ ...window, name: 'by-hand' });
    await opening.handle.terminate();
    // It waited for the cluster, which the first one's operation held.
    await stage.operate(await parked(next), 'abort');
    expect((await next.result()).lines[1]).toBe('Global maintenance: stays on: somebody had switched it on before.');
    expect(await closer.result()).toContain('global maintenance is off again, seen on storage');
    expect(world(window).maintenance).toBe(false);
  });

  test('terminated, leaves global maintenance on that a person had switched on', async () => {
    const window = stage.window();
    world(window).maintenance = true;
    world(window).failing.add('inspectEdit');
    const opening = await stage.open(window);
    await parked(opening);
    const closer = await stage.hurryCloser(opening);
    await opening.handle.terminate();
    expect(await closer.result()).toBe(`${opening.id} left nothing to close.`);
    expect(world(window).maintenance).toBe(true);
  });

  test('does not start the second operation when time has run out', async () => {
    // Not a minute later: a step that began in time ends, however late.
    const window = stage.window({ lengthMinutes: 15 });
    const soon = new Date(Date.now() + 1500).toISOString();
    const freeze = { from: soon, to: new Date(Date.now() + 3_600_000).toISOString(), summary: 'audit' };
    const go = world(window).hold('enter');
    const opening = await stage.open({ ...window, freezes: [freeze], globalMaintenance: true });
    await eventually('the window to be over', async () => Date.now() > Date.parse(soon));
    go();
    const result = await opening.result();
    expect(result.state).toBe('closed-early');
    expect(await states(opening)).toEqual(['not-started', 'not-started']);
    expect(world(window).maintenance).toBe(false);
  });
});

test('a worker that dies in the middle: the next one ends what was begun, and closes', async () => {
  const own = await openWindowStage();
  try {
    const window = briefly(own.window());
    const there = own.world(window.cluster);
    const go = there.hold('persistEngineVm');
    const opening = await own.open(window);
    await eventually('the step', async () => there.ran.includes('persistEngineVm in maintenance'));
    const stopped = own.stopWorker();
    go();
    await stopped;
    expect(there.maintenance).toBe(true);
    await own.startWorker();
    expect((await opening.result()).state).toBe('done');
    expect(there.maintenance).toBe(false);
  } finally {
    await own.close();
  }
});
