/** What the routes of the status page share: its sources, and who may use them. */
import { refuse, type AppContext } from '../context.ts';
import type { StartPorts } from '../operations/start.ts';
import type { AppPorts } from '../ports.ts';
import type { Streams } from './events.ts';
import type { LastSeenBook } from './last-seen.ts';
import type { OperationsFeed, OperationsSeen } from './operations-feed.ts';
import type { Sessions, Visitor } from './session.ts';
import type { Html } from './views/words.ts';

export interface Desk {
  readonly ports: AppPorts;
  readonly startPorts: StartPorts;
  readonly lastSeen: LastSeenBook;
  readonly feed: OperationsFeed;
  readonly sessions: Sessions;
  readonly streams: Streams;
  /** A whole page, or with `?part=1` its part alone. */
  show(c: AppContext, visitor: Visitor, title: string, content: Html, cluster?: string): Response | Promise<Response>;
}

export type Handler = (c: AppContext, visitor: Visitor) => Response | Promise<Response>;

/** For whoever may look. */
export function forReaders({ sessions }: Pick<Desk, 'sessions'>, handler: Handler) {
  return async (c: AppContext): Promise<Response> => {
    const visitor = await sessions.visitorOf(c);
    return visitor instanceof Response ? visitor : handler(c, visitor);
  };
}

/** For whoever may change something. */
export function forOperators(desk: Pick<Desk, 'sessions'>, handler: Handler) {
  return forReaders(desk, (c, visitor) =>
    visitor.role === 'operator'
      ? handler(c, visitor)
      : refuse(c, 'read-only', `${visitor.name ?? 'this token'} may look, not change`),
  );
}

/** Parts that are told by events. */
export interface Parts {
  operations(cluster: string, seen: OperationsSeen): Html;
  operation(id: string, seen: OperationsSeen, visitor: Visitor): Html | undefined;
}
