/** Figures of a running VM in `VM.getStats`, as qemu and the guest agent would report them (vdsm.md 8). */
import type { JsonObject } from './python.ts';

/** VDSM needs two samples, 15 s apart, before its CPU figures are real. */
const FIRST_SAMPLES_S = 15;

/** `imageId` is the image of its disk, when the lab knows one. */
export interface VmFacts {
  readonly ageSeconds: number;
  readonly memoryMb: number;
  readonly imageId: string | undefined;
}

function cpu(ageSeconds: number): JsonObject {
  const actual = ageSeconds >= FIRST_SAMPLES_S;
  return {
    cpuUser: actual ? '2.00' : '0.00',
    cpuSys: actual ? '0.50' : '0.00',
    cpuUsage: actual ? String(ageSeconds * 25_000_000) : '0.00',
    cpuActual: actual,
    vcpuCount: '4',
    vcpuQuota: '-1',
    vcpuPeriod: 100_000,
  };
}

/** KiB, as texts. */
function memory(memoryMb: number): JsonObject {
  const total = memoryMb * 1024;
  const free = String(Math.floor(total * 0.75));
  const flow = { swap_in: 0, swap_out: 0, majflt: 0, minflt: 0, pageflt: 0 };
  const all = String(total);
  return {
    memUsage: '25',
    memoryStats: { mem_total: all, mem_unused: free, mem_free: free, ...flow },
    balloonInfo: {
      balloon_max: all,
      balloon_min: all,
      balloon_cur: all,
      balloon_target: all,
      ballooning_enabled: true,
    },
  };
}

function disk(imageID: string): JsonObject {
  const counters = { readOps: '100', writeOps: '100', readBytes: '409600', writtenBytes: '409600' };
  const latency = { readLatency: '0', writeLatency: '0', flushLatency: '0' };
  const size = { truesize: '0', apparentsize: '0' };
  return { vda: { ...size, ...latency, ...counters, readRate: '0.0', writeRate: '0.0', imageID } };
}

/** VDSM leaves out what would be empty: a VM without a disk has no `disks`. */
export function runningFigures({ ageSeconds, memoryMb, imageId }: VmFacts): JsonObject {
  return {
    elapsedTime: String(ageSeconds),
    ...cpu(ageSeconds),
    ...memory(memoryMb),
    ...(imageId === undefined ? {} : { disks: disk(imageId) }),
  };
}
