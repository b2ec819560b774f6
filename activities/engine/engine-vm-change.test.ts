import { describe, expect, test } from 'vitest';
import type { EngineVmState } from '../../workflows/model/engine-vm.ts';
import { conflictsOf, ovfDifferences, reverseOf, wantedOf } from './engine-vm-change.ts';

const STATE: EngineVmState = {
  description: 'the engine',
  comment: '',
  memoryMiB: 16_384,
  maxMemoryMiB: 65_536,
  guaranteedMemoryMiB: 4096,
  cpu: { sockets: 4, cores: 1, threads: 1 },
  nics: [{ id: 'n1', name: 'vnet0', profile: 'ovirtmgmt', linked: true }],
  disks: [{ id: 'd1', name: 'he_virtio_disk', sizeGiB: 60 }],
};
const CHANGE = {
  memoryMiB: 20_480,
  disks: [{ disk: 'd1', sizeGiB: 80 }],
  nics: [{ nic: 'vnet0', linked: false }],
} as const;

describe('a change', () => {
  test('is told value by value beside what is', () => {
    expect(wantedOf(CHANGE, STATE)).toEqual([
      { what: 'memory (MiB)', value: '20480', now: '16384' },
      { what: 'disk d1 (GiB)', value: '80', now: '60' },
      { what: 'vNIC vnet0, linked', value: 'false', now: 'true' },
    ]);
  });

  test('names a device that is not there', () => {
    expect(wantedOf({ nics: [{ nic: 'vnet7', profile: 'x' }] }, STATE)).toEqual([
      { what: 'vNIC vnet7, profile', value: 'x', now: undefined },
    ]);
  });

  test('meets another one only where that changed the same value to something else', () => {
    expect(conflictsOf(CHANGE, STATE, STATE)).toEqual([]);
    expect(conflictsOf(CHANGE, STATE, { ...STATE, memoryMiB: 20_480 })).toEqual([]);
    expect(conflictsOf(CHANGE, STATE, { ...STATE, description: 'theirs' })).toEqual([]);
    expect(conflictsOf(CHANGE, STATE, { ...STATE, memoryMiB: 8192 })).toEqual([
      'memory (MiB) was 16384 and is 8192 now',
    ]);
  });

  test('is taken back value by value; a disk stays grown', () => {
    expect(reverseOf(CHANGE, STATE)).toEqual({ memoryMiB: 16_384, nics: [{ nic: 'vnet0', linked: true }] });
  });
});

test('an OVF is compared with the engine’s own: older generation, memory, processors, devices', () => {
  const ovf = {
    vmId: 'v',
    name: 'HostedEngine',
    memoryMb: 16_384,
    vcpus: 4,
    disks: [],
    nics: [],
    origin: 6,
    deleteProtected: true,
    generation: 4,
    engineVersion: '4.5',
    exportDate: undefined,
  };
  expect(ovfDifferences(ovf, ovf)).toEqual([]);
  expect(ovfDifferences(ovf, { ...ovf, generation: 5, vcpus: 6 })).toEqual([
    'generation 4 instead of 5',
    'processors: 4 instead of 6',
  ]);
});
