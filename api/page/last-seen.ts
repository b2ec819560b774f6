/** The last good look at each cluster, kept for when the next one fails. In memory: a restart forgets it. */
import type { Missing } from '../../workflows/model/look.ts';
import type { ClusterStatus } from '../clusters/status.ts';
import type { Seen, Watch } from '../clusters/watch.ts';
import { PROBLEMS } from '../problems.ts';

export interface LastSeen {
  /** Undefined: never seen since the front door started. */
  readonly status?: ClusterStatus;
  /** By the front door's clock. */
  readonly seenAtMs?: number;
  /** Why it can't be seen now. */
  readonly failure?: Missing;
}

export interface LastSeenBook {
  /** @param patienceMs after which what was seen last is shown, where there is something; else the look is awaited */
  read(cluster: string, patienceMs?: number): Promise<LastSeen>;
  /** Without looking. */
  recall(cluster: string): LastSeen;
}

function failureOf(seen: Exclude<Seen, { outcome: 'status' }>): Missing {
  switch (seen.outcome) {
    case 'unavailable':
      return { what: 'Temporal', why: seen.why, remedy: PROBLEMS['temporal-unavailable'].page };
    case 'no-worker':
      return { what: 'the worker', why: seen.why, remedy: PROBLEMS['no-worker-polls'].page };
    case 'failed':
      return seen.missing;
  }
}

const BROKEN: Missing = {
  what: 'the front door',
  why: 'its look ended with an error',
  remedy: 'Its log has the cause. The page tries again by itself.',
};

export function createLastSeen(watch: Watch): LastSeenBook {
  const book = new Map<string, LastSeen>();
  const recall = (cluster: string): LastSeen => book.get(cluster) ?? {};

  async function look(cluster: string): Promise<LastSeen> {
    const seen = await watch(cluster).catch(() => undefined);
    if (seen?.value.outcome === 'status') {
      const fresh = { status: seen.value.status, seenAtMs: seen.atMs };
      book.set(cluster, fresh);
      return fresh;
    }
    const failure = seen === undefined ? BROKEN : failureOf(seen.value);
    const kept = { ...recall(cluster), failure };
    book.set(cluster, kept);
    return kept;
  }

  return {
    recall,
    async read(cluster, patienceMs) {
      const looking = look(cluster);
      if (patienceMs === undefined || recall(cluster).status === undefined) return looking;
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<LastSeen>((resolve) => {
        timer = setTimeout(() => resolve(recall(cluster)), patienceMs);
      });
      return Promise.race([looking, late]).finally(() => clearTimeout(timer));
    },
  };
}
