/** What differs on a lab, what is repaired of it, and what is refused. */
import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { reconcileSteps } from '../../activities/reconcile.steps.ts';
import { labEngine } from '../../infra/faults/end-state.ts';
import type { Lab } from '../../infra/lab/lab.ts';
import { engineHasReadItsOvf, memoryInCopies } from '../../infra/plays/archive.ts';
import { LEFT_OVER_SLOT, leaveSlotBehind, staleCopies } from '../../infra/plays/reconcile.ts';
import { until } from '../../infra/processes.ts';
import { keyOf, type DifferenceKind, type Look } from '../../workflows/model/reconcile.ts';
import { labContext, onLab, refusal, stepCall } from './on-lab.ts';

const call = stepCall('reconcile');
const kinds = ({ differences }: Look) => differences.map(keyOf);

const context = labContext();

function hostOf(lab: Lab, name: string) {
  const found = lab.hosts.find((host) => host.name === name);
  if (found === undefined) throw new Error(`the lab has no ${name}`);
  return found;
}

test.concurrent('what differs is named, and repaired only where it is safe', { timeout: 600_000 }, async () => {
  await onLab({ managed: true }, async (lab, counterparts) => {
    await engineHasReadItsOvf(lab);
    const steps = reconcileSteps(counterparts);
    const look = async () => (await steps.lookForDifferences(context, { ...call, repair: [] })).value;
    const targetOf = (from: Look, kind: DifferenceKind) => {
      const target = from.differences.find((one) => one.kind === kind)?.target;
      if (target === undefined) throw new Error(`${kind} has no repair`);
      return target;
    };
    const calm = await look();
    expect(kinds(calm)).toEqual([]);
    expect(calm.rows).toContainEqual({
      fact: 'host1: host id',
      engine: '1',
      vdsm: '1 (SPM)',
      metadata: 'slot 1',
      storage: '1 (shared conf)',
    });

    for (const name of ['global-maintenance-on', 'everything']) {
      expect(await refusal(steps.lookForDifferences(context, { ...call, repair: ['safe', name] }))).toMatchObject({
        type: 'reconcile/unknown-repair',
        remedy: expect.stringContaining('names out of local-maintenance, ovf-store-stale, slot-left-over'),
      });
    }

    leaveSlotBehind(lab);
    await staleCopies(lab);
    lab.storage.setGlobalMaintenance(true);
    hostOf(lab, 'host2').state.localMaintenance = true;
    const found = await look();
    const copies = found.differences.filter(({ kind }) => kind === 'ovf-store-stale').map(keyOf);
    const left = `slot-left-over slot ${LEFT_OVER_SLOT}`;
    expect(copies).toHaveLength(2);
    expect(kinds(found)).toEqual(['global-maintenance-on', ...copies, 'local-maintenance host2', left]);

    const { facts } = found;
    const repair = async (kind: DifferenceKind) => {
      const input = { ...call, facts, target: targetOf(found, kind) };
      return (await steps.repairDifference(context, input)).done;
    };
    for (const kind of ['local-maintenance', 'ovf-store-stale', 'slot-left-over'] as const) {
      expect([kind, await repair(kind), await repair(kind)]).toEqual([kind, 'now', 'before']);
    }
    const { value: after } = await steps.verifyRepairs(context, { ...call, repaired: [...copies, left] });
    expect(kinds(after)).toEqual(['global-maintenance-on']);
    expect(await memoryInCopies(lab)).toEqual([16_384, 16_384]);
    expect(lab.storage.hostBlock(LEFT_OVER_SLOT)).toBeUndefined();
    expect(lab.fixture.hosts.map(({ spmId }) => lab.storage.hostBlock(spmId)?.hostname)).toEqual([
      'host1',
      'host2',
      'host3',
    ]);

    leaveSlotBehind(lab);
    expect(await refusal(steps.verifyRepairs(context, { ...call, repaired: [left] }))).toMatchObject({
      type: 'reconcile/not-repaired',
      kind: 'retryable',
    });
  });
});

test.concurrent(
  'what only looks like it is left alone: living writers, an administrator’s flag, sources that are silent',
  { timeout: 600_000 },
  async () => {
    await onLab({ managed: true }, async (lab, counterparts) => {
      await engineHasReadItsOvf(lab);
      const steps = reconcileSteps(counterparts);
      const look = async () => (await steps.lookForDifferences(context, { ...call, repair: [] })).value;
      const { facts } = await look();

      // Somebody unknown writes it: no left-over.
      const slot = { kind: 'slot-left-over', slot: LEFT_OVER_SLOT } as const;
      let seconds = 1;
      const write = () => {
        seconds += 10;
        lab.storage.writeHostBlock({
          timestamp: seconds,
          hostId: LEFT_OVER_SLOT,
          score: 3400,
          engineStatus: { vm: 'down', health: 'bad', detail: 'unknown' },
          hostname: 'host9',
          localMaintenance: false,
          stopped: false,
          confTimestamp: 1,
          state: 'EngineDown',
        });
      };
      write();
      const beat = setInterval(write, 100);
      try {
        expect(kinds(await look())).toEqual([`slot-writer-unknown slot ${LEFT_OVER_SLOT}`]);
        expect(await refusal(steps.repairDifference(context, { ...call, facts, target: slot }))).toMatchObject({
          type: 'reconcile/slot-left-over',
          why: expect.stringContaining('somebody writes it now'),
        });
      } finally {
        clearInterval(beat);
      }
      // It fell silent without a word.
      const silent = await look();
      expect(kinds(silent)).toEqual([`slot-left-over slot ${LEFT_OVER_SLOT}`]);
      expect(silent.differences[0]?.says[0]).toContain('silent');
      expect((await steps.repairDifference(context, { ...call, facts, target: slot })).done).toBe('now');

      // Set by hand on the host: the engine's way does not clear it (ha-agent.md 2.6).
      const { state } = hostOf(lab, 'host3');
      writeFileSync(`${state.dir}/ha.conf`, 'local_maintenance=True\nlocal_maintenance_manual=True\n');
      const local = { kind: 'local-maintenance', host: 'host3', wanted: false } as const;
      await until('host3 to publish it', async () => lab.storage.hostBlock(3)?.localMaintenance === true, 60_000);
      expect(await refusal(steps.repairDifference(context, { ...call, facts, target: local }))).toMatchObject({
        type: 'reconcile/local-maintenance',
        kind: 'needs-operator',
        why: expect.stringContaining('administrator'),
      });
      writeFileSync(`${state.dir}/ha.conf`, 'local_maintenance=False\nlocal_maintenance_manual=False\n');
      await until('host3 to publish it', async () => lab.storage.hostBlock(3)?.localMaintenance === false, 60_000);

      // The engine is down: its column is empty, and nobody can say that a host is gone.
      leaveSlotBehind(lab);
      await staleCopies(lab);
      await lab.inject({
        kind: 'engine-error',
        match: '* **',
        status: 503,
        reason: 'Service Unavailable',
        detail: '',
        times: 1_000,
      });
      const alone = await look();
      expect(kinds(alone)).toContain('engine-unreachable');
      expect(alone.differences.filter(({ kind }) => kind === 'slot-left-over').map(({ target }) => target)).toEqual([
        undefined,
      ]);
      expect(await refusal(steps.repairDifference(context, { ...call, facts, target: slot }))).toMatchObject({
        why: expect.stringContaining('not safe to repair'),
      });
      await lab.clear('engine-error');

      await hostOf(lab, 'host2').crash();
      const engine = labEngine(lab);
      try {
        const lost = async () => (await engine.hosts()).some(({ name, status }) => name === 'host2' && status !== 'up');
        await until('the engine to miss host2', lost, 90_000);
      } finally {
        await engine.close();
      }
      const down = await look();
      expect(kinds(down)).toContain('host-unreachable host2');
      expect(kinds(down)).not.toContain('slot-left-over slot 2');
      expect(down.rows.find(({ fact }) => fact === 'host2: score')).toMatchObject({
        engine: expect.stringContaining('(stale)'),
      });
    });
  },
);
