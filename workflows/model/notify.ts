/** Notifications: what is told, to whom it was told, and what the notifier remembers. */

export const NEWS_KINDS = ['parked', 'failed', 'done', 'host-alert'] as const;
export type NewsKind = (typeof NEWS_KINDS)[number];

export interface News {
  /** Of the event: told once to each target, however often it is found. */
  readonly id: string;
  readonly kind: NewsKind;
  readonly cluster: string;
  /** ISO time. */
  readonly at: string;
  /** One line. */
  readonly title: string;
  readonly happened: string;
  readonly why?: string;
  /** What to do next, a line each; empty: nothing. */
  readonly todo: readonly string[];
  /** Workflow id of the operation concerned. */
  readonly operation?: string;
  readonly ticket?: string;
}

/** A parking that was told, and when it was last seen. */
export interface ToldParking {
  /** Step and cause. */
  readonly reason: string;
  /** When the step began that parked: another try has another. */
  readonly startedAt: string;
  readonly seenAt: string;
}

/** Carried over continue-as-new; versioned because old runs hand it to new code. */
export interface NotifierMemory {
  readonly version: 1;
  /** What was before is not told. */
  readonly begun: string;
  /** All operations that ended before have been told. */
  readonly since: string;
  /** Ids of operations that ended since and were told. */
  readonly ended: readonly string[];
  readonly parked: Readonly<Record<string, ToldParking>>;
  /** Ids of alerts that were told, by cluster. */
  readonly alerts: Readonly<Record<string, readonly string[]>>;
}

/** One piece of news for one target, by the target's name: addresses and secrets stay with the worker. */
export interface Notification {
  readonly target: string;
  readonly news: News;
}

export interface NotifyActivities {
  /** Looks until there is news or a while has passed. `targets: 0`: nobody wants to be told. */
  lookForNews(memory: NotifierMemory): Promise<{
    readonly memory: NotifierMemory;
    readonly notifications: readonly Notification[];
    readonly targets: number;
  }>;
  /** Tells one target; telling twice is telling once to a receiver that knows ids. */
  notify(notification: Notification): Promise<{ readonly summary: string }>;
}

export const NOTIFIER_ID = 'notifier';

export const notificationId = ({ target, news }: Notification): string => `notification/${target}/${news.id}`;
