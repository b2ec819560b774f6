/** Guards of adding and removing a host, failed installations, and taking back: the step functions against whole labs. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { addHostSteps } from '../../activities/add-host.steps.ts';
import { removeHostSteps } from '../../activities/remove-host.steps.ts';
import { labEngine } from '../../infra/faults/end-state.ts';
import type { Lab } from '../../infra/lab/lab.ts';
import { HOST_ROOT_SECRET } from '../../infra/plays/play.ts';
import { leaveRow, loseForGood, spareOf, undeployByHand } from '../../infra/plays/hosts.ts';
import { until } from '../../infra/processes.ts';
import { labContext, onLab, refusal, stepCall, stepContext as context } from './on-lab.ts';

const LIMIT_MS = 300_000;
const access = { kind: 'password', passwordSecret: HOST_ROOT_SECRET } as const;

function wanted(lab: Lab) {
  const { address, vdsmPort } = spareOf(lab);
  return { ...stepCall('add-host'), host: 'host4', address, vdsmPort, access, agent: 'reference' } as const;
}

/** What must be as before after an operation was taken back. */
async function hostsAndRows(lab: Lab) {
  const engine = labEngine(lab);
  try {
    return {
      engine: (await engine.hosts()).map(({ name, status }) => `${name} ${status}`),
      rows: [1, 2, 3, 4].map((id) => lab.storage.hostBlock(id)?.hostname ?? 'empty'),
      deployed: [...lab.world.hosts.values()].filter((host) => host.deployed).map((host) => host.name),
      maintenance: [...lab.world.hosts.values()].filter((host) => host.localMaintenance).map((host) => host.name),
    };
  } finally {
    await engine.close();
  }
}

const setLocalMaintenance = (lab: Lab, hosts: readonly string[], on: boolean) => {
  for (const name of hosts) {
    const host = lab.world.hosts.get(name);
    if (host !== undefined) host.localMaintenance = on;
  }
};

async function untilEngineSees(lab: Lab, what: string, seen: (scores: readonly number[]) => boolean): Promise<void> {
  const engine = labEngine(lab);
  const scores = async () => (await engine.hosts({ allContent: true })).map((host) => host.hostedEngine?.score ?? -1);
  try {
    await until(what, async () => seen(await scores()), 60_000);
  } finally {
    await engine.close();
  }
}

describe('adding a host', { timeout: LIMIT_MS }, () => {
  test('refuses what can’t end well before anything is touched, and installs again what failed', async () => {
    await onLab({ managed: true, spare: 1 }, async (lab, counterparts) => {
      const steps = addHostSteps(counterparts);
      const [host1] = lab.fixture.hosts;
      const inspect = (change: Partial<Parameters<typeof steps.inspectNewHost>[1]>) =>
        refusal(steps.inspectNewHost(context, { ...wanted(lab), ...change }));
      const before = await hostsAndRows(lab);

      expect(await inspect({ access: { kind: 'password', passwordSecret: 'nobody-wrote-it' } })).toMatchObject({
        type: 'configuration/secret',
      });
      expect(await inspect({ host: 'host1' })).toMatchObject({
        type: 'engine/host-clash',
        what: 'the engine has another host of that name',
      });
      expect(await inspect({ vdsmPort: host1?.vdsmPort ?? 0 })).toMatchObject({
        type: 'engine/host-clash',
        remedy: 'Start anew with the name host1.',
      });
      expect(await hostsAndRows(lab)).toEqual(before);

      leaveRow(lab, 4, 'host9');
      await lab.inject({ kind: 'host-install', address: '*', outcome: 'install_failed', times: 1 });
      const { value: facts } = await steps.inspectNewHost(context, wanted(lab));
      expect(facts).toMatchObject({ deployed: false, host: { name: 'host4' } });
      expect(JSON.stringify(facts)).not.toContain(lab.fixture.hostRootPassword);
      const input = { ...stepCall('add-host'), facts, access };
      const { deployHost } = addHostSteps({
        ...counterparts,
        secrets: { read: () => Promise.resolve('not the password') },
      });
      const wrong = await refusal(deployHost(context, input));
      expect(wrong).toMatchObject({ kind: 'needs-operator', type: 'engine/host-ssh-refused', subject: 'host host4' });
      expect(wrong.remedy).toContain("Correct the host's root password");
      expect((await hostsAndRows(lab)).engine).toEqual(before.engine);
      const failed = await refusal(steps.deployHost(context, input));
      expect(failed).toMatchObject({ type: 'engine/install-failed', kind: 'needs-operator' });
      expect(failed.why).toContain('event 505: Host host4 installation failed.');

      // A row of a host that left long ago was emptied before the failure.
      expect(lab.storage.hostBlock(4)).toBeUndefined();
      const retried = await steps.deployHost(context, input);
      expect(retried).toMatchObject({ done: 'now', value: { hostId: 4 } });
      expect(retried.summary).toContain('installed again');
      expect((await steps.deployHost(context, input)).done).toBe('before');
      await steps.verifyDeployedHost(context, input);
      const read = await steps.verifyDefinitionReadable(context, input);
      expect(read.value[0]).toContain('host4 reads the definition of HostedEngine');
      const after = await hostsAndRows(lab);
      expect(after.engine).toEqual(['host1 up', 'host2 up', 'host3 up', 'host4 up']);

      const known = await steps.inspectNewHost(context, wanted(lab));
      expect(known.value).toMatchObject({ deployed: true, known: { before: { status: 'up', score: 3400 } } });

      expect((await steps.withdrawHost(context, input)).done).toBe('now');
      expect(await hostsAndRows(lab)).toEqual({ ...before, maintenance: ['host4'] });
      expect((await steps.withdrawHost(context, input)).done).toBe('before');
    });
  });

  test('stops at a host that is non-operational, and at an id that another agent uses', async () => {
    await onLab({ managed: true, spare: 1 }, async (lab, counterparts) => {
      const steps = addHostSteps(counterparts);
      const { value: facts } = await steps.inspectNewHost(context, wanted(lab));
      const input = { ...stepCall('add-host'), facts, access };
      let timestamp = 0;
      // A host that was removed from the engine with its agent running: it goes on writing slot 4.
      leaveRow(lab, 4, 'host9', false);
      const ghost = setInterval(() => {
        const block = lab.storage.hostBlock(4);
        if (block !== undefined) lab.storage.writeHostBlock({ ...block, timestamp: (timestamp += 10) });
      }, 100);
      const taken = await refusal(steps.deployHost(context, input));
      expect(taken).toMatchObject({ type: 'ha/host-id-in-use', kind: 'needs-operator' });
      expect(taken.why).toContain('host9 writes slot 4');
      // It is silenced, as the remedy says.
      clearInterval(ghost);
      await steps.withdrawHost(context, input);

      await lab.inject({ kind: 'host-install', address: '*', outcome: 'non_operational', times: 1 });
      lab.storage.writeHostBlock({ ...leftBy(lab), stopped: true });
      const failed = await refusal(steps.deployHost(context, input));
      expect(failed.why).toContain('its status is non_operational (network_unreachable)');
      expect(failed.why).toContain('event 519');
      await steps.withdrawHost(context, input);
      expect((await hostsAndRows(lab)).engine).toEqual(['host1 up', 'host2 up', 'host3 up']);
    });
  });

  test('refuses while the engine does not manage its VM', async () => {
    await onLab({ spare: 1 }, async (lab, counterparts) => {
      const steps = addHostSteps(counterparts);
      const facts = await refusal(steps.inspectNewHost(context, wanted(lab)));
      expect(facts).toMatchObject({ type: 'engine/vm-not-managed', kind: 'needs-operator' });
    });
  });
});

function rowOf(lab: Lab, hostId: number) {
  const block = lab.storage.hostBlock(hostId);
  if (block === undefined) throw new Error(`slot ${hostId} is empty`);
  return block;
}

function spoilGlobalBlock(lab: Lab): void {
  const file = openSync(lab.storage.metadataPath, 'r+');
  writeSync(file, Buffer.from('maintenance=maybe'), 0);
  closeSync(file);
}

function leftBy(lab: Lab) {
  leaveRow(lab, 4, 'host9');
  return rowOf(lab, 4);
}

describe.concurrent('removing a host', { timeout: LIMIT_MS }, () => {
  test('never leaves the engine VM without a host, and tells what there is nothing to do about', async () => {
    await onLab({ managed: true }, async (lab, counterparts) => {
      const steps = removeHostSteps(counterparts);
      const inspect = (host: string) => steps.inspectLeavingHost(context, { ...stepCall('remove-host'), host });
      expect(await inspect('host9')).toMatchObject({ done: 'before', value: null });

      setLocalMaintenance(lab, ['host2', 'host3'], true);
      await untilEngineSees(
        lab,
        'two hosts without a score',
        (scores) => scores.filter((one) => one === 0).length === 2,
      );
      const nobody = await refusal(inspect('host1'));
      expect(nobody).toMatchObject({ type: 'engine-vm/no-other-host' });
      expect(nobody.why).toContain('host2: local maintenance, score 0');
      setLocalMaintenance(lab, ['host2', 'host3'], false);
      await untilEngineSees(lab, 'all scores', (scores) => scores.every((one) => one === 3400));

      await undeployByHand(lab, 'host3');
      expect((await inspect('host3')).value).toMatchObject({ deployed: false, hostId: 3 });
      await undeployByHand(lab, 'host2');
      await untilEngineSees(lab, 'one hosted-engine host', (scores) => scores.filter((one) => one > 0).length === 1);
      expect(await refusal(inspect('host1'))).toMatchObject({
        type: 'engine/last-hosted-engine-host',
        remedy: 'Add another host first (bellwether host add), then start anew.',
      });
    });
  });

  test('an agent that goes on writing keeps its row, and is named', async () => {
    await onLab({ managed: true }, async (lab, counterparts) => {
      const steps = removeHostSteps(counterparts);
      const call = stepCall('remove-host');
      const { value: facts } = await steps.inspectLeavingHost(context, { ...call, host: 'host3' });
      if (facts === null) throw new Error('the lab has no host3');
      const still = await refusal(steps.clearSlot(context, { ...call, facts }));
      expect(still).toMatchObject({ type: 'ha/agent-still-writes', kind: 'needs-operator' });
      expect(still.why).toContain('it says it is host3');
      expect(lab.storage.hostBlock(3)?.score).toBe(3400);

      // Its good-bye, written while it is watched, is no sign of life.
      leaveRow(lab, 4, 'host9', false);
      const watching = { ...context, waitsFor: () => leaveRow(lab, 4, 'host9', true) };
      const gone = { ...facts, hostId: 4, host: { ...facts.host, name: 'host9' } };
      expect((await steps.clearSlot(watching, { ...call, facts: gone })).done).toBe('now');
      expect(lab.storage.hostBlock(4)).toBeUndefined();
    });
  });

  test('a host that is gone for good leaves without a word, but not while anything of it lives', async () => {
    await onLab({ managed: true }, async (lab, counterparts) => {
      const steps = removeHostSteps(counterparts);
      const call = stepCall('remove-host');
      const inspect = (dead: boolean) => steps.inspectLeavingHost(labContext(), { ...call, host: 'host3', dead });
      expect(await refusal(inspect(true))).toMatchObject({ type: 'host/alive', why: 'it is up in the engine' });

      await loseForGood(lab, 'host3');
      expect(await refusal(inspect(false))).toMatchObject({
        type: 'engine/host-not-reached',
        remedy: expect.stringContaining('bellwether host remove host3 --from-engine --dead'),
      });
      // Cut off from the engine and VDSM's clients, but its agent writes.
      let timestamp = 90_000;
      const ghost = setInterval(
        () => lab.storage.writeHostBlock({ ...rowOf(lab, 3), timestamp: (timestamp += 10) }),
        50,
      );
      try {
        expect(await refusal(inspect(true))).toMatchObject({
          type: 'host/alive',
          why: expect.stringContaining('slot 3 of the HA metadata changes'),
        });
      } finally {
        clearInterval(ghost);
      }
      // Nor does what is without power say good-bye while it is watched.
      const hurried = labContext();
      const dies = { ...hurried, waitsFor: () => leaveRow(lab, 3, 'host3') };
      expect(await refusal(steps.inspectLeavingHost(dies, { ...call, host: 'host3', dead: true }))).toMatchObject({
        type: 'host/alive',
        why: expect.stringContaining('was written just now'),
      });
      // An unreadable flag must not be taken for "off": a second engine VM could be started in the middle of the work.
      spoilGlobalBlock(lab);
      expect(await refusal(inspect(true))).toMatchObject({ type: 'ha/global-block', kind: 'needs-operator' });
      lab.storage.setGlobalMaintenance(false);

      const { value: facts } = await inspect(true);
      if (facts === null) throw new Error('the lab has no host3');
      const input = { ...call, facts };
      await steps.giveUpDeadHost(context, input);
      await steps.clearSlot(labContext(), input);
      await steps.removeHostFromEngine(context, input);
      // Whoever repeats a step after a lost answer finds it done.
      expect((await steps.giveUpDeadHost(context, input)).done).toBe('before');
      expect((await steps.removeHostFromEngine(context, input)).done).toBe('before');
      await steps.verifyHostRemoved(context, { ...input, fromEngine: true });
      expect(await hostsAndRows(lab)).toMatchObject({
        engine: ['host1 up', 'host2 up'],
        rows: ['host1', 'host2', 'empty', 'empty'],
      });
    });
  });
});
