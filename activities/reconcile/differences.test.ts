import { describe, expect, test } from 'vitest';
import { DIFFERENCES, keyOf, type DifferenceKind } from '../../workflows/model/reconcile.ts';
import { lookLines, tableLines } from '../../workflows/reconcile/table.ts';
import type { Host, Vm } from '../engine/types.ts';
import type { OvfDescription } from '../ovf/read-ovf.ts';
import type { HostBlock } from '../storage/whiteboard.ts';
import { findDifferences } from './differences.ts';
import { factRows } from './rows.ts';
import { isSlotOf, type EngineWord, type HostWord, type SlotWord, type Sources } from './sources.ts';

const MIB = 2 ** 20;

function host(name: string, change: Partial<Host> = {}): Host {
  return {
    id: `id-${name}`,
    name,
    address: `${name}.example.test`,
    port: 54_321,
    status: 'up',
    statusDetail: undefined,
    clusterId: 'c',
    spmStatus: 'none',
    hostedEngine: { configured: true, active: true, score: 3400, globalMaintenance: false, localMaintenance: false },
    ...change,
  } as Host;
}

function vdsm(name: string, change: Partial<HostWord> = {}): HostWord {
  return {
    name,
    address: `${name}.example.test`,
    configured: true,
    active: true,
    score: 3400,
    localMaintenance: false,
    globalMaintenance: false,
    vmStatus: undefined,
    domainValid: true,
    spmId: undefined,
    ...change,
  };
}

function slot(id: number, hostname: string, change: Partial<HostBlock> = {}, live?: boolean): SlotWord {
  const block: HostBlock = {
    hostId: id,
    hostTs: 5021,
    score: 3400,
    engineStatus: { vm: 'down', health: 'bad', detail: 'unknown' },
    hostname,
    localMaintenance: false,
    stopped: false,
    extra: 'timestamp=5021 (Wed Jul  1 11:43:07 2020)\nstate=EngineDown\n',
    ...change,
  };
  return { id, reading: { kind: 'host', block }, ...(live === undefined ? {} : { live }) };
}

const VM = {
  id: 'vm',
  name: 'HostedEngine',
  status: 'up',
  origin: 'managed_hosted_engine',
  deleteProtected: true,
  memoryBytes: 16_384 * MIB,
  cpu: { sockets: 4, cores: 1, threads: 1 },
  hostId: 'id-host1',
} as Vm;

const OVF: OvfDescription = {
  vmId: 'vm',
  name: 'HostedEngine',
  memoryMb: 16_384,
  vcpus: 4,
  disks: [],
  nics: [],
  origin: 6,
  deleteProtected: true,
  generation: 3,
  engineVersion: '4.5.0.0',
  exportDate: undefined,
};

function engine(change: Partial<EngineWord> = {}): EngineWord {
  const hosts = [host('host1'), host('host2')];
  return {
    hosts,
    knownHosts: hosts,
    hostIds: new Map([
      ['id-host1', 1],
      ['id-host2', 2],
    ]),
    vm: VM,
    domain: { id: 'd', status: 'active' } as EngineWord['domain'],
    ...change,
  };
}

const UP = { vm: 'up', health: 'good', detail: 'Up' };

/** Two hosts, all in order. */
function calm(change: Partial<Sources> = {}): Sources {
  const volume = { image: 'i', volume: 'v' };
  return {
    facts: {
      dataCenter: { id: 'p' },
      domain: { id: 'd', metadata: volume, configuration: volume },
      globalMaintenanceBefore: false,
    },
    engine: engine(),
    hosts: [vdsm('host1', { vmStatus: 'Up', spmId: 1 }), vdsm('host2')],
    globalMaintenance: false,
    slots: [slot(1, 'host1', { engineStatus: UP }), slot(2, 'host2.example.test')],
    storage: {
      copies: ['aaaaaaaa-1', 'bbbbbbbb-2'].map((name) => ({ volume: name, ovf: OVF })),
      vmId: 'vm',
      sharedHostId: '1',
      leaseOwners: [1],
    },
    ...change,
  };
}

const found = (sources: Sources) => findDifferences(sources).map(keyOf);

test('sources that agree differ in nothing', () => {
  expect(found(calm())).toEqual([]);
  expect(lookLines({ rows: factRows(calm()), differences: [] })[0]).toContain('agree');
});

const storage = calm().storage;
const slots = calm().slots;
const CASES: readonly (readonly [string, Partial<Sources>, readonly string[]])[] = [
  ['an engine that is silent', { engine: 'no route' }, ['engine-unreachable']],
  [
    'a host that is silent',
    {
      hosts: [
        vdsm('host1', { vmStatus: 'Up' }),
        vdsm('host2', { silent: 'refused', configured: false, active: false }),
      ],
    },
    ['host-unreachable host2'],
  ],
  [
    'two hosts with the VM',
    { hosts: [vdsm('host1', { vmStatus: 'Up' }), vdsm('host2', { vmStatus: 'Up' })] },
    ['engine-vm-on-several-hosts', 'host-id host2'],
  ],
  [
    'a migration',
    { hosts: [vdsm('host1', { vmStatus: 'Migration Source' }), vdsm('host2', { vmStatus: 'Migration Destination' })] },
    [],
  ],
  ['an engine that is behind', { engine: engine({ vm: { ...VM, hostId: 'id-host2' } }) }, ['engine-vm-host']],
  [
    'a VM that is down for the engine only',
    { engine: engine({ vm: { ...VM, status: 'down' } }) },
    ['engine-vm-status'],
  ],
  ['global maintenance', { globalMaintenance: true }, ['global-maintenance', 'global-maintenance-on']],
  [
    'a stale flag of a host in maintenance',
    {
      engine: engine({
        hosts: [host('host1'), host('host2', { status: 'maintenance' })],
      }),
      hosts: [vdsm('host1', { vmStatus: 'Up' }), vdsm('host2', { localMaintenance: true, score: 0 })],
      slots: [slots[0] ?? slot(1, 'host1'), slot(2, 'host2', { score: 0, localMaintenance: true })],
    },
    [],
  ],
  ['a domain that the engine lost', { engine: engine({ domain: undefined }) }, ['domain-status']],
  ['an unprotected VM', { engine: engine({ vm: { ...VM, deleteProtected: false } }) }, ['delete-protection']],
  [
    'an unmanaged VM',
    { engine: engine({ vm: { ...VM, origin: 'hosted_engine' } }), storage: { ...storage, copies: [] } },
    ['origin'],
  ],
  ['one copy', { storage: { ...storage, copies: storage.copies.slice(0, 1) } }, ['ovf-store-missing']],
  [
    'a copy with other memory, and one that is not valid',
    {
      storage: {
        ...storage,
        copies: [
          { volume: 'aaaaaaaa-1', ovf: { ...OVF, memoryMb: 8192 } },
          { volume: 'bbbbbbbb-2', fault: 'Updated is false' },
        ],
      },
    },
    ['ovf-store-stale copy aaaaaaaa', 'ovf-store-stale copy bbbbbbbb'],
  ],
  [
    'a host that only VDSM calls deployed',
    { engine: engine({ hosts: [host('host1'), host('host2', { hostedEngine: undefined })] }) },
    ['host-deployed host2'],
  ],
  [
    'an agent that does not run',
    { hosts: [vdsm('host1', { vmStatus: 'Up' }), vdsm('host2', { active: false, score: 0 })] },
    ['agent-not-active host2'],
  ],
  [
    'an id that the engine gave otherwise',
    {
      engine: engine({
        hostIds: new Map([
          ['id-host1', 1],
          ['id-host2', 7],
        ]),
      }),
    },
    ['host-id host2'],
  ],
  ['a lease held by another', { storage: { ...storage, leaseOwners: [2] } }, ['host-id host1']],
  [
    'a score of another world',
    { slots: [slots[0] ?? slot(1, 'host1'), slot(2, 'host2', { score: 0 })] },
    ['score host2'],
  ],
  [
    'a slot that is rubbish',
    { slots: [...slots, { id: 5, reading: { kind: 'bad', fault: 'not-text', why: 'no UTF-8' } }] },
    ['slot-unreadable slot 5'],
  ],
];

test.each(CASES)('%s', (_, change, expected) => {
  expect(found(calm(change))).toEqual(expected);
});

describe('local maintenance is brought in line with the engine’s status', () => {
  const inMaintenance = engine({ hosts: [host('host1'), host('host2', { status: 'maintenance' })] });
  const target = (sources: Sources) =>
    findDifferences(sources)
      .filter(({ kind }) => kind === 'local-maintenance')
      .map((one) => one.target);

  test('in both directions', () => {
    expect(target(calm({ engine: inMaintenance }))).toEqual([
      { kind: 'local-maintenance', host: 'host2', wanted: true },
    ]);
    const on = [vdsm('host1', { vmStatus: 'Up' }), vdsm('host2', { localMaintenance: true })];
    expect(target(calm({ hosts: on }))).toEqual([{ kind: 'local-maintenance', host: 'host2', wanted: false }]);
  });

  test('but not where the engine VM runs, and not in statuses on the way', () => {
    const there = [vdsm('host1'), vdsm('host2', { vmStatus: 'Up' })];
    expect(target(calm({ engine: inMaintenance, hosts: there }))).toEqual([undefined]);
    const moving = engine({ hosts: [host('host1'), host('host2', { status: 'preparing_for_maintenance' })] });
    expect(target(calm({ engine: moving }))).toEqual([]);
  });
});

describe('a slot is left over', () => {
  const left = (change: Partial<Sources>) =>
    findDifferences(calm(change)).filter(({ kind }) => kind.startsWith('slot-'));

  test('when nobody knows its host and nobody writes it: it may be cleaned', () => {
    expect(left({ slots: [...slots, slot(9, 'host9', { stopped: true }, false)] })).toEqual([
      {
        kind: 'slot-left-over',
        subject: 'slot 9',
        says: ['HA metadata: host9, stopped cleanly', 'engine: knows no such host'],
        since: 'Wed Jul  1 11:43:07 2020',
        target: { kind: 'slot-left-over', slot: 9 },
      },
    ]);
  });

  test('when its host uses another one, or is not deployed any more', () => {
    const again = [...slots, slot(9, 'host2', { stopped: true }, false)];
    expect(left({ slots: again })[0]?.target).toEqual({ kind: 'slot-left-over', slot: 9 });
    const undeployed = [vdsm('host1', { vmStatus: 'Up' }), vdsm('host2', { configured: false, active: false })];
    const own = [slots[0] ?? slot(1, 'host1'), slot(2, 'host2', { stopped: true }, false)];
    expect(left({ hosts: undeployed, slots: own })[0]?.target).toEqual({ kind: 'slot-left-over', slot: 2 });
  });

  test('never when somebody writes it, the engine is silent, or a host of another cluster has its name', () => {
    const live = [...slots, slot(9, 'host9', {}, true)];
    expect(left({ slots: live }).map(keyOf)).toEqual(['slot-writer-unknown slot 9']);
    const dead = [...slots, slot(9, 'host9', {}, false)];
    expect(left({ engine: 'no route', slots: dead }).map(({ target }) => target)).toEqual([undefined]);
    const elsewhere = engine({ knownHosts: [host('host9')] });
    expect(left({ engine: elsewhere, slots: dead }).map(({ target }) => target)).toEqual([undefined]);
  });
});

test('only what its kind calls safe is ever repaired', () => {
  const all = CASES.flatMap(([, change]) => findDifferences(calm(change)));
  for (const { kind, target } of all) if (target !== undefined) expect(DIFFERENCES[kind].safe).toBe(true);
  const kinds: DifferenceKind[] = ['global-maintenance', 'global-maintenance-on', 'slot-writer-unknown'];
  expect(kinds.map((kind) => DIFFERENCES[kind].safe)).toEqual([false, false, false]);
});

test('the table has a row per fact, no cell can break it, and its size is bounded', () => {
  const sources = calm({ hosts: [vdsm('host1', { vmStatus: 'Up' }), vdsm('host2', { silent: 'a | b\nc' })] });
  const lines = tableLines(factRows(sources));
  expect(lines).toContain('| engine VM runs on | host1 | host1 | host1 | lease: host id 1 |');
  expect(lines).toContain('| host2: status | up | silent: a / b c | agent wrote | – |');
  expect(new Set(lines.map((line) => line.split(' | ').length))).toEqual(new Set([5]));
  const many = Array.from({ length: 500 }, (_, i) => slot(i + 10, `host${i + 10}`, {}, false));
  expect(tableLines(factRows(calm({ slots: many }))).length).toBeLessThan(90);
});

test('a slot belongs to a host by its name, its address or the first part of it', () => {
  const at = { name: 'host2', address: 'node-b.example.test' };
  expect(['host2', 'node-b.example.test', 'NODE-B'].map((name) => isSlotOf(name, at))).toEqual([true, true, true]);
  expect(['host22', 'node', ''].map((name) => isSlotOf(name, at))).toEqual([false, false, false]);
  expect(isSlotOf('192', { name: 'h', address: '192.0.2.1' })).toBe(false);
});
