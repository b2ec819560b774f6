import { describe, expect, it } from 'vitest';
import { RULES } from '../core/rules.ts';
import type { Snapshot } from '../snapshot.ts';
import { createRig, VM_MEMORY_MB, type Rig } from './testing.ts';
import { explainWhy, LINES } from './why.ts';
import { EXPLAINED } from './why-rules.ts';
import { WIDTH } from './words.ts';

/** One screen of plain words: what every answer must be. */
function fits(text: string): void {
  const lines = text.split('\n');
  expect(lines.length).toBeLessThanOrEqual(LINES);
  for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(WIDTH);
  expect(text).not.toMatch(/undefined|NaN|Infinity|\[object|-\d+ s/);
}

const golden = (name: string) => `golden/why-${name}.txt`;

async function told(name: string, rig: Rig, id: number): Promise<string> {
  const text = explainWhy(rig.snapshot(id));
  fits(text);
  await expect(`${text}\n`).toMatchFileSnapshot(golden(name));
  return text;
}

const nextSeconds = (text: string) => Number(/^next +in (\d+) s/m.exec(text)?.[1]);

const mixed = createRig(['ours', 'ours', 'reference']);

describe('why', () => {
  it('has sentences for every rule of the core, and for no other', () => {
    expect([...EXPLAINED].sort()).toEqual(RULES.map((rule) => rule.name).sort());
  });

  it.each(RULES.map((rule) => rule.name))('says something whole for %s, whatever else is the case', (rule) => {
    for (const snapshot of [mixed.snapshot(1), mixed.snapshot(2)]) {
      const { round } = snapshot;
      if (round === undefined) throw new Error('no round');
      const inputs = {
        host: 2,
        owner: 2,
        first: 3,
        to: 2,
        turn: 1,
        theirs: '5/30',
        why: 'not enough memory',
        claim: 'start',
      };
      for (const more of [{}, { confirming: true }, { target: 'none' }, { movesLeft: 0 }]) {
        const reasons = [{ rule, inputs: { ...inputs, ...more }, sinceMs: snapshot.nowMs - 4000 }];
        const text = explainWhy({ ...snapshot, round: { ...round, decision: { ...round.decision, reasons } } });
        fits(text);
        expect(text).toMatch(/^why {7}\S.{30}/m);
        expect(text).toContain(rule);
      }
    }
  });

  it('is quiet when all is well, here and on the host that stands by', async () => {
    const rig = createRig(['ours', 'ours', 'ours']);
    expect(await told('healthy-here', rig, 1)).toContain('Nothing needs to be done');
    expect(await told('healthy-there', rig, 2)).toContain('The engine VM is on host1');
  });

  it('counts down to the restart of a VM whose engine is sick', async () => {
    const rig = createRig(['ours', 'ours']);
    rig.host(1).engine = 'bad';
    rig.run(60);
    const text = await told('engine-bad', rig, 1);
    rig.run(10);
    expect(nextSeconds(text)).toBeGreaterThan(200);
    expect(nextSeconds(text) - nextSeconds(explainWhy(rig.snapshot(1)))).toBe(10);
    rig.run(nextSeconds(explainWhy(rig.snapshot(1))) + 3);
    expect(rig.host(1).orders).toEqual([{ kind: 'shutdown' }]);
  });

  it('says until when a loss of the network is watched, and then what is done', async () => {
    const rig = createRig(['ours', 'ours']);
    rig.host(1).network = 0;
    rig.run(8);
    const text = await told('network-lost', rig, 1);
    rig.run(nextSeconds(text) + 6);
    expect(rig.host(1).orders).toEqual([{ kind: 'migrate', to: 2 }]);
    await told('network-lost-moving', rig, 1);
  });

  it('says why nothing is moved when every host lost the network', async () => {
    const rig = createRig(['ours', 'ours']);
    rig.host(1).network = 0;
    rig.host(2).network = 0;
    rig.run(40);
    expect(await told('network-lost-everywhere', rig, 1)).toContain('host2 has lost it as well');
  });

  it('works with hung storage, and says what others can do by when', async () => {
    const rig = createRig(['ours', 'ours']);
    rig.host(1).storage = false;
    rig.run(20);
    expect(await told('storage-hung', rig, 1)).toContain('The storage has not answered');
  });

  it('tells the whole failover from a host that waits for the lease of a dead one', async () => {
    const rig = createRig(['ours', 'ours', 'ours']);
    rig.host(1).on = false;
    rig.run(9);
    expect(explainWhy(rig.snapshot(2))).toMatch(/in \d+ s: host1 counts as gone/);
    rig.run(11);
    const text = await told('lease-of-dead-host', rig, 2);
    expect(text).toContain('host1, which has been silent for');
    const left = nextSeconds(text);
    rig.run(left - 2);
    expect(rig.host(2).orders).toEqual([]);
    rig.run(5);
    expect(rig.host(2).orders).toEqual([{ kind: 'start' }]);
    rig.run(5);
    expect(await told('waits-for-lease', rig, 2)).toMatch(/in \d+ s: sanlock gives the lease of host1 away/);
    expect(explainWhy(rig.snapshot(3))).toContain('host2');
  });

  it('says that global maintenance keeps all still, also while the engine is down', async () => {
    const rig = createRig(['ours', 'ours']);
    rig.setGlobal(true);
    rig.run(10);
    await told('global-maintenance', rig, 1);
    rig.host(1).vm = 'absent';
    rig.run(10);
    expect(await told('global-maintenance-engine-down', rig, 1)).toContain('vm start');
  });

  it('says who is missing when there is nobody to hand over to', async () => {
    const rig = createRig(['ours', 'ours']);
    rig.host(2).memFreeMb = VM_MEMORY_MB - 1;
    rig.run(10);
    rig.host(1).localMaintenance = true;
    rig.run(30);
    expect(await told('nobody-to-hand-over-to', rig, 1)).toContain('host2: cannot start it: not enough memory');
  });

  it('names the reference’s agents in a mixed cluster', async () => {
    const rig = createRig(['ours', 'reference', 'ours']);
    rig.host(1).network = 0;
    rig.host(3).network = 0;
    rig.run(25);
    expect(await told('mixed', rig, 1)).toContain('the reference’s agent');
  });

  it('works without VDSM', async () => {
    const rig = createRig(['ours', 'ours']);
    rig.host(1).vdsm = false;
    rig.run(20);
    expect(await told('no-vdsm', rig, 1)).toContain('systemctl status vdsmd');
  });

  it('works before the first round', async () => {
    const rig = createRig(['ours'], { off: true });
    expect(await told('no-round', rig, 1)).toContain('has not finished a first round');
  });

  it('warns when the loop stands still', () => {
    const snapshot = createRig(['ours', 'ours']).snapshot(1);
    const text = explainWhy({ ...snapshot, nowMs: snapshot.nowMs + 90_000 });
    fits(text);
    expect(text).toMatch(/^WARNING +The last round of this worker was 9\d s ago/);
  });

  it('stays on one screen with many hosts and long names, and lets no name steer the terminal', () => {
    const rig = createRig(Array.from({ length: 12 }, () => 'ours' as const));
    rig.host(1).on = false;
    rig.run(20);
    const snapshot = rig.snapshot(2);
    const evil = renamed(snapshot, `\u001b[31mhe-${'x'.repeat(120)}.example.com`);
    const text = explainWhy(evil);
    fits(text);
    expect(text).not.toContain('\u001b');
    expect(text).toMatch(/and \d+ more/);
  });
});

function renamed(snapshot: Snapshot, hostname: string): Snapshot {
  const { round } = snapshot;
  if (round === undefined) throw new Error('no round');
  const { memory } = round.decision;
  const peers = new Map(
    [...memory.peers].map(([id, peer]) => [id, { ...peer, report: { ...peer.report, hostname } }] as const),
  );
  return { ...snapshot, hostname, round: { ...round, decision: { ...round.decision, memory: { ...memory, peers } } } };
}
