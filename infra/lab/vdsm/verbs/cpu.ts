/** CPUs and memory nodes of a lab host: one socket, 8 cores with 2 threads each (vdsm.md 7). */
import type { HostState } from '../host-state.ts';
import type { JsonObject } from '../python.ts';

const THREADS = Array.from({ length: 16 }, (_, cpu) => cpu);
/** KiB. */
const HUGE_PAGE_SIZES = [2048, 1_048_576] as const;
/** CPU models that the lab's CPU can show to a guest: the engine compares them with the cluster's CPU type. */
const MODELS = [
  'Nehalem',
  'Westmere',
  'SandyBridge',
  'IvyBridge',
  'Haswell-noTSX',
  'Broadwell-noTSX',
  'Skylake-Server',
  'Skylake-Server-noTSX-IBRS',
  'Cascadelake-Server',
  'Cascadelake-Server-noTSX',
];
const FLAGS = ['fpu', 'vme', 'de', 'pse', 'tsc', 'msr', 'pae', 'nx', 'lm', 'vmx', 'ssbd', 'md-clear', 'spec_ctrl'];

const pageSizes = (make: () => JsonObject): JsonObject =>
  Object.fromEntries(HUGE_PAGE_SIZES.map((size) => [String(size), make()]));

export function cpuCapabilities(host: HostState): JsonObject {
  return {
    cpuModel: host.fixture.cluster.cpuType,
    cpuFlags: [...FLAGS, ...MODELS.map((model) => `model_${model}`)].join(','),
    cpuCores: '8',
    cpuThreads: String(THREADS.length),
    cpuSockets: '1',
    cpuSpeed: '2400.000',
    onlineCpus: THREADS.join(','),
    cpuTopology: THREADS.map((cpu) => ({
      cpu_id: cpu,
      numa_cell_id: 0,
      socket_id: 0,
      die_id: 0,
      core_id: Math.floor(cpu / 2),
    })),
    vdsmToCpusAffinity: [1],
    tscFrequency: '2400000000',
    tscScaling: true,
    hugepages: [...HUGE_PAGE_SIZES],
    numaNodes: { '0': { cpus: THREADS, totalMemory: '65536', hugepages: pageSizes(() => ({ totalPages: '0' })) } },
    numaNodeDistance: { '0': [10] },
    autoNumaBalancing: 1,
  };
}

/** The load figures of `Host.getStats`: a host at rest. */
export function cpuStats(): JsonObject {
  const one = { cpuUser: '2.00', cpuSys: '1.00', cpuIdle: '97.00', nodeIndex: 0 };
  return {
    cpuLoad: '0.10',
    cpuUser: '2.00',
    cpuSys: '1.00',
    cpuIdle: '97.00',
    cpuUserVdsmd: '0.20',
    cpuSysVdsmd: '0.10',
    cpuStatistics: Object.fromEntries(THREADS.map((cpu) => [String(cpu), one])),
    hugepages: pageSizes(() => ({
      free_hugepages: 0,
      nr_hugepages: 0,
      nr_hugepages_mempolicy: 0,
      nr_overcommit_hugepages: 0,
      resv_hugepages: 0,
      surplus_hugepages: 0,
      'vm.free_hugepages': 0,
    })),
    numaNodeMemFree: {
      '0': { memFree: '48000', memPercent: 27, hugepages: pageSizes(() => ({ freePages: 0 })) },
    },
  };
}
