import type { SeedDone } from './seeds-process.ts';

const YEAR_MS = 365.25 * 86_400_000;

/** The figures of many seeds; the last line holds all of them. */
export class Summary {
  violations = 0;
  private seeds = 0;
  private twins = 0;
  private events = 0;
  private virtualMs = 0;
  private simulatedMs = 0;
  private cpuMs = 0;
  private leapt = 0;
  private readonly totals = { faults: 0, failovers: 0, starts: 0, migrations: 0, turns: 0 };
  private readonly faultsBy = new Map<string, number>();
  private readonly beganMs = performance.now();

  add({ result, simulatedMs, cpuMs }: SeedDone): void {
    this.simulatedMs += simulatedMs;
    this.cpuMs += cpuMs;
    this.seeds += 1;
    if (simulatedMs > result.virtualMs) this.twins += 1;
    this.events += result.events;
    this.virtualMs += result.virtualMs;
    this.leapt += result.leapt;
    this.violations += result.violations.length;
    this.totals.faults += result.totals.faults;
    this.totals.failovers += result.totals.failovers;
    this.totals.starts += result.totals.starts;
    this.totals.migrations += result.totals.migrations;
    this.totals.turns += result.totals.turns;
    for (const [name, count] of result.faultsBy) this.faultsBy.set(name, (this.faultsBy.get(name) ?? 0) + count);
  }

  /** Simulated time over CPU time is the speed of one core. Twins count as simulated time, not as cluster-years or seeds. */
  text(jobs: number): string {
    const tookMs = performance.now() - this.beganMs;
    const kinds = [...this.faultsBy]
      .sort((a, b) => b[1] - a[1])
      .map(([name, count]) => `  ${String(count).padStart(8)}  ${name}`);
    const { starts, migrations, turns } = this.totals;
    return [
      'faults by kind:',
      ...kinds,
      `turns run ${turns}, beats leapt over ${this.leapt}, events ${this.events}, starts ${starts}, migrations ${migrations}, twins with other wall clocks ${this.twins}`,
      `wall ${(tookMs / 1000).toFixed(1)} s with ${jobs} ${jobs === 1 ? 'process' : 'processes'}, CPU ${(this.cpuMs / 1000).toFixed(1)} s, ${Math.round(this.simulatedMs / tookMs)} x real time by the wall clock`,
      this.line(),
    ].join('\n');
  }

  line(): string {
    const { faults, failovers } = this.totals;
    const years = (this.virtualMs / YEAR_MS).toFixed(3);
    const speed = Math.round(this.simulatedMs / this.cpuMs);
    return `${this.seeds} seeds, ${years} cluster-years, ${faults} faults of ${this.faultsBy.size} kinds, ${failovers} failovers, ${this.violations} violations, ${speed} x real time per core`;
  }
}
