import { expect, test } from 'vitest';
import { CounterpartError } from '../errors.ts';
import { requireElsewhere, type HostLook } from './inspect-host.ts';
import type { Host } from './types.ts';

const ha = { configured: true, active: true, score: 3400, globalMaintenance: false, localMaintenance: false };

function host(name: string, status = 'up'): Host {
  return {
    id: name,
    name,
    address: name,
    port: undefined,
    status,
    statusDetail: undefined,
    clusterId: 'c',
    spmStatus: undefined,
    updateAvailable: false,
    hostedEngine: ha,
  };
}

function look(hosts: readonly Host[], runsOn: string): HostLook {
  const [first] = hosts;
  if (first === undefined) throw new Error('no host');
  const { id, name, address, status } = first;
  const before = { status, localMaintenance: false, score: 3400 };
  const facts = { host: { id, name, address }, engineVm: { id: 'vm', name: 'HostedEngine' }, before };
  return { facts, host: first, ha, hosts, places: [{ host: runsOn, status: 'Up' }] };
}

function refusedWith(seen: HostLook): string {
  try {
    requireElsewhere(seen);
    return 'not refused';
  } catch (error) {
    return error instanceof CounterpartError ? error.facts.type : String(error);
  }
}

test('a host without the engine VM may go, with a word when nobody else could take the VM over', () => {
  expect(requireElsewhere(look([host('a'), host('b')], 'b'))).toEqual([]);
  expect(requireElsewhere(look([host('a'), host('b', 'down')], 'b'))).toEqual([
    'While a is away no other host could take the engine VM over: b: status down',
  ]);
});

test('the engine VM’s own host may go only when another could run it, and the engine can move it', () => {
  expect(requireElsewhere(look([host('a'), host('b')], 'a'))).toEqual([]);
  expect(refusedWith(look([host('a'), host('b', 'non_responsive')], 'a'))).toBe('engine-vm/no-other-host');
  expect(refusedWith(look([host('a')], 'a'))).toBe('engine-vm/no-other-host');
  expect(refusedWith(look([host('a', 'maintenance'), host('b')], 'a'))).toBe('engine-vm/on-host-in-maintenance');
});
