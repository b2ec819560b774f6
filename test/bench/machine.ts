/** What the figures depend on beside the code. */
import { availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';
import type { Client } from '@temporalio/client';

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGib: number;
  readonly os: string;
  readonly node: string;
  readonly temporal: string;
  readonly temporalOrigin: string;
}

export async function describeMachine(client: Client, temporalOrigin: string): Promise<Machine> {
  const { serverVersion } = await client.workflowService.getSystemInfo({});
  return {
    cores: availableParallelism(),
    cpu: cpus()[0]?.model ?? 'unknown',
    memoryGib: Math.round(totalmem() / 2 ** 30),
    os: `${platform()} ${release()}`,
    node: process.version,
    temporal: serverVersion ?? 'unknown',
    temporalOrigin,
  };
}

/** Processes that wanted to run, averaged over the last minute. */
export function load(): number {
  return loadavg()[0] ?? 0;
}

/** Undefined when the machine was quiet at the start; the benchmark's own work raises the figure later. */
export function loadWarning(atStart: number): string | undefined {
  const cores = availableParallelism();
  if (atStart <= cores / 4) return undefined;
  return `the load average was ${atStart.toFixed(2)} on ${cores} cores before anything was measured: expect figures up to four times worse than on a quiet machine`;
}
