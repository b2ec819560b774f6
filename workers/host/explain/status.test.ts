import { describe, expect, it } from 'vitest';
import { parseHostBlock } from '../../../activities/storage/whiteboard.ts';
import { timingOf, PROFILES } from '../core/timing.ts';
import { blockFieldsOf, explainCompat } from './status-compat.ts';
import { statusLines } from './status-text.ts';
import { explainStatus } from './status.ts';
import { createRig, VM_MEMORY_MB } from './testing.ts';

const WALL_MS = Date.UTC(2026, 10, 21);

describe('status of the running worker', () => {
  it('shows all hosts, facts, lease, definition and what follows from the profile', async () => {
    const rig = createRig(['ours', 'ours', 'reference']);
    rig.host(2).cpuLoad = 0.8;
    rig.host(3).score = 1800;
    rig.run(20);
    const report = explainStatus(rig.snapshot(1), blockFieldsOf(rig.slots));
    await expect(`${statusLines(report).join('\n')}\n`).toMatchFileSnapshot('golden/status-mixed.txt');
    expect(report).toMatchObject({
      hostId: 1,
      globalMaintenance: { on: false },
      engine: [{ id: 1, health: 'good' }],
      lease: { ownerId: 1, ownerName: 'host1' },
      round: { rule: 'engine-up', state: 'EngineUp' },
    });
    expect(report.hosts.map((host) => host.state)).toEqual(['EngineUp', 'EngineDown', 'EngineDown']);
    expect(report.facts.every((fact) => fact.fresh)).toBe(true);
  });

  it('gives this host’s penalties exactly, and of others what they announce', () => {
    const rig = createRig(['ours', 'ours', 'ours', 'reference']);
    rig.host(2).cpuLoad = 0.65;
    rig.host(2).memFreeMb = VM_MEMORY_MB - 1;
    rig.host(3).network = 0.5;
    rig.host(4).score = 2400;
    rig.run(20);
    const [, own] = explainStatus(rig.snapshot(2)).hosts;
    expect(own?.penalties.map(({ name, points }) => [name, points])).toEqual([
      ['cpu-load', 500],
      ['free-memory', 400],
    ]);
    expect(own?.score).toBe(2500);
    const [, asSeen, third, fourth] = explainStatus(rig.snapshot(1)).hosts;
    expect(asSeen).toMatchObject({
      score: 2500,
      cannotRun: 'not enough memory',
      penalties: [{ name: 'not announced', points: 900 }],
    });
    expect(third).toMatchObject({ score: 2600, penalties: [{ name: 'network', points: 800 }] });
    expect(fourth).toMatchObject({ agent: 'reference', penalties: [{ name: 'not announced', points: 1000 }] });
  });

  it('tells a missing bridge from a missing network, and why a score is 0', () => {
    const rig = createRig(['ours', 'ours', 'ours']);
    rig.host(2).bridgeUp = false;
    rig.host(3).localMaintenance = true;
    rig.run(20);
    const [, bridge, maintenance] = explainStatus(rig.snapshot(1)).hosts;
    expect(bridge).toMatchObject({ score: 2800, penalties: [{ name: 'mgmt-bridge', points: 600 }] });
    expect(maintenance).toMatchObject({ score: 0, zeroBecause: 'in local maintenance', localMaintenance: true });
  });

  it('counts silence by this host’s own clock, and says when the lease is free', async () => {
    const rig = createRig(['ours', 'ours']);
    rig.host(1).on = false;
    rig.run(30);
    const report = explainStatus(rig.snapshot(2));
    const [dead] = report.hosts;
    expect(dead).toMatchObject({ lives: false, goneAfterSeconds: 15 });
    expect(dead?.heartbeatAgeSeconds).toBeGreaterThanOrEqual(30);
    expect(report.engine).toEqual([]);
    expect(report.lease).toMatchObject({ ownerId: 1 });
    expect((report.lease?.silentSeconds ?? 0) + (report.lease?.freeInSeconds ?? 0)).toBe(140);
    await expect(`${statusLines(report, { timing: false }).join('\n')}\n`).toMatchFileSnapshot(
      'golden/status-dead-host.txt',
    );
  });

  it('names a fact that is too old, and a slot that cannot be read', () => {
    const rig = createRig(['ours', 'ours']);
    rig.host(1).vdsm = false;
    rig.run(20);
    const { round, ...rest } = rig.snapshot(1);
    if (round?.observation.board === undefined) throw new Error('no round');
    const board = { ...round.observation.board, unreadable: [{ id: 9, why: 'bad checksum' }] };
    const report = explainStatus({ ...rest, round: { ...round, observation: { ...round.observation, board } } });
    expect(report.facts.find((fact) => fact.name === 'VDSM')).toMatchObject({ fresh: false });
    const text = statusLines(report).join('\n');
    expect(text).toContain('TOO OLD');
    expect(text).toContain('slot 9 not readable: bad checksum');
  });

  it('is whole before the first round as well', () => {
    const report = explainStatus(createRig(['ours'], { off: true }).snapshot(1));
    expect(report).toMatchObject({
      round: null,
      hosts: [],
      globalMaintenance: { on: null },
      capacity: { failures: null },
    });
    expect(statusLines(report).join('\n')).toContain('no round yet');
  });

  it('shows every time of the profile', () => {
    const times = explainStatus(createRig(['ours'], { profile: 'fast' }).snapshot(1)).timing?.times ?? [];
    // The profile stands as its two time-outs.
    expect(times.length).toBe(Object.keys(timingOf(PROFILES.fast)).length - 1 + 2);
    expect(times.find((time) => time.name === 'hostDeadSeconds')).toMatchObject({ value: 70, unit: 's' });
    expect(times.every((time) => Number.isFinite(time.value))).toBe(true);
  });
});

describe('the shape of hosted-engine --vm-status --json', () => {
  const shape = (text: string): unknown => JSON.parse(text);

  it('has the reference’s keys and Python’s blanks, with our proof of life', () => {
    const rig = createRig(['ours', 'ours', 'reference']);
    rig.host(2).on = false;
    rig.run(30);
    const text = explainCompat(rig.snapshot(1), WALL_MS, rig.slots);
    expect(text).toContain('"vm": "up"');
    expect(shape(text)).toMatchObject({
      global_maintenance: false,
      1: {
        'host-id': 1,
        score: 3400,
        'engine-status': { vm: 'up', health: 'good' },
        hostname: 'host1',
        'live-data': true,
      },
      2: { 'live-data': false, maintenance: false, stopped: false },
      3: { 'live-data': true },
    });
    const bytes = rig.slots.get(2);
    const block = bytes === undefined ? undefined : parseHostBlock(bytes);
    if (block?.kind !== 'host') throw new Error('no slot');
    expect(shape(text)).toMatchObject({ 2: { extra: block.block.extra, 'host-ts': block.block.hostTs } });
    expect(text).toMatch(/"crc32": "[0-9a-f]{8}"/);
    expect(text).toMatch(
      /"conf_on_shared_storage": true, "local_conf_timestamp": \d+, "extra": "metadata_parse_version=1/,
    );
  });

  it('is whole without the bytes of the others, and before the first round', () => {
    const rig = createRig(['ours', 'ours']);
    rig.setGlobal(true);
    rig.run(10);
    expect(shape(explainCompat(rig.snapshot(1), WALL_MS))).toMatchObject({
      global_maintenance: true,
      2: { 'host-id': 2, score: 3400, 'engine-status': { vm: 'down' }, hostname: 'host2', 'live-data': true },
    });
    expect(explainCompat(createRig(['ours'], { off: true }).snapshot(1), WALL_MS)).toBe(
      '{"global_maintenance": false}',
    );
  });
});
