/** The cluster's entity as Markdown, for the Temporal UI ("Current Details"). */
import type { ClusterHistoryEntry, ClusterState, HostAlert, LockRequest } from '../model/cluster.ts';
import { clock, dateAndClock, plain, table } from '../steps/markdown.ts';

const SHOWN_MAX = 10;

/** The operation's page in the web UI that shows this text. */
function link(namespace: string, { operationId, label }: Pick<LockRequest, 'operationId' | 'label'>): string {
  return `[${plain(label)}](/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(operationId)})`;
}

function holderText({ cluster, holder, history }: ClusterState, namespace: string): string {
  const name = `Cluster **${plain(cluster)}**`;
  if (holder === undefined) return `${name} is **free**: the next operation gets it at once.`;
  const granted = history.findLast(
    (entry) => entry.operationId === holder.operationId && entry.releasedAt === undefined,
  );
  const since = granted === undefined ? '' : ` since ${dateAndClock(granted.grantedAt)} UTC`;
  return `${name} is **held** by ${link(namespace, holder)}${since}.`;
}

function queueText(queue: readonly LockRequest[], namespace: string): string[] {
  if (queue.length === 0) return [];
  return [
    '',
    `**Waiting** (${queue.length})`,
    '',
    ...queue.map((lock, index) => `${index + 1}. ${link(namespace, lock)}`),
  ];
}

function historyText(history: readonly ClusterHistoryEntry[], namespace: string): string[] {
  if (history.length === 0) return [];
  const rows = history
    .slice(-SHOWN_MAX)
    .toReversed()
    .map((entry) => [
      link(namespace, entry),
      dateAndClock(entry.grantedAt),
      entry.releasedAt === undefined ? 'holds it' : clock(entry.releasedAt),
      entry.end === undefined ? '' : plain(`${entry.end.state}: ${entry.end.summary}`),
    ]);
  return ['', ...table(['last operations', 'from (UTC)', 'to', 'end'], rows)];
}

function alertText(alerts: readonly HostAlert[]): string[] {
  if (alerts.length === 0) return [];
  const rows = alerts
    .slice(-SHOWN_MAX)
    .toReversed()
    .map(({ at, host, text, did, todo }) => [dateAndClock(at), plain(host), plain(text), plain(did), plain(todo)]);
  return ['', ...table(['told by the hosts (UTC)', 'host', 'what', 'what it did', 'what to do'], rows)];
}

/** Who holds the cluster, who waits, who held it before (the latest first). */
export function clusterMarkdown(state: ClusterState, namespace: string): string {
  return [
    holderText(state, namespace),
    ...queueText(state.queue, namespace),
    ...historyText(state.history, namespace),
    ...alertText(state.alerts ?? []),
  ].join('\n');
}
