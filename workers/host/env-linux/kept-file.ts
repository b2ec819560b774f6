/**
 * What outlives the worker: its counts of failures, restarts and moves (env.ts `Kept`), in times of the boot clock.
 *
 * After a reboot that clock began anew: all that was counted is taken as just happened, and that the VM ran here is
 * forgotten, as it does no longer.
 */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { Kept } from '../env.ts';

const times = z.array(z.number()).max(1000);
const schema = z.object({
  version: z.literal(1),
  bootId: z.string(),
  failures: times,
  engineRestarts: times,
  moves: times,
  mine: z.object({ sinceMs: z.number(), healthyMs: z.number().optional() }).optional(),
});

export interface KeptFile {
  load(): Kept | undefined;
  /** Never throws; a full disk costs the counts and nothing else. */
  keep(kept: Kept): void;
}

export interface KeptOptions {
  readonly file: string;
  readonly bootMs: () => number;
  readonly bootId: string;
  readonly problem: (why: string) => void;
}

export function keptFile({ file, bootMs, bootId, problem }: KeptOptions): KeptFile {
  return {
    load() {
      let text: string;
      try {
        text = readFileSync(file, 'utf8');
      } catch {
        return undefined;
      }
      try {
        const kept = schema.parse(JSON.parse(text));
        const { failures, engineRestarts, moves, mine } = kept;
        if (kept.bootId === bootId) {
          const same = mine === undefined ? undefined : { sinceMs: mine.sinceMs, healthyMs: mine.healthyMs };
          return { failures, engineRestarts, moves, mine: same };
        }
        const now = bootMs();
        const recent = (list: readonly number[]) => list.map(() => now);
        return {
          failures: recent(failures),
          engineRestarts: recent(engineRestarts),
          moves: recent(moves),
          mine: undefined,
        };
      } catch (error) {
        problem(`${file} is not usable and is begun anew: ${error instanceof Error ? error.message : String(error)}`);
        return undefined;
      }
    },
    keep(kept) {
      try {
        writeFileSync(`${file}.new`, JSON.stringify({ version: 1, bootId, ...kept }), { mode: 0o600 });
        renameSync(`${file}.new`, file);
      } catch (error) {
        problem(`${file} could not be written: ${error instanceof Error ? error.message : String(error)}`);
      }
    },
  };
}
