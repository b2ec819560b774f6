/** The small world in which `what-if` runs the shipping decision: hosts, one lease, one board, one clock for all. */
import type { PeerReport } from '../../core/types.ts';
import type { ActionResult, BoardFact, HostFact, Memory, Settings, VmFact } from '../../core/types.ts';

/** Nobody can know these beforehand; all of them are told in the report. */
export const ASSUMED = {
  bootMs: 120_000,
  guestStopMs: 20_000,
  migrationMs: 20_000,
  answerMs: 200,
  sampleMs: 2000,
} as const;
/** After a crash the reference's agent keeps its host out for this long (ha-agent.md 2.4). */
export const REFERENCE_OUT_MS = 560_000;

export interface VirtualVm {
  state: VmFact['state'];
  exit: VmFact['exit'];
  /** vCPUs run. */
  runs: boolean;
  bornMs: number;
  /** From then on the engine answers; infinite for an engine that is sick. */
  healthyFromMs: number;
}

export interface VirtualHost {
  readonly id: number;
  readonly name: string;
  /** `exact`: this host's own memory and facts. `announced`: from its board slot. `assumed`: the reference's agent. */
  readonly basis: 'exact' | 'announced' | 'assumed';
  readonly settings: Settings;
  readonly sanlock: { readonly ioSeconds: number; readonly watchdogSeconds: number };
  on: boolean;
  works: boolean;
  vdsm: boolean;
  storage: boolean;
  connected: boolean;
  joined: boolean;
  /** Its last renewal, while it cannot renew any more. */
  renewedMs: number;
  /** People reach the engine over its network; its own probes notice a little later (`host`). */
  reachable: boolean;
  host: HostFact | undefined;
  /** Its host fact is kept young; false where the monitor stood still at the start. */
  monitored: boolean;
  localMaintenance: boolean;
  vm: VirtualVm | undefined;
  oldVm: VmFact | undefined;
  memory: Memory;
  board: BoardFact | undefined;
  done: ActionResult[];
  nextBeatMs: number;
  poked: boolean;
  outUntilMs: number;
  rule: string;
}

export interface Happening {
  readonly atMs: number;
  /** 0: the world, no host. */
  readonly host: number;
  readonly kind: 'order' | 'alert' | 'vm' | 'rule' | 'event';
  readonly text: string;
  readonly rule: string;
}

export interface VirtualWorld {
  readonly startMs: number;
  now: number;
  readonly hosts: VirtualHost[];
  readonly board: Map<number, PeerReport>;
  readonly unreadable: BoardFact['unreadable'];
  global: boolean | undefined;
  /** `silentSinceMs`: the owner cannot renew since; undefined while it does. */
  readonly lease: { owner: number | undefined; silentSinceMs: number | undefined };
  planned: { readonly atMs: number; readonly happen: () => void }[];
  readonly log: Happening[];
  /** Somebody had to wait for the lease of a dead host: its end is known to two renewals. */
  leaseWaited: boolean;
}

export function say(
  world: VirtualWorld,
  host: VirtualHost | undefined,
  kind: Happening['kind'],
  text: string,
  rule = '',
): void {
  world.log.push({ atMs: world.now, host: host?.id ?? 0, kind, text, rule });
}

export function plan(world: VirtualWorld, afterMs: number, happen: () => void): void {
  world.planned.push({ atMs: world.now + afterMs, happen });
}

export function hostById(world: VirtualWorld, id: number | undefined): VirtualHost | undefined {
  return world.hosts.find((host) => host.id === id);
}

/** It renews its leases. */
export function renews(host: VirtualHost | undefined): boolean {
  return host !== undefined && host.on && host.storage && host.joined && host.connected;
}

/** From now on its renewals stand still. */
export function fallsSilent(world: VirtualWorld, host: VirtualHost): void {
  if (!renews(host)) return;
  // One renewal each 2 I/O time-outs: in the middle, the last one is one time-out old.
  host.renewedMs = world.now - host.sanlock.ioSeconds * 1000;
  if (world.lease.owner === host.id) world.lease.silentSinceMs = world.now;
}

/** The engine answers to people: its VM runs, it is well, its disk and its network are there. */
export function answering(world: VirtualWorld): VirtualHost | undefined {
  return world.hosts.find((host) => {
    const { vm } = host;
    return host.on && host.storage && host.reachable && vm?.runs === true && world.now >= vm.healthyFromMs;
  });
}
