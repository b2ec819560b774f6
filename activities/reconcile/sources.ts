/** What each source says of the hosted engine, as data: read here, judged in `differences.ts`, shown in `rows.ts`. */
import type { StorageFacts } from '../../workflows/model/backup.ts';
import type { OvfDescription } from '../ovf/read-ovf.ts';
import type { Host, StorageDomain, Vm } from '../engine/types.ts';
import type { SlotReading } from '../storage/whiteboard.ts';

export interface EngineWord {
  /** Hosts of the cluster. */
  readonly hosts: readonly Host[];
  /** Names of every host that the engine knows, in other clusters too. */
  readonly knownHosts: readonly { readonly name: string; readonly address: string }[];
  /** SPM id, which is the HA host id (engine.md 11.2), by the engine's id of the host; of those whose slot is in use. */
  readonly hostIds: ReadonlyMap<string, number>;
  readonly vm: Vm | undefined;
  readonly domain: StorageDomain | undefined;
}

export interface HostWord {
  readonly name: string;
  readonly address: string;
  /** Undefined: VDSM answered. */
  readonly silent?: string;
  readonly configured: boolean;
  readonly active: boolean;
  readonly score: number;
  readonly localMaintenance: boolean;
  readonly globalMaintenance: boolean;
  /** Status of the engine VM there; undefined: it does not run there. */
  readonly vmStatus: string | undefined;
  /** Undefined: it does not monitor the domain. */
  readonly domainValid: boolean | undefined;
  /** Its id in the storage pool, told by the SPM alone. */
  readonly spmId: number | undefined;
}

export interface SlotWord {
  readonly id: number;
  readonly reading: Exclude<SlotReading, { kind: 'empty' }>;
  /** Undefined: nobody asked, because its host is known. */
  readonly live?: boolean;
}

export interface CopyWord {
  readonly volume: string;
  /** Why it can't be trusted, or has no such VM. */
  readonly fault?: string;
  readonly lastUpdated?: string;
  readonly ovf?: OvfDescription;
}

export interface StorageWord {
  readonly copies: readonly CopyWord[];
  /** Of the shared hosted-engine.conf; undefined when it can't be read. */
  readonly vmId: string | undefined;
  readonly sharedHostId: string | undefined;
  /** Host ids that hold the lease of the engine VM's disk. */
  readonly leaseOwners: readonly number[];
}

export interface Sources {
  readonly facts: StorageFacts;
  /** A text: why the engine does not answer. */
  readonly engine: EngineWord | string;
  readonly hosts: readonly HostWord[];
  readonly globalMaintenance: boolean;
  readonly slots: readonly SlotWord[];
  readonly storage: StorageWord;
}

/** Statuses in which the engine does not poll a host: what it says of its HA state is the last it saw (engine.md 11.3). */
const NOT_POLLED = new Set([
  'maintenance',
  'installing',
  'install_failed',
  'reboot',
  'down',
  'non_responsive',
  'connecting',
  'pending_approval',
  'installing_os',
  'kdumping',
]);

export const isStale = (host: Host): boolean => NOT_POLLED.has(host.status);

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** The slot's name is the certificate's: mostly the host's address, or its first label, or the engine's name of it. */
export function isSlotOf(hostname: string, host: { readonly name: string; readonly address: string }): boolean {
  const label = /^[\d.:[\]]+$/.test(host.address) ? host.address : (host.address.split('.')[0] ?? '');
  return [host.name, host.address, label].some((known) => known !== '' && same(known, hostname));
}

export const engineHost = (engine: Sources['engine'], name: string): Host | undefined =>
  typeof engine === 'string' ? undefined : engine.hosts.find((host) => same(host.name, name));

/** Slots of a host: more than one when it came back with another id. */
export function slotsOf(sources: Sources, host: { readonly name: string; readonly address: string }): SlotWord[] {
  return sources.slots.filter(({ reading }) => reading.kind === 'host' && isSlotOf(reading.block.hostname, host));
}

/** The slot that counts: the one whose agent was not stopped, the highest id of several. */
export function slotOfHost(sources: Sources, host: { readonly name: string; readonly address: string }) {
  const own = slotsOf(sources, host);
  const running = own.filter(({ reading }) => reading.kind === 'host' && !reading.block.stopped);
  const slot = running.at(-1) ?? own.at(-1);
  return slot?.reading.kind === 'host' ? { id: slot.id, block: slot.reading.block } : undefined;
}

/** Hosts of this cluster that anybody knows: the engine's, and those that the configuration lists. */
export function knownHosts({ engine, hosts }: Sources): { readonly name: string; readonly address: string }[] {
  const ours = hosts.map(({ name, address }) => ({ name, address }));
  const theirs =
    typeof engine === 'string' ? [] : engine.hosts.filter((one) => !ours.some((h) => same(h.name, one.name)));
  return [...ours, ...theirs.map(({ name, address }) => ({ name, address }))];
}
