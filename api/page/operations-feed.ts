/**
 * Operations of a cluster as they change: one poller per cluster while somebody listens, however many they are. What was
 * seen last is kept for when Temporal is silent.
 */
import type { OperationReader, OperationSummary, ShowReply } from '../ports.ts';

export interface OperationsSeen {
  /** The newest first. */
  readonly operations: readonly OperationSummary[];
  /** Of those that run, and of those that somebody listens to: with their steps. */
  readonly shown: ReadonlyMap<string, ShowReply>;
  readonly atMs: number;
  /** Why it is not of now. */
  readonly failure?: string;
}

export interface FeedOptions {
  readonly reader: OperationReader;
  readonly clock: () => Date;
  readonly everyMs: number;
}

export interface OperationsFeed {
  /** One look, or what the poller saw last. */
  read(cluster: string): Promise<OperationsSeen>;
  /** @returns the way to stop listening. */
  listen(cluster: string, operation: string | undefined, tell: (seen: OperationsSeen) => void): () => void;
}

const LISTED = 30;
/** One operation at a time has the cluster; some wait. */
const SHOWN_MAX = 5;

interface Channel {
  readonly listeners: Map<symbol, { operation: string | undefined; tell: (seen: OperationsSeen) => void }>;
  last?: OperationsSeen;
  polling: boolean;
}

export function createOperationsFeed({ reader, clock, everyMs }: FeedOptions): OperationsFeed {
  const channels = new Map<string, Channel>();
  const channelOf = (cluster: string): Channel => {
    const known = channels.get(cluster) ?? { listeners: new Map(), polling: false };
    channels.set(cluster, known);
    return known;
  };

  async function look(cluster: string, wanted: readonly string[]): Promise<OperationsSeen> {
    const channel = channelOf(cluster);
    const failed = (failure: string): OperationsSeen => ({
      ...(channel.last ?? { operations: [], shown: new Map(), atMs: 0 }),
      failure,
    });
    try {
      const reply = await reader.list({ cluster, limit: LISTED });
      if (reply.outcome === 'unavailable') return (channel.last = failed(reply.why));
      const running = reply.operations.filter(({ execution }) => execution === 'running').map(({ id }) => id);
      const ids = [...new Set([...wanted, ...running.slice(0, SHOWN_MAX)])];
      const shown = await Promise.all(ids.map(async (id) => [id, await reader.show(id)] as const));
      return (channel.last = {
        operations: reply.operations,
        shown: new Map(shown),
        atMs: clock().getTime(),
      });
    } catch (error) {
      return (channel.last = failed(error instanceof Error ? error.message : String(error)));
    }
  }

  async function poll(cluster: string, channel: Channel): Promise<void> {
    const wanted = [...channel.listeners.values()].flatMap(({ operation }) => operation ?? []);
    const seen = await look(cluster, wanted);
    for (const { tell } of channel.listeners.values()) tell(seen);
    if (channel.listeners.size === 0) channel.polling = false;
    else setTimeout(() => void poll(cluster, channel), everyMs).unref();
  }

  return {
    async read(cluster) {
      const { last, polling } = channelOf(cluster);
      return polling && last !== undefined ? last : look(cluster, []);
    },
    listen(cluster, operation, tell) {
      const channel = channelOf(cluster);
      const key = Symbol();
      channel.listeners.set(key, { operation, tell });
      if (!channel.polling) {
        channel.polling = true;
        void poll(cluster, channel);
      }
      return () => channel.listeners.delete(key);
    },
  };
}
