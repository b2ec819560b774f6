import { expect, test } from 'vitest';
import { otherHosts } from './other-hosts.ts';
import type { Host } from './types.ts';

const healthy = { configured: true, active: true, score: 3400, globalMaintenance: false, localMaintenance: false };

function host(name: string, change: Partial<Host> = {}): Host {
  return {
    id: name,
    name,
    address: name,
    port: undefined,
    status: 'up',
    statusDetail: undefined,
    clusterId: 'c',
    spmStatus: undefined,
    updateAvailable: false,
    hostedEngine: healthy,
    ...change,
  };
}

test('names the hosts that could run the engine VM, never the host itself', () => {
  expect(otherHosts([host('a'), host('b'), host('c')], 'b')).toEqual({ able: ['a', 'c'], unable: [] });
  expect(otherHosts([host('a')], 'a')).toEqual({ able: [], unable: [] });
});

test('tells of each other host everything that stands in its way', () => {
  const hosts = [
    host('a'),
    host('b', { status: 'non_operational' }),
    host('c', { hostedEngine: { ...healthy, localMaintenance: true, score: 0 } }),
    host('d', { hostedEngine: { ...healthy, active: false } }),
    host('e', { status: 'maintenance', hostedEngine: undefined }),
    host('f', { hostedEngine: { ...healthy, score: 1 } }),
  ];
  expect(otherHosts(hosts, 'a')).toEqual({
    able: ['f'],
    unable: [
      'b: status non_operational',
      'c: local maintenance, score 0',
      'd: HA agent not active',
      'e: status maintenance, hosted engine is not deployed there, or its HA services do not answer',
    ],
  });
});
