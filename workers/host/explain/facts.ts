/** Ages of everything that the worker decides on: an old fact is worth less than none, so each is shown with its age. */
import type { View } from './view.ts';
import { span } from './words.ts';

export interface FactReport {
  readonly name: string;
  /** null: never known. */
  readonly ageSeconds: number | null;
  /** Young enough to act on. */
  readonly fresh: boolean;
  /** What it says, in a few words. */
  readonly says: string;
  /** Age and, where it is not as it should be, what it says. */
  readonly text: string;
}

function fact(
  v: View,
  name: string,
  atMs: number | undefined,
  says: string,
  well: boolean,
  freshMs = v.t.freshMs,
): FactReport {
  if (atMs === undefined || !Number.isFinite(atMs))
    return { name, ageSeconds: null, fresh: false, says: 'never known', text: 'never known' };
  const ageMs = Math.max(0, v.now - atMs);
  // The worker looks once a beat: between two looks a fact is older than at the decision.
  const fresh = v.o.nowMs - atMs <= freshMs;
  const old = fresh ? '' : ' TOO OLD';
  return {
    name,
    ageSeconds: Math.round(ageMs / 100) / 10,
    fresh,
    says,
    text: `${span(ageMs)}${old}${well ? '' : ` (${says})`}`,
  };
}

function hostSays(v: View): { says: string; well: boolean } {
  const { host } = v.o;
  if (host === undefined) return { says: 'never known', well: false };
  const bridge = host.bridgeUp === false ? ', bridge down' : '';
  return { says: `${Math.round(host.network * 100)} % of targets${bridge}`, well: host.network === 1 && bridge === '' };
}

function leaseSays(v: View): { says: string; well: boolean } {
  const { lease } = v.o;
  if (lease === undefined) return { says: 'never known', well: false };
  if (!lease.connected) return { says: 'connection gone', well: false };
  if (!lease.joined) return { says: 'not in the lockspace', well: false };
  return { says: 'in the lockspace', well: true };
}

/** Board, storage, VDSM, engine page, host, network, sanlock; ages by this host's own clock. */
export function factsOf(v: View): readonly FactReport[] {
  const { o } = v;
  const storage = v.snapshot.storage ?? o.storage;
  const host = hostSays(v);
  const lease = leaseSays(v);
  const memory = o.host?.memFreeMb === undefined ? 'memory not known' : `${o.host.memFreeMb} MiB free`;
  const page = o.health?.engine ?? 'unknown';
  return [
    fact(v, 'board', o.board?.readMs, `${o.board?.peers.length ?? 0} hosts`, true),
    fact(v, 'storage', storage?.atMs, storage?.ok === true ? 'answers' : 'fails', storage?.ok === true),
    fact(v, 'VDSM', o.vm?.atMs, o.vm?.detail ?? '', true),
    ...(v.hosting || o.health !== undefined
      ? [fact(v, 'engine page', o.health?.atMs, page, page === 'good' || !v.hosting, 4 * v.t.freshMs)]
      : []),
    fact(v, 'host', o.host?.atMs, memory, true),
    // The network's own limit is the one after which other hosts do not believe it any more.
    fact(v, 'network', o.host?.networkAtMs, host.says, host.well, 10 * v.t.beatMs),
    fact(v, 'sanlock', o.lease?.atMs, lease.says, lease.well),
  ];
}
