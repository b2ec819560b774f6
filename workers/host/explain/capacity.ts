/** "How many host failures can we take now, and why not more?" From what each host says of itself now. Pure. */
import { bearableFailures, sparesOf, whyNotMore } from '../../../activities/storage/capacity-rule.ts';
import { whyNot } from '../../../activities/storage/score-words.ts';
import type { Snapshot } from '../snapshot.ts';
import { boardAgeMs, peerHindrance, isStuck, lives, nameOf, peersOf, viewOf, type View } from './view.ts';
import { hostName, labelled, span } from './words.ts';

export interface CapacityHost {
  readonly id: number;
  readonly hostname: string;
  readonly hasEngine: boolean;
  readonly score: number;
  /** Empty: it could start the engine VM now (or go on running it). */
  readonly cannotRun: string;
  /** `reserved`: it has the memory free for the engine VM now; a reference's agent does not say. */
  readonly memory: 'reserved' | 'short' | 'not announced';
}

export interface CapacityReport {
  /** Any so many hosts may fail now, one after the other or at once, and the engine comes back. null: cannot be told. */
  readonly failures: number | null;
  /** Why not more; whole sentences. */
  readonly why: readonly string[];
  readonly hosts: readonly CapacityHost[];
  readonly reserve: {
    readonly neededMiB: number;
    /** Spare hosts on which that much is free now. */
    readonly spareHosts: number;
    readonly wantedSpareHosts: number;
    readonly enough: boolean;
  } | null;
}

function memoryOf(cannotRun: string, said: boolean): CapacityHost['memory'] {
  if (cannotRun.includes('memory')) return 'short';
  return said ? 'reserved' : 'not announced';
}

function hostsOf(v: View): readonly CapacityHost[] {
  const { settings, host } = v.o;
  const short = !v.hosting && (host?.memFreeMb ?? 0) < settings.vmMemoryMb;
  const own: CapacityHost = {
    id: settings.hostId,
    hostname: v.snapshot.hostname,
    hasEngine: v.hosting,
    score: v.m.score,
    cannotRun: v.s.cannotRun,
    memory: host === undefined ? 'not announced' : short ? 'short' : 'reserved',
  };
  const others = peersOf(v).map((peer): CapacityHost => {
    const cannotRun = peerHindrance(v, peer);
    return {
      id: peer.report.id,
      hostname: peer.report.hostname,
      hasEngine: peer.report.vm === 'up' && lives(v, peer),
      score: peer.report.score,
      cannotRun,
      memory: memoryOf(whyNot(peer.report), peer.report.said !== undefined),
    };
  });
  return [own, ...others].sort((a, b) => a.id - b.id);
}

/** Something that keeps every host from acting, however many could. */
function blocked(v: View): string | undefined {
  if (v.m.global) return 'Global maintenance is on: no host starts the engine VM, whatever fails.';
  const differs = v.s.disagreeing;
  if (differs !== undefined)
    return `The sanlock time-outs of ${nameOf(v, differs.report.id)} differ from this host’s: nothing is started until they are equal.`;
  return undefined;
}

/** By the rule of `activities/storage/capacity-rule.ts`. */
export function capacity(snapshot: Snapshot, wantedSpareHosts = 1): CapacityReport {
  const v = viewOf(snapshot);
  if (v?.o.board === undefined) {
    return {
      failures: null,
      why: ['The board was never read: nothing is known of the other hosts.'],
      hosts: [],
      reserve: null,
    };
  }
  const hosts = hostsOf(v);
  const spares = sparesOf(hosts);
  const reserved = spares.filter((host) => host.memory === 'reserved').length;
  const reserve = {
    neededMiB: v.o.settings.vmMemoryMb,
    spareHosts: reserved,
    wantedSpareHosts,
    enough: reserved >= wantedSpareHosts,
  };
  const ageMs = boardAgeMs(v);
  if (ageMs > 0 || isStuck(v)) {
    const old = `The board was read last ${span(v.now - v.o.board.readMs)} ago: what the other hosts could do now is not known.`;
    return { failures: null, why: [old], hosts, reserve: null };
  }
  const block = blocked(v);
  const named = hosts.map((host) => ({ ...host, label: hostName(host.id, host.hostname) }));
  const failures = bearableFailures(hosts);
  if (block !== undefined)
    return { failures: 0, why: [block, ...whyNotMore(named, failures).slice(0, 1)], hosts, reserve };
  return { failures, why: whyNotMore(named, failures), hosts, reserve };
}

/** For people; lines without a final newline. */
export function capacityLines(report: CapacityReport): string[] {
  const many = report.failures === 1 ? '1 host failure' : `${report.failures ?? '?'} host failures`;
  const first = report.failures === null ? 'cannot be told now' : many;
  const { reserve } = report;
  return [
    ...labelled('can take', [first]),
    ...labelled('why', report.why),
    ...(reserve === null
      ? []
      : labelled('memory', [
          `${reserve.neededMiB} MiB for the engine VM are free on ${reserve.spareHosts} spare ${reserve.spareHosts === 1 ? 'host' : 'hosts'} (wanted: ${reserve.wantedSpareHosts}${reserve.enough ? '' : ', NOT REACHED'})`,
        ])),
  ];
}
