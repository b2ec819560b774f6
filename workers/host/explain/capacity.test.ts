import { describe, expect, it } from 'vitest';
import { capacity, capacityLines } from './capacity.ts';
import { createRig, VM_MEMORY_MB, type Rig } from './testing.ts';
import { whatIf } from './what-if/what-if.ts';

/** Every set of `count` hosts out of these. */
function sets(ids: readonly number[], count: number): readonly (readonly number[])[] {
  if (count === 0) return [[]];
  return ids.flatMap((id, index) => sets(ids.slice(index + 1), count - 1).map((rest) => [id, ...rest]));
}

/** Does the engine come back whichever so many hosts are lost at once? */
function survives(rig: Rig, from: number, ids: readonly number[], count: number): boolean {
  return sets(ids, count).every((lost) => {
    const event = lost.map((id) => `host${id} lost`).join(' and ');
    return count === 0 || whatIf(rig.snapshot(from), event).engineEnds.answers;
  });
}

const short = (rig: Rig, id: number) => (rig.host(id).memFreeMb = VM_MEMORY_MB - 1);

describe('how many host failures can we take now', () => {
  it.each<[string, number, (rig: Rig) => void, number]>([
    ['three healthy hosts', 3, () => undefined, 2],
    ['one host', 1, () => undefined, 0],
    ['a spare in local maintenance', 3, (rig) => (rig.host(3).localMaintenance = true), 1],
    ['a spare without memory', 3, (rig) => short(rig, 2), 1],
    ['the engine’s host itself without memory to spare', 2, (rig) => short(rig, 1), 1],
    ['no spare that could', 3, (rig) => [short(rig, 2), (rig.host(3).sanlock = false)], 0],
    ['a silent spare', 4, (rig) => (rig.host(4).on = false), 2],
  ])('%s', (_, count, change, failures) => {
    const rig = createRig(Array.from({ length: count }, () => 'ours' as const));
    change(rig);
    rig.run(30);
    expect(capacity(rig.snapshot(1)).failures).toBe(failures);
    // The same by trying out every loss, with the code that decides.
    const ids = Array.from({ length: count }, (__, index) => index + 1).filter((id) => rig.host(id).on);
    expect(survives(rig, 1, ids, failures)).toBe(true);
    if (failures < ids.length) expect(survives(rig, 1, ids, failures + 1)).toBe(false);
  });

  it('says why not more, by name', async () => {
    const rig = createRig(['ours', 'ours', 'ours', 'reference']);
    short(rig, 2);
    rig.host(4).localMaintenance = true;
    rig.run(30);
    const report = capacity(rig.snapshot(1));
    await expect(`${capacityLines(report).join('\n')}\n`).toMatchFileSnapshot('golden/capacity.txt');
    expect(report.reserve).toEqual({ neededMiB: VM_MEMORY_MB, spareHosts: 1, wantedSpareHosts: 1, enough: true });
    expect(capacity(rig.snapshot(1), 2).reserve?.enough).toBe(false);
  });

  it('is none while nobody may act, and unknown while the board cannot be read', () => {
    const rig = createRig(['ours', 'ours']);
    rig.setGlobal(true);
    rig.run(10);
    expect(capacity(rig.snapshot(1))).toMatchObject({ failures: 0 });
    rig.host(1).storage = false;
    rig.run(20);
    expect(capacity(rig.snapshot(1))).toMatchObject({ failures: null, reserve: null });
    expect(capacityLines(capacity(rig.snapshot(1))).join('\n')).toContain('cannot be told now');
    const differing = createRig(['ours', 'ours']);
    differing.host(2).watchdogSeconds = 30;
    differing.run(10);
    expect(capacity(differing.snapshot(1)).why[0]).toContain('time-outs of host2 differ');
  });

  it('counts one less while the engine runs nowhere', () => {
    const rig = createRig(['ours', 'ours', 'ours']);
    rig.host(1).on = false;
    rig.run(30);
    expect(capacity(rig.snapshot(2)).failures).toBe(1);
  });
});
