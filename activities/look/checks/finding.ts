/** How checks tell what they found. Pure. */
import type { Finding, Missing } from '../../../workflows/model/look.ts';
import { cut } from '../attempt.ts';

/** Who it is about, what is checked, why that matters. */
export type Topic = Pick<Finding, 'area' | 'check' | 'why'>;

export const ok = (topic: Topic, seen: string): Finding => ({ ...topic, result: 'ok', seen: cut(seen) });

export const bad = (result: 'warning' | 'failed', topic: Topic, seen: string, remedy: string): Finding => ({
  ...topic,
  result,
  seen: cut(seen),
  remedy: cut(remedy),
});

export const unseen = (topic: Topic, { why, remedy }: Missing): Finding => bad('failed', topic, why, remedy);

const DAY_MS = 86_400_000;
/** The engine warns as early of its hosts' certificates. */
const WARN_DAYS = 30;

/** A certificate's days left. */
export function expiry(topic: Topic, validFrom: Date, validTo: Date, now: Date, remedy: string): Finding {
  const days = Math.trunc((validTo.getTime() - now.getTime()) / DAY_MS);
  const until = validTo.toISOString().slice(0, 10);
  if (validTo < now) return bad('failed', topic, `expired on ${until}, ${-days} days ago`, remedy);
  if (validFrom > now)
    return bad('failed', topic, `not valid before ${validFrom.toISOString()}`, 'Compare the clocks.');
  const seen = `valid until ${until}, ${days} days left`;
  return days < WARN_DAYS ? bad('warning', topic, seen, remedy) : ok(topic, seen);
}

/** sanlock and certificates bear some seconds; the HA agents compare no clocks. */
const SKEW_WARN_MS = 5000;

/** Difference of a clock to the worker's. */
export function clockDifference(topic: Topic, told: number | undefined, now: number): Finding {
  if (told === undefined) return ok(topic, 'not known: it does not tell its time');
  const difference = told - now;
  const seconds = `${(Math.abs(difference) / 1000).toFixed(0)} s ${difference < 0 ? 'behind' : 'ahead of'} the worker’s`;
  if (Math.abs(difference) <= SKEW_WARN_MS) return ok(topic, 'equal to the worker’s, within 5 s');
  return bad('warning', topic, seconds, 'Let both follow the same NTP servers (chronyc tracking tells).');
}
