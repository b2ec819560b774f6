/** What the sentences of `why` are made of: one `Words` for each rule of the core. */
import { deadAfterMs } from '../core/peers.ts';
import type { PeerMemory } from '../core/types.ts';
import { lives, nameOf, peersOf, type View } from './view.ts';

/** Something that happens at a known moment unless the situation changes. */
export interface Due {
  readonly atMs: number;
  readonly what: string;
}

export interface Words {
  /** Why the worker does, or does not do, something now. Whole sentences. */
  why(v: View): string;
  /** What must happen before it goes on; left out when it waits for nothing. */
  waits?(v: View): string | undefined;
  due?(v: View): readonly Due[];
  /** What a person can do now. */
  can?(v: View): readonly string[];
}

export function numberOf(v: View, key: string): number {
  const value = v.reason.inputs[key];
  return typeof value === 'number' ? value : 0;
}

export function hostOf(v: View, key: string): string {
  return nameOf(v, numberOf(v, key));
}

/** When sanlock would let another host have the lease of an owner that is silent by the board as well. */
export function leaseFree(v: View): readonly Due[] {
  const { lease } = v.o;
  if (lease?.owner === undefined || lease.ownerSilentMs === undefined || lease.owner === v.o.settings.hostId) return [];
  const owner = v.m.peers.get(lease.owner);
  if (owner !== undefined && lives(v, owner)) return [];
  const name = nameOf(v, lease.owner);
  const silentSinceMs = lease.atMs - lease.ownerSilentMs;
  return [
    { atMs: silentSinceMs + v.t.hostDeadMs, what: `sanlock gives the lease of ${name} away, if ${name} stays silent` },
  ];
}

/** A host that has not written for twice as long as it should: when it will count as gone. */
export function goneAt(v: View, peer: PeerMemory | undefined): readonly Due[] {
  if (peer === undefined) return [];
  const limitMs = deadAfterMs(peer.report, v.t);
  if (v.now - peer.changedMs < limitMs / 2) return [];
  return [
    {
      atMs: peer.changedMs + limitMs,
      what: `${nameOf(v, peer.report.id)} counts as gone, if it stays silent (${seconds(v.now - peer.changedMs)} so far)`,
    },
  ];
}

const seconds = (ms: number) => `${Math.max(0, Math.round(ms / 1000))} s`;

/** A host that wrote last that it has the VM, and is silent since. */
export function lastHolder(v: View): PeerMemory | undefined {
  return peersOf(v).find((peer) => peer.report.vm === 'up' && !lives(v, peer));
}

export const CHECK_STORAGE =
  'Check the path to the hosted-engine storage on this host: mount or multipath, the storage server, /var/log/sanlock.log.';
export const CHECK_VDSM =
  'Look at VDSM: `systemctl status vdsmd`, `journalctl -u vdsmd`. Restarting vdsmd does not stop VMs.';
export const CHECK_NETWORK = 'Check cable, switch, gateway and the bridge ovirtmgmt on this host.';
export const BY_HAND = 'By hand, in global maintenance: `bellwether-host vm start` on the host of your choice.';
