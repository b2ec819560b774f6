/** CPU load of the host without the engine VM's own (ha-agent.md 4.3), as a mean of the last 15 minutes (3). */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';

const WINDOW_MS = 900_000;
/** The first figure comes after this, a new one each minute. */
const FIRST_MS = 10_000;
const EVERY_MS = 60_000;

interface Ticks {
  readonly busy: number;
  readonly total: number;
}

/** `cpu  user nice system idle iowait irq softirq steal guest guest_nice`: guests are in user already. */
export function parseStat(text: string): Ticks | undefined {
  const line = /^cpu\s+(.+)$/m.exec(text)?.[1];
  if (line === undefined) return undefined;
  const ticks = line.trim().split(/\s+/).slice(0, 8).map(Number);
  if (ticks.length < 4 || ticks.some((each) => !Number.isFinite(each))) return undefined;
  const total = ticks.reduce((sum, each) => sum + each, 0);
  return { total, busy: total - (ticks[3] ?? 0) - (ticks[4] ?? 0) };
}

export interface CpuLoad {
  /** Takes a sample if one is due. @param engineCpuPercent of one CPU; undefined when it does not run here or is not known */
  sample(nowMs: number, engineCpuPercent: number | undefined): void;
  /** 0 to 1; 0 before the first figure. */
  mean(): number;
}

export function cpuLoad(read = () => readFileSync('/proc/stat', 'utf8'), cpus = availableParallelism()): CpuLoad {
  let last: { readonly atMs: number; readonly ticks: Ticks } | undefined;
  const history: { readonly atMs: number; readonly load: number }[] = [];
  return {
    sample(nowMs, engineCpuPercent) {
      const due = last === undefined ? 0 : history.length === 0 ? FIRST_MS : EVERY_MS;
      if (last !== undefined && nowMs - last.atMs < due) return;
      const ticks = parseStat(read());
      if (ticks === undefined) return;
      if (last !== undefined && ticks.total > last.ticks.total) {
        const share = (ticks.busy - last.ticks.busy) / (ticks.total - last.ticks.total);
        const engine = (engineCpuPercent ?? 0) / cpus / 100;
        history.push({ atMs: nowMs, load: Math.min(1, Math.max(0, share - engine)) });
      }
      last = { atMs: nowMs, ticks };
      while ((history[0]?.atMs ?? nowMs) < nowMs - WINDOW_MS) history.shift();
    },
    mean: () => (history.length === 0 ? 0 : history.reduce((sum, each) => sum + each.load, 0) / history.length),
  };
}
