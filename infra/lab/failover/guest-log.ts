/** What the engine VM's disk says happened: who ran it when, and whether two ever ran at once. */
import { existsSync, readFileSync } from 'node:fs';

export interface GuestRun {
  readonly boot: string;
  /** Host that it was started on; a migration does not change it. */
  readonly host: string;
  readonly pid: number;
  /** Wall milliseconds of its first and last write. */
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Wall milliseconds of all writes, in the file's order. */
export function guestWrites(file: string): readonly number[] {
  if (!existsSync(file)) return [];
  return [...readFileSync(file, 'utf8').matchAll(/ (\d{13})$/gm)].map(([, at]) => Number(at));
}

/** Runs in the order of their first write. A torn last line is left out. */
export function guestRuns(file: string): readonly GuestRun[] {
  if (!existsSync(file)) return [];
  const runs = new Map<string, GuestRun>();
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [, boot, host, pid, at] = /^([\da-f-]{36}) (\S+) (\d+) (\d{13})$/.exec(line) ?? [];
    if (boot === undefined || host === undefined) continue;
    const before = runs.get(boot);
    runs.set(boot, { boot, host, pid: Number(pid), firstMs: before?.firstMs ?? Number(at), lastMs: Number(at) });
  }
  return [...runs.values()];
}

/** The first two that wrote at the same time: two engine VMs on one disk. */
export function splitBrain(runs: readonly GuestRun[]): readonly [GuestRun, GuestRun] | undefined {
  for (const [at, run] of runs.entries()) {
    const other = runs.slice(at + 1).find((later) => later.firstMs <= run.lastMs);
    if (other !== undefined) return [run, other];
  }
  return undefined;
}
