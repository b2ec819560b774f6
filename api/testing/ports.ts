/** Ports held in memory, for what needs no Temporal: limits, signatures, authentication, shapes. */
import type { HostAlert } from '../../workflows/model/cluster.ts';
import type { AppPorts, StartOrder, StartReply } from '../ports.ts';
import { recorder, type RecordedLog } from './record.ts';

export interface MemoryPorts {
  readonly ports: AppPorts;
  readonly orders: StartOrder[];
  readonly told: { readonly cluster: string; readonly alert: HostAlert }[];
  readonly logs: RecordedLog[];
}

/** Accepts every start and keeps the orders; `secrets` maps file names to lines. */
export function memoryPorts(
  secrets: Readonly<Record<string, readonly string[]>>,
  change: Partial<AppPorts> = {},
  reply: (order: StartOrder) => Promise<StartReply> = () => Promise.resolve({ outcome: 'started' }),
): MemoryPorts {
  const orders: StartOrder[] = [];
  const told: MemoryPorts['told'] = [];
  const { lines, logger } = recorder();
  const ports: AppPorts = {
    starter: {
      start(order) {
        orders.push(order);
        return reply(order);
      },
    },
    reader: {
      list: () => Promise.resolve({ outcome: 'listed', operations: [] }),
      show: () => Promise.resolve({ outcome: 'unknown' }),
      missing: () => Promise.resolve(undefined),
    },
    alerts: {
      tell(cluster, alert) {
        told.push({ cluster, alert });
        return Promise.resolve({ outcome: 'told' });
      },
    },
    looks: {
      look: () => Promise.resolve({ outcome: 'no-worker', why: 'there is none in memory' }),
      examine: () => Promise.resolve({ outcome: 'no-worker', why: 'there is none in memory' }),
      backups: () => Promise.resolve({ outcome: 'no-worker', why: 'there is none in memory' }),
      entity: () => Promise.resolve({ outcome: 'known', state: undefined }),
      lastMaintenanceOrder: () => Promise.resolve(undefined),
      examineTemporal: () => Promise.resolve([]),
    },
    windows: {
      create: () => Promise.resolve({ outcome: 'created' }),
      list: () => Promise.resolve({ outcome: 'listed', windows: [] }),
      show: () => Promise.resolve({ outcome: 'unknown' }),
      times: () => Promise.resolve({ outcome: 'unknown' }),
      pause: () => Promise.resolve({ outcome: 'unknown' }),
      resume: () => Promise.resolve({ outcome: 'unknown' }),
      remove: () => Promise.resolve({ outcome: 'unknown' }),
      runNow: () => Promise.resolve({ outcome: 'unknown' }),
    },
    desk: { act: () => Promise.resolve({ outcome: 'unknown' }) },
    clusters: ['Default'],
    sources: [{ name: 'servicedesk', scheme: 'standard', secretFiles: Object.keys(secrets) }],
    readSecrets: (file) =>
      secrets[file] === undefined ? Promise.reject(new Error(`no such file: ${file}`)) : Promise.resolve(secrets[file]),
    clock: () => new Date(),
    logger,
    ...change,
  };
  return { ports, orders, told, logs: lines };
}
