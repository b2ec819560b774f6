/** What our kind of agent says of itself in the human part of its slot, beyond the reference's words. Pure. */
import { extraFields } from './whiteboard.ts';

export interface Announcement {
  readonly intervalMs: number;
  readonly network: number;
  readonly networkAgeMs: number;
  readonly ioSeconds: number;
  readonly watchdogSeconds: number;
  /** `restart` and `start`: the VM is about to run there. `moving`: it is on its way to another host. */
  readonly claim: string;
  readonly failures: number;
  readonly priority: number;
  /** Empty: it could start the engine VM now. Else why not. */
  readonly cannotRun: string;
  /** Ages in seconds of moves this host made on its own account. */
  readonly moves: readonly number[];
}

export const ANNOUNCEMENT_FORMAT = '1';

/** Older than that is told as that old: readers take no greater age, and would take the whole announcement for none. */
export const NETWORK_AGE_MAX_MS = 86_400_000;

function numberIn(text: string | undefined, min: number, max: number): number | undefined {
  const value = text === undefined || text === '' ? Number.NaN : Number(text);
  return Number.isFinite(value) && value >= min && value <= max ? value : undefined;
}

/** undefined: no announcement of ours, or one that makes no sense; the host then counts as the reference's kind. */
export function parseAnnouncement(extra: string): Announcement | undefined {
  if (!extra.includes('bellwether=')) return undefined;
  const fields = extraFields(extra);
  if (fields.get('bellwether') !== ANNOUNCEMENT_FORMAT) return undefined;
  const intervalMs = numberIn(fields.get('interval-ms'), 100, 60_000);
  const network = numberIn(fields.get('network'), 0, 1);
  const ageMs = numberIn(fields.get('network-age-ms'), 0, NETWORK_AGE_MAX_MS);
  const ioSeconds = numberIn(fields.get('sanlock-io'), 1, 120);
  const watchdogSeconds = numberIn(fields.get('sanlock-watchdog'), 1, 600);
  if (intervalMs === undefined || network === undefined || ageMs === undefined) return undefined;
  if (ioSeconds === undefined || watchdogSeconds === undefined) return undefined;
  return {
    intervalMs,
    network,
    networkAgeMs: ageMs,
    ioSeconds,
    watchdogSeconds,
    claim: fields.get('claim') ?? '',
    failures: numberIn(fields.get('failures'), 0, 1000) ?? 0,
    priority: numberIn(fields.get('priority'), -1000, 1000) ?? 0,
    cannotRun: fields.get('cannot-run') ?? '',
    moves: (fields.get('moves') ?? '')
      .split(',')
      .slice(0, 16)
      .flatMap((age) => numberIn(age, 0, 86_400) ?? []),
  };
}
