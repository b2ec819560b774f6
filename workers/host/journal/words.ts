/** Orders, rules and inputs in an administrator's words; for the journal's screen and for mails. */
import { RULES } from '../core/rules.ts';
import type { Reason, VmAction } from '../core/types.ts';

/** `name(id)`: what people call that host. */
export function orderWords(action: VmAction | undefined, name = (id: number) => `host ${id}`): string {
  if (action === undefined) return 'none';
  if (action.kind === 'migrate') return `migrate the engine VM to ${name(action.to)}`;
  if (action.kind === 'start') return 'start the engine VM on this host';
  return action.kind === 'shutdown'
    ? 'tell the guest of the engine VM to shut down'
    : 'destroy the engine VM on this host (power off)';
}

/** When the rule fires and what it does, as in the table of README.md; a rule of another version is unknown here. */
export function ruleWords(name: string): { readonly when: string; readonly does: string } {
  const rule = RULES.find((one) => one.name === name);
  return rule ?? { when: 'a rule that this version does not have', does: 'unknown' };
}

/** `90 s`, `5 min 3 s`, `2 h 0 min`. */
export function spanWords(ms: number): string {
  if (!Number.isFinite(ms)) return 'ever';
  const seconds = Math.round(ms / 1000);
  if (Math.abs(seconds) < 120) return ms % 1000 === 0 ? `${seconds} s` : `${(ms / 1000).toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 120 ? `${minutes} min ${seconds % 60} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** Of the inputs these are moments of the host's clock; the other milliseconds are spans. */
const MOMENTS: ReadonlySet<string> = new Set(['actedMs', 'sinceMs']);

function inputWords(key: string, value: string | number | boolean, atMs: number): string {
  const label = key
    .replace(/Ms$/, '')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase();
  if (typeof value === 'number' && key.endsWith('Ms')) {
    if (MOMENTS.has(key)) return `${label} ${spanWords(atMs - value)} before`;
    return value < 0 ? `${label} never` : `${label} ${spanWords(value)}`;
  }
  if (typeof value === 'boolean') return `${label} ${value ? 'yes' : 'no'}`;
  return `${label} ${value === '' ? 'none' : value}`;
}

/** What the rule saw, e.g. `failures 2, left 8 s`; `none` when it looked at nothing beside its condition. */
export function inputsWords(inputs: Reason['inputs'], atMs: number): string {
  const words = Object.entries(inputs).map(([key, value]) => inputWords(key, value, atMs));
  return words.length === 0 ? 'none' : words.join(', ');
}
