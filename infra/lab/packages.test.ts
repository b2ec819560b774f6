import { afterEach, beforeEach, expect, test } from 'vitest';
import { labPaths } from './fixture.ts';
import { installations, installUpdates, offeredUpdates, offerUpdate, orderReboot } from './packages.ts';
import { startTestLab, until, type TestLab } from './vdsm/lab-for-tests.ts';

let lab: TestLab;
beforeEach(async () => {
  lab = await startTestLab(2, { speed: 50 });
});
afterEach(() => lab.close());

const folder = () => labPaths(lab.fixture.dir).hostDir('host2');

test('what is offered is installed once', () => {
  offerUpdate(folder(), 'vdsm-4.50.6');
  offerUpdate(folder(), 'kernel-5.14');
  expect(offeredUpdates(folder())).toEqual(['vdsm-4.50.6', 'kernel-5.14']);
  installUpdates(folder());
  installUpdates(folder());
  expect([offeredUpdates(folder()), installations(folder())]).toEqual([[], ['vdsm-4.50.6 kernel-5.14']]);
});

test('a host that is told to reboot goes down and comes back, with its uptime begun anew', async () => {
  const { state } = lab.host(2);
  expect(state.uptimeMs()).toBeGreaterThan(3_000_000);
  orderReboot(folder());
  await until('down', () => !state.alive);
  await until('back', () => state.alive);
  expect(state.uptimeMs()).toBeLessThan(600_000);
  expect(lab.host(1).state.uptimeMs()).toBeGreaterThan(3_000_000);
});

test('one that shall not come back stays down until the fault is cleared', async () => {
  const [one, two] = [lab.host(1).state, lab.host(2).state];
  lab.faults.inject({ kind: 'host-no-boot', host: 'host2' });
  expect(two.alive).toBe(true);
  orderReboot(folder());
  await until('down', () => !two.alive);
  // Another host that is told so later is back before.
  orderReboot(labPaths(lab.fixture.dir).hostDir('host1'));
  await until('host1 down', () => !one.alive);
  await until('host1 back', () => one.alive);
  expect(two.alive).toBe(false);
  lab.faults.clear('host-no-boot');
  await until('back', () => two.alive);
});
