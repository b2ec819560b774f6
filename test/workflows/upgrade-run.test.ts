/** An upgrade that nothing disturbs: what it does, and what can be seen of it meanwhile and in the end. */
import { defaultPayloadConverter } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UPGRADE_STEPS } from '../../workflows/model/upgrade.ts';
import { openStage, Upgrade, type Stage } from './stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage?.close());

const FORWARD = [
  'inspectUpgrade',
  'enterGlobalMaintenance',
  'backUp:before',
  'convertDefinition',
  'ensureOvfStoreDisks',
  'writeOvf',
  'importDomain',
  'awaitDomainActive',
  'importVm',
  'verifyUpgrade',
  'leaveGlobalMaintenance',
  'backUp:after',
  'reportToTicket',
];

async function searchAttributes(upgrade: Upgrade): Promise<Record<string, unknown>> {
  const { typedSearchAttributes } = await upgrade.handle.describe();
  return Object.fromEntries(typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]));
}

async function currentDetails(upgrade: Upgrade): Promise<string> {
  const metadata = await upgrade.handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
  return metadata.currentDetails;
}

/** Summaries of the activities, in the order in which they were scheduled. */
async function activitySummaries(upgrade: Upgrade): Promise<string[]> {
  const { events } = await upgrade.handle.fetchHistory();
  return (events ?? []).flatMap((event) => {
    const summary = event.userMetadata?.summary;
    if (!event.activityTaskScheduledEventAttributes || !summary) return [];
    return [defaultPayloadConverter.fromPayload<string>(summary)];
  });
}

describe.concurrent('an upgrade', () => {
  test('runs all its steps in the issue’s order, shows each, and ends done', async () => {
    const upgrade = stage.upgrade();
    const gate = upgrade.world.block('writeOvf');
    await stage.start(upgrade);
    await gate.reached();

    const running = await upgrade.view();
    expect(running).toMatchObject({ state: 'running', actions: ['abort'], ticket: upgrade.request.ticket, undo: [] });
    expect(running.steps.map((step) => step.state)).toEqual([
      ...Array.from({ length: 5 }, () => 'done'),
      'running',
      ...Array.from({ length: 7 }, () => 'pending'),
    ]);
    expect(await searchAttributes(upgrade)).toEqual({
      HeCluster: upgrade.request.cluster,
      HeOperation: 'upgrade',
      HeTicket: upgrade.request.ticket,
      HeState: 'running',
      HeStep: 'write-ovf',
      BuildIds: expect.anything(),
    });
    const details = await currentDetails(upgrade);
    expect(details).toMatch(/^\*\*running\*\*.* step 6 of 13/);
    expect(details).toMatch(/Write the OVF to both disks.*running/);

    gate.open();
    const result = await upgrade.handle.result();
    expect(result.state).toBe('done');
    expect(result.lines).toEqual([
      'Engine VM HostedEngine is managed by its engine now.',
      'The engine answers.',
      'Backup after the change: s3://b/after.json (3 objects).',
    ]);
    expect(upgrade.world.calls).toEqual(FORWARD);
    expect([...upgrade.world.effects].toSorted()).toEqual(['domain', 'managed-vm', 'ovf', 'ovf-store-disks']);
    expect(upgrade.world.reported).toEqual(['done']);

    const ended = await upgrade.view();
    expect(ended).toMatchObject({ state: 'done', actions: [], outcome: result.lines.join('\n\n') });
    expect(ended.endedAt).toBeDefined();
    expect(ended.steps.every((step) => step.state === 'done' && step.startedAt && step.endedAt)).toBe(true);
    expect(await searchAttributes(upgrade)).toMatchObject({ HeState: 'done', HeStep: 'report' });
    expect(await currentDetails(upgrade)).toMatch(/^\*\*done\*\*/);
    const titles = UPGRADE_STEPS.map(({ title }, index) => `${index + 1} of ${UPGRADE_STEPS.length}: ${title}`);
    expect(await activitySummaries(upgrade)).toEqual(['Ask for the cluster: one operation at a time', ...titles]);
  });

  test('of an engine VM that is managed already touches nothing', async () => {
    const upgrade = stage.upgrade();
    upgrade.world.alreadyManaged = true;
    await stage.start(upgrade);
    const result = await upgrade.handle.result();
    expect(result.state).toBe('nothing-to-do');
    expect(result.lines[0]).toContain('nothing was changed');
    expect(upgrade.world.calls).toEqual(['inspectUpgrade', 'verifyUpgrade', 'reportToTicket']);
    expect(upgrade.world.effects.size).toBe(0);
    const view = await upgrade.view();
    const worked = view.steps.filter((step) => step.state !== 'not-needed').map((step) => step.name);
    expect(worked).toEqual(['preconditions', 'verify', 'report']);
    expect(view.state).toBe('done');
  });

  test('tells no ticket when none asked', async () => {
    const upgrade = stage.upgrade();
    const { ticket: _none, ...request } = upgrade.request;
    const plain = new Upgrade(stage, upgrade.world, request);
    await stage.start(plain);
    expect((await plain.handle.result()).state).toBe('done');
    expect(upgrade.world.calls).toEqual(FORWARD.filter((call) => call !== 'reportToTicket'));
    expect((await plain.view()).steps.at(-1)).toMatchObject({ name: 'report', state: 'not-needed' });
  });

  test('leaves global maintenance on that was on before', async () => {
    const upgrade = stage.upgrade();
    upgrade.world.maintenanceBefore = true;
    upgrade.world.effects.add('global-maintenance');
    await stage.start(upgrade);
    expect((await upgrade.handle.result()).state).toBe('done');
    expect(upgrade.world.effects).toContain('global-maintenance');
    expect((await upgrade.view()).steps[1]).toMatchObject({ state: 'already-done' });
  });

  test('tries a step again by itself when that may help', async () => {
    const upgrade = stage.upgrade();
    upgrade.world.fail('importDomain', 'retryable', { times: 3 });
    await stage.start(upgrade);
    expect((await upgrade.handle.result()).state).toBe('done');
    expect(upgrade.world.count('importDomain')).toBe(4);
  });
});
