/** What a host's HA agent says of itself, asked of the host: the engine's copy goes stale in maintenance (engine.md 11.3). */
import { CounterpartError } from '../errors.ts';
import type { VdsmClient } from './client.ts';

export interface HaState {
  /** Hosted engine is deployed. False too when the host's HA services do not answer VDSM (vdsm.md 7). */
  readonly configured: boolean;
  readonly active: boolean;
  readonly localMaintenance: boolean;
  readonly globalMaintenance: boolean;
  readonly score: number;
}

const SILENT: HaState = {
  configured: false,
  active: false,
  localMaintenance: false,
  globalMaintenance: false,
  score: 0,
};

export async function haState(host: VdsmClient, signal: AbortSignal, timeoutMs?: number): Promise<HaState> {
  const limit = timeoutMs === undefined ? {} : { timeoutMs };
  const { haStats } = await host.call('Host.getStats', {}, { signal, ...limit });
  if (haStats === undefined) return SILENT;
  const { configured, active, localMaintenance, globalMaintenance, score } = haStats;
  return { configured, active, localMaintenance, globalMaintenance, score };
}

/** A host that is down would hold up each look at it for a minute. */
const PROBE_LIMIT_MS = 5000;

/** True for a host that can't be asked now and may be asked later. */
export function isSilent(error: unknown): boolean {
  return error instanceof CounterpartError && error.facts.type.startsWith('vdsm/') && error.facts.kind === 'retryable';
}

/** `haState`, or why the host does not answer: it may be booting. */
export async function haStateOrSilence(host: VdsmClient, signal: AbortSignal): Promise<HaState | string> {
  try {
    return await haState(host, signal, PROBE_LIMIT_MS);
  } catch (error) {
    if (signal.aborted || !isSilent(error)) throw error;
    return error instanceof CounterpartError ? error.facts.why : String(error);
  }
}

/** One line for people. */
export function haText(state: HaState | string): string {
  if (typeof state === 'string') return `VDSM does not answer (${state})`;
  if (!state.configured) return 'its HA services do not answer';
  const local = state.localMaintenance ? ', local maintenance' : '';
  return `HA agent ${state.active ? 'active' : 'not active'}, score ${state.score}${local}`;
}
