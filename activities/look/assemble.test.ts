import { describe, expect, test } from 'vitest';
import { extraText, formatHostBlock, parseHostBlock, type HostBlock } from '../storage/whiteboard.ts';
import type { Board, Slot } from './ask-board.ts';
import type { HostWord } from './ask-hosts.ts';
import { assemble, type Words } from './assemble.ts';
import { VdsmClient } from '../vdsm/client.ts';
import { SlotEar } from './heard.ts';
import { summaryLine } from './summary-line.ts';

const VM = '11111111-2222-3333-4444-555555555555';
const AT = new Date('2026-11-21T14:00:00Z');
const DOWN = { vm: 'down', health: 'bad', detail: 'unknown', reason: 'vm not running on this host' };
const UP = { vm: 'up', health: 'good', detail: 'Up' };

function slot(id: number, change: Partial<HostBlock> = {}, said: Record<string, string> = {}): Slot {
  const facts = {
    hostTs: 5,
    at: AT,
    hostId: id,
    score: change.score ?? 3400,
    localConfTimestamp: 5,
    confRefreshedAt: AT,
  };
  const state = { state: 'EngineDown', maintenance: false, stopped: change.stopped ?? false, ...said };
  const block: HostBlock = {
    hostId: id,
    hostTs: 5,
    score: 3400,
    engineStatus: DOWN,
    hostname: `host${id}`,
    localMaintenance: false,
    stopped: false,
    extra: extraText({ ...facts, confOnSharedStorage: true, state }),
    ...change,
  };
  const made = formatHostBlock(block);
  if (!made.ok) throw new Error(made.why);
  const reading = parseHostBlock(made.bytes);
  if (reading.kind === 'empty') throw new Error('empty');
  return { id, reading };
}

const ours = (more: Record<string, string> = {}) => ({
  bellwether: '1',
  'interval-ms': '3000',
  network: '1',
  'network-age-ms': '0',
  'sanlock-io': '10',
  'sanlock-watchdog': '60',
  ...more,
});

function host(id: number, change: Partial<NonNullable<HostWord['said']>> = {}): HostWord {
  const name = `host${id}`;
  const client = new VdsmClient({ name, address: `10.0.0.${id}`, port: 1, ca: '', cert: '', key: '' });
  const ha = { configured: true, active: true, score: 3400, localMaintenance: false, globalMaintenance: false };
  const said = { ha, freeMiB: 32_000, vms: [], pool: 'pool', spm: id === 1, ...change };
  return { client, name, address: `10.0.0.${id}`, said };
}

const silent = (id: number): HostWord => {
  const { client, name, address } = host(id);
  return { client, name, address, missing: { what: `VDSM of ${name}`, why: 'no answer', remedy: 'Wait.' } };
};

const board = (slots: readonly Slot[], change: Partial<Board> = {}): Board => ({
  atMs: AT.getTime(),
  globalMaintenance: false,
  globalFault: undefined,
  slots,
  ...change,
});

const running = host(1, { vms: [{ vmId: VM, status: 'Up' }] });
const three = [slot(1, { engineStatus: UP }), slot(2), slot(3)];

function look(change: Partial<Words> = {}) {
  const engine = {
    look: { address: 'engine', healthy: true, health: 'well' },
    hosts: undefined,
    vm: undefined,
    missing: [],
  };
  return assemble({
    cluster: 'Default',
    at: AT,
    tookMs: 5,
    engine,
    hosts: [running, host(2), host(3)],
    board: board(three),
    boardMissing: undefined,
    ear: new SlotEar(),
    vmId: VM,
    vmMemoryMiB: 16_384,
    ...change,
  });
}

describe('a look', () => {
  test('at a healthy cluster: the VM’s place by its strongest source, and two failures to spare', () => {
    const seen = look();
    expect(seen.engineVm).toMatchObject({ host: 'host1', status: 'Up', source: 'vdsm' });
    expect(seen.capacity.failures).toBe(2);
    expect(seen.hosts.map(({ summary }) => summary)).toEqual(Array(3).fill('Hosted Engine HA: Active (score: 3400)'));
    expect(seen.missing).toEqual([]);
  });

  test('a host without memory for the engine VM is no spare', () => {
    const { capacity, hosts } = look({ hosts: [running, host(2, { freeMiB: 1000 }), host(3)] });
    expect(capacity.failures).toBe(1);
    expect(hosts[1]?.cannotRun).toBe('1000 MiB of memory are free, the engine VM needs 16384');
  });

  test('a silent VDSM is missing by name, and its slot speaks for it', () => {
    const ear = new SlotEar();
    ear.hear(new Map([[1, 1]]), AT.getTime() - 70_000);
    const seen = look({ hosts: [silent(1), host(2), host(3)], ear });
    expect(seen.missing.map(({ what }) => what)).toEqual(['VDSM of host1']);
    expect(seen.hosts[0]).toMatchObject({ summary: 'Hosted Engine HA: Not Active', vdsm: { answers: false } });
    // Silent for longer than any agent may be: its last word of the VM does not count.
    expect(seen.engineVm.host).toBeUndefined();
  });

  test('the last metadata is shown with its age when it can’t be read, and no capacity is told from it', () => {
    const boardMissing = { what: 'HA metadata', why: 'no SPM', remedy: 'Wait.' };
    const seen = look({ board: board(three, { atMs: AT.getTime() - 30_000 }), boardMissing });
    expect(seen.metadataAgeSeconds).toBe(30);
    expect(seen.capacity).toEqual({ failures: null, why: [expect.stringContaining('read last 30 s ago')] });
    expect(seen.globalMaintenance).toEqual({ on: false, source: 'vdsm' });
    expect(look({ board: undefined, boardMissing, hosts: [silent(1)] }).globalMaintenance).toEqual({ on: null });
  });

  test('global maintenance, and time-outs that differ, leave no failure to spare', () => {
    expect(look({ board: board(three, { globalMaintenance: true }) }).capacity.failures).toBe(0);
    const slots = [slot(1, {}, ours()), slot(2, {}, ours({ 'sanlock-io': '5' })), slot(3)];
    const { capacity } = look({ board: board(slots) });
    expect(capacity.failures).toBe(0);
    expect(capacity.why[0]).toContain('host1: 10/60 s, host2: 5/60 s');
  });

  test('who writes the slot, and what took points off, where the block says so', () => {
    const slots = [slot(1), slot(2, { score: 3300 }, ours({ failures: '2' })), slot(3, { score: 3000 })];
    const [, second, third] = look({ board: board(slots) }).hosts;
    expect([second?.agent, second?.scoreReasons]).toEqual(['bellwether', ['engine-retry -100: 2 failures there']]);
    expect([third?.agent, third?.scoreReasons]).toEqual([
      'reference',
      ['not announced -400: the reference’s agent does not announce why'],
    ]);
  });

  test('slots of strangers, broken ones and misplaced ones are told apart', () => {
    const bad: Slot = { id: 7, reading: { kind: 'bad', fault: 'bad-checksum', why: 'sums differ' } };
    const misplaced: Slot = { ...slot(8), id: 9 };
    const { strangers, faultySlots } = look({ board: board([...three, slot(5), bad, misplaced]) });
    expect(strangers.map(({ hostname }) => hostname)).toEqual(['host5']);
    expect(faultySlots).toEqual([
      { id: 7, why: 'sums differ' },
      { id: 9, why: 'it holds the block of host 8' },
    ]);
  });

  test('a volume full of garbage stays small', () => {
    const bad = Array.from({ length: 2000 }, (_, id): Slot => ({
      id,
      reading: { kind: 'bad', fault: 'not-text', why: 'x'.repeat(5000) },
    }));
    const slots = [...bad, ...Array.from({ length: 100 }, (_, id) => slot(id + 10, { hostname: `other${id}` }))];
    expect(JSON.stringify(look({ board: board(slots) })).length).toBeLessThan(65_536);
  });
});

test('the web UI’s words, in its order of tests', () => {
  const ha = { configured: true, active: true, score: 3400, localMaintenance: false, globalMaintenance: false };
  expect(summaryLine({ ...ha, score: 2600 })).toBe('Hosted Engine HA: Active (score: 2600)');
  expect(summaryLine({ ...ha, active: false, globalMaintenance: true })).toBe('Hosted Engine HA: Not Active');
  expect(summaryLine({ ...ha, localMaintenance: true, globalMaintenance: true })).toBe(
    'Hosted Engine HA: Global Maintenance Enabled',
  );
  expect(summaryLine({ ...ha, localMaintenance: true })).toBe('Hosted Engine HA: Local Maintenance Enabled');
  expect(summaryLine({ ...ha, configured: false })).toBeUndefined();
});
