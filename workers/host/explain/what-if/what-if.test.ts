import { describe, expect, it } from 'vitest';
import { CounterpartError } from '../../../../activities/errors.ts';
import { createRig, VM_MEMORY_MB } from '../testing.ts';
import { whatIfLines } from './text.ts';
import { whatIf, type WhatIfReport } from './what-if.ts';

const three = createRig(['ours', 'ours', 'ours']);

const orders = (report: WhatIfReport) =>
  report.steps
    .filter((step) => step.kind === 'order')
    .map((step) => [step.hostId, step.rule, Math.round(step.atSeconds)]);

async function told(name: string, report: WhatIfReport): Promise<void> {
  const text = whatIfLines(report).join('\n');
  expect(text).not.toMatch(/undefined|NaN|Infinity/);
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  await expect(`${text}\n`).toMatchFileSnapshot(`../golden/what-if-${name}.txt`);
}

describe('what if', () => {
  it.each([1, 2, 3])('the engine’s host is lost: the next one waits for its lease (asked on host %i)', async (from) => {
    const report = whatIf(three.snapshot(from), 'host1 lost');
    expect(report.engineEnds).toEqual({ hostId: 2, host: 'host2', answers: true });
    expect(orders(report).map(([host, rule]) => [host, rule])).toEqual([[2, 'start-here']]);
    expect(orders(report)[0]?.[2]).toBeGreaterThanOrEqual(40);
    expect(orders(report)[0]?.[2]).toBeLessThanOrEqual(44);
    expect(report.vmRunsAtSeconds).toBeCloseTo(140, -1);
    expect(report.plusMinusSeconds).toBe(20);
    if (from === 2) await told('host-lost', report);
  });

  it('another host is lost: nobody does anything', () => {
    const report = whatIf(three.snapshot(1), 'host 3 lost');
    expect(orders(report)).toEqual([]);
    expect(report).toMatchObject({ outages: [], outageSeconds: 0, steady: true, plusMinusSeconds: 0 });
  });

  it('only the engine’s host loses the network: it migrates when that is certain', async () => {
    const report = whatIf(three.snapshot(2), 'network of host1 cut');
    expect(orders(report).map(([host, rule]) => [host, rule])).toEqual([[1, 'network-lost-here']]);
    expect(report.engineEnds).toMatchObject({ hostId: 2, answers: true });
    expect(report.outageSeconds).toBeLessThanOrEqual(45);
    await told('network-cut', report);
  });

  it('every host loses the network: nothing, ever', () => {
    const report = whatIf(three.snapshot(2), 'network of all cut');
    expect(orders(report)).toEqual([]);
    expect(report).toMatchObject({ outageSeconds: null, engineEnds: { hostId: 1, answers: false }, steady: false });
  });

  it('the storage hangs for all: sanlock ends the VM, and nobody can start it', async () => {
    const report = whatIf(three.snapshot(1), 'storage hangs');
    expect(orders(report)).toEqual([]);
    expect(report.engineEnds).toMatchObject({ hostId: null, answers: false });
    await told('storage-hangs', report);
  });

  it('the storage hangs on the engine’s host alone: another takes over', () => {
    const report = whatIf(three.snapshot(1), 'storage hangs on host1');
    expect(orders(report).map(([host]) => host)).toEqual([2]);
    expect(report.engineEnds.hostId).toBe(2);
  });

  it('the VM dies: started again at once where it was', () => {
    for (const from of [1, 2]) {
      const report = whatIf(three.snapshot(from), 'engine vm dies');
      expect(orders(report).map(([host, rule]) => [host, rule])).toEqual([[1, 'restart-here']]);
      expect(report.vmRunsAtSeconds).toBeLessThanOrEqual(3);
    }
  });

  it('maintenance on the engine’s host: handed over, without an outage', async () => {
    const report = whatIf(three.snapshot(1), 'host1 into maintenance');
    expect(orders(report).map(([host, rule]) => [host, rule])).toEqual([[1, 'hand-over']]);
    expect(report).toMatchObject({ outages: [], engineEnds: { hostId: 2, answers: true } });
    await told('maintenance', report);
  });

  it('maintenance with nobody to hand over to: it stays, with an alert', () => {
    const rig = createRig(['ours', 'ours']);
    rig.host(2).memFreeMb = VM_MEMORY_MB - 1;
    rig.run(10);
    const report = whatIf(rig.snapshot(2), 'host1 into maintenance');
    expect(orders(report)).toEqual([]);
    expect(report.steps.some((step) => step.kind === 'alert')).toBe(true);
    expect(report.engineEnds.hostId).toBe(1);
  });

  it('global maintenance: whatever else happens, nothing is done', () => {
    const report = whatIf(three.snapshot(1), 'global maintenance and host1 lost');
    expect(orders(report)).toEqual([]);
    expect(report.engineEnds.hostId).toBeNull();
  });

  it('a clean shutdown hands over first', () => {
    expect(whatIf(three.snapshot(3), 'host1 shuts down')).toMatchObject({ outages: [], engineEnds: { hostId: 2 } });
  });

  it('begins from the live state: a failover that is under way goes on', () => {
    const rig = createRig(['ours', 'ours', 'ours']);
    rig.host(1).on = false;
    rig.run(60);
    expect(rig.host(2).orders).toEqual([{ kind: 'start' }]);
    for (const from of [2, 3]) {
      const report = whatIf(rig.snapshot(from), 'network of host3 cut');
      expect(report.engineEnds).toMatchObject({ hostId: 2, answers: true });
      expect(report.vmRunsAtSeconds).toBeGreaterThan(70);
      expect(report.vmRunsAtSeconds).toBeLessThan(90);
      const lost = whatIf(rig.snapshot(from), 'host2 lost');
      expect(lost.engineEnds).toMatchObject({ hostId: 3, answers: true });
    }
  });

  it('marks what is assumed of the reference’s agents', async () => {
    const rig = createRig(['reference', 'ours', 'reference']);
    const report = whatIf(rig.snapshot(2), 'engine vm dies');
    expect(report.hosts.map((host) => host.basis)).toEqual(['assumed', 'exact', 'assumed']);
    expect(report.engineEnds.hostId).toBe(2);
    await told('mixed-vm-dies', report);
  });

  it('says when an event changes nothing', () => {
    const rig = createRig(['ours', 'ours']);
    rig.host(1).on = false;
    rig.run(60);
    expect(whatIf(rig.snapshot(2), 'engine vm dies').assumptions[0]).toContain('does not run now');
    expect(whatIf(rig.snapshot(2), 'host1 lost').assumptions[0]).toContain('gone already');
  });

  it('is pure: the same answer twice, and the snapshot as it was', () => {
    const snapshot = three.snapshot(1);
    const before = structuredClone(snapshot);
    const report = whatIf(snapshot, 'host1 lost and network of host2 cut');
    expect(whatIf(snapshot, 'host1 lost and network of host2 cut')).toEqual(report);
    expect(snapshot).toEqual(before);
  });

  it('says so when there was no round yet', () => {
    const snapshot = createRig(['ours'], { off: true }).snapshot(1);
    expect(() => whatIf(snapshot, 'host1 lost')).toThrow(CounterpartError);
  });
});
