/** What one run of the benchmark found out. */
import type { BundleFacts } from './bundle.ts';
import type { DoorResult } from './door.ts';
import type { HostWorkerResult } from './host-worker.ts';
import type { Machine } from './machine.ts';
import type { MemoryResult } from './memory.ts';
import type { Overhead } from './overhead.ts';

export interface BenchResult {
  readonly machine: Machine;
  readonly at: string;
  readonly quick: boolean;
  /** Load average before each part, in the order in which they ran. */
  readonly load: Readonly<Record<'atStart' | 'overhead' | 'door' | 'memory' | 'atEnd', number>>;
  readonly warnings: readonly string[];
  readonly overhead: Overhead;
  readonly door: readonly DoorResult[];
  readonly bundle: BundleFacts;
  readonly memory: MemoryResult;
  readonly hostWorker: HostWorkerResult;
  readonly tookSeconds: number;
}
