/** Everything that steps talk to, made once per worker. */
import type { Archive } from './archive/client.ts';
import type { ClusterRegistry } from './clusters.ts';
import type { HostWorkerFiles } from './host-worker/files.ts';
import type { Secrets } from './secrets.ts';
import type { TicketSystem } from './tickets/client.ts';
import type { Tracker } from './tickets/tracker.ts';

export interface Counterparts {
  readonly clusters: ClusterRegistry;
  readonly archive: Archive;
  readonly secrets: Secrets;
  /** Undefined: no ticket system is configured; reports are recorded in the operation only. */
  /** What a host gets where it runs our worker; undefined: nothing is configured. */
  readonly hostWorker?: HostWorkerFiles;
  readonly tickets: TicketSystem | undefined;
  /** Ticket systems by the names that requests carry. */
  readonly trackers?: ReadonlyMap<string, Tracker>;
}
