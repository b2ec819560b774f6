/** A process that runs seeds as it is told (pool.ts), bundled: `tsx` would wrap every closure of the core, at twice the cost. */
import { runSeed, type SeedOptions, type SeedResult } from './run.ts';
import { shrink } from './shrink.ts';

export interface SeedOrder {
  readonly options: SeedOptions;
  /** Runs it a second time with other wall clocks: it must go the same (I10). */
  readonly twin: boolean;
  /** Cuts it down when it fails. */
  readonly shrinks: boolean;
}

export interface SeedDone {
  readonly result: SeedResult;
  /** Its twin's included. */
  readonly simulatedMs: number;
  /** CPU time that the runs took, garbage collection included. */
  readonly cpuMs: number;
  /** A scenario file. */
  readonly scenario: string | undefined;
}

function cpuNowMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

export function runOrder({ options, twin, shrinks }: SeedOrder): SeedDone {
  const beganMs = cpuNowMs();
  let result = runSeed(options);
  let simulatedMs = result.virtualMs;
  if (twin) {
    const other = runSeed({ ...options, wildWallClocks: true });
    simulatedMs += other.virtualMs;
    const violation = { id: 'I10', atMs: 0, text: 'the run goes otherwise when the hosts have other wall clocks' };
    if (other.trace !== result.trace) result = { ...result, violations: [...result.violations, violation] };
  }
  const cpuMs = cpuNowMs() - beganMs;
  const scenario = shrinks && result.violations.length > 0 ? shrink(options).text : undefined;
  return { result, simulatedMs, cpuMs, scenario };
}

// A signal to the whole group (Ctrl-C) is for the one that gives the orders: it hangs up, and this process ends then.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});

process.on('message', (order: SeedOrder) => {
  process.send?.(runOrder(order));
});
