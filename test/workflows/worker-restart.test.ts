/** Workers come and go; an operation does not notice more than a pause. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStage, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

test('a parked operation takes its retry from the next worker', async () => {
  const upgrade = stage.upgrade();
  upgrade.world.fail('importDomain', 'needs-operator');
  await stage.start(upgrade);
  const parked = await upgrade.parked();
  await stage.stopWorker();
  upgrade.world.heal('importDomain');
  const answer = upgrade.act('retry');
  await stage.startWorker();
  expect((await answer).state).toBe('running');
  expect((await upgrade.handle.result()).state).toBe('done');
  expect(upgrade.world.count('writeOvf')).toBe(1);
  expect(upgrade.world.count('importDomain')).toBe(2);
  const ended = await upgrade.view();
  expect(ended.steps.slice(0, 6)).toEqual(parked.steps.slice(0, 6));
});

test('a step whose worker is stopped is tried again by the next one, not given up', async () => {
  const upgrade = stage.upgrade();
  const gate = upgrade.world.block('writeOvf');
  await stage.start(upgrade);
  await gate.reached();
  await stage.stopWorker();
  expect(gate.sawCancellation).toBe(true);
  gate.open();
  await stage.startWorker();
  expect((await upgrade.handle.result()).state).toBe('done');
  expect(upgrade.world.count('writeOvf')).toBe(2);
  expect(upgrade.world.count('restoreOvfStores')).toBe(0);
});
