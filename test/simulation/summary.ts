import type { SeedResult } from './run.ts';

const YEAR_MS = 365.25 * 86_400_000;

/** The figures of many seeds; the last line holds all of them. */
export class Summary {
  violations = 0;
  private seeds = 0;
  private events = 0;
  private virtualMs = 0;
  private readonly totals = { faults: 0, failovers: 0, starts: 0, migrations: 0, turns: 0 };
  private readonly faultsBy = new Map<string, number>();
  private readonly recoveries: number[] = [];
  private readonly beganMs = performance.now();
  private readonly beganCpu = process.cpuUsage();

  add(result: SeedResult): void {
    this.seeds += 1;
    this.events += result.events;
    this.virtualMs += result.virtualMs;
    this.violations += result.violations.length;
    this.totals.faults += result.totals.faults;
    this.totals.failovers += result.totals.failovers;
    this.totals.starts += result.totals.starts;
    this.totals.migrations += result.totals.migrations;
    this.totals.turns += result.totals.turns;
    for (const [name, count] of result.faultsBy) this.faultsBy.set(name, (this.faultsBy.get(name) ?? 0) + count);
    if (result.outcome !== undefined) this.recoveries.push(result.outcome.recoveredMs);
  }

  text(): string {
    const tookMs = performance.now() - this.beganMs;
    const cpu = process.cpuUsage(this.beganCpu);
    const cpuMs = (cpu.user + cpu.system) / 1000;
    const kinds = [...this.faultsBy]
      .sort((a, b) => b[1] - a[1])
      .map(([name, count]) => `  ${String(count).padStart(8)}  ${name}`);
    const { faults, failovers, starts, migrations, turns } = this.totals;
    return [
      'faults by kind:',
      ...kinds,
      `turns ${turns}, events ${this.events}, starts ${starts}, migrations ${migrations}`,
      `${this.seeds} seeds, ${(this.virtualMs / YEAR_MS).toFixed(3)} cluster-years, ${faults} faults of ${this.faultsBy.size} kinds, ${failovers} failovers, ${this.violations} violations, ${Math.round(this.virtualMs / tookMs)} x real time, cpu ${(this.virtualMs / cpuMs).toFixed(0)}, ${(tookMs / 1000).toFixed(1)} s`,
    ].join('\n');
  }
}
