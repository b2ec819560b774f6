/**
 * Whether this host has its management network: one probe per target every round, the last three count, and half of the
 * targets must answer, so that one dead gateway is not taken for a dead network (ha-agent.md 4.3 and its complaints).
 */
import { Resolver } from 'node:dns/promises';
import { connect } from 'node:net';
import { CounterpartError } from '../../../../activities/errors.ts';
import type { HostedEngineFacts } from '../../config/hosted-engine.ts';
import { repeat } from '../repeat.ts';
import { startPing, type Ping } from './ping.ts';

export type NetworkTarget =
  | { readonly kind: 'ping'; readonly address: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'dns' };

const WINDOW = 3;
/** A name server that answers anything has answered. */
const NO_DNS = new Set(['ETIMEOUT', 'ECONNREFUSED', 'ECANCELLED', 'EREFUSED', 'ENETUNREACH', 'EHOSTUNREACH']);

/** Targets of hosted-engine.conf and the worker's own, in words: `ping:ADDRESS`, `tcp:HOST:PORT`, `dns`. */
export function networkTargets(network: HostedEngineFacts['network'], further: string): readonly NetworkTarget[] {
  const targets: NetworkTarget[] = [];
  if (network.test === 'ping' && network.gateway !== undefined)
    targets.push({ kind: 'ping', address: network.gateway });
  if (network.test === 'tcp' && network.tcp !== undefined) targets.push({ kind: 'tcp', ...network.tcp });
  if (network.test === 'dns') targets.push({ kind: 'dns' });
  for (const word of further.split(/[\s,]+/).filter((each) => each !== '')) {
    const [, ping] = /^ping:(.+)$/.exec(word) ?? [];
    const [, host, port] = /^tcp:\[?(.+?)\]?:(\d{1,5})$/.exec(word) ?? [];
    if (word === 'dns') targets.push({ kind: 'dns' });
    else if (ping !== undefined) targets.push({ kind: 'ping', address: ping });
    else if (host !== undefined) targets.push({ kind: 'tcp', host, port: Number(port) });
    else
      throw new CounterpartError({
        type: 'host/configuration',
        kind: 'needs-operator',
        subject: 'network-targets',
        what: `"${word}" is no network target`,
        why: 'a target is ping:ADDRESS, tcp:HOST:PORT or dns',
        remedy: 'Correct it in the worker’s configuration and start the worker again.',
      });
  }
  return targets;
}

export function targetName(target: NetworkTarget): string {
  if (target.kind === 'dns') return 'dns';
  return target.kind === 'ping' ? `ping:${target.address}` : `tcp:${target.host}:${target.port}`;
}

function probeTcp(host: string, port: number, limitMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const timer = setTimeout(() => end(false), limitMs);
    const end = (answered: boolean) => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answered);
    };
    socket.once('connect', () => end(true));
    // As the reference's `nc -z`: only a connection counts.
    socket.once('error', () => end(false));
  });
}

/** The root's name servers are asked for, as no name of ours need exist. */
async function probeDns(limitMs: number): Promise<boolean> {
  // Anew each time: /etc/resolv.conf may have changed.
  const resolver = new Resolver({ timeout: limitMs, tries: 1 });
  try {
    await resolver.resolveNs('.');
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    return !NO_DNS.has(code);
  }
}

export interface NetworkFact {
  /** Share of probes that were answered, of the target that decides: half of all targets do at least as well. */
  readonly share: number;
  /** While probes are answered: the last round's start; else the start of the first round in a row without. */
  readonly atMs: number;
  readonly targets: readonly { readonly name: string; readonly share: number }[];
}

export interface NetworkMonitor {
  fact(): NetworkFact;
  stop(): void;
}

interface Probed {
  readonly target: NetworkTarget;
  readonly ping: Ping | undefined;
  readonly results: boolean[];
}

/** The median that half of them reach. */
function quorum(shares: readonly number[]): number {
  const sorted = shares.toSorted((a, b) => b - a);
  return sorted[Math.ceil(sorted.length / 2) - 1] ?? 1;
}

/** Begins to probe. Without targets the network counts as there. */
export function monitorNetwork(
  targets: readonly NetworkTarget[],
  options: { readonly everyMs: number; readonly bootMs: () => number; readonly changed: () => void },
): NetworkMonitor {
  const { everyMs, bootMs, changed } = options;
  const limitMs = Math.max(500, Math.round(everyMs * 0.75));
  const probed: readonly Probed[] = targets.map((target) => ({
    target,
    ping: target.kind === 'ping' ? startPing(target.address, everyMs) : undefined,
    results: [],
  }));
  let fact: NetworkFact = { share: 1, atMs: bootMs(), targets: [] };
  const probe = async ({ target, ping }: Probed): Promise<boolean> => {
    if (target.kind === 'dns') return probeDns(limitMs);
    if (target.kind === 'tcp') return probeTcp(target.host, target.port, limitMs);
    return ping?.answeredWithin(everyMs + limitMs) ?? false;
  };
  let lostSince: number | undefined;
  const round = async () => {
    const startedMs = bootMs();
    await Promise.all(
      probed.map(async (one) => {
        one.results.push(await probe(one));
        if (one.results.length > WINDOW) one.results.shift();
      }),
    );
    const shares = probed.map(({ target, results }) => ({
      name: targetName(target),
      share: results.filter(Boolean).length / results.length,
    }));
    const answered = quorum(probed.map(({ results }) => (results.at(-1) === true ? 1 : 0))) > 0;
    lostSince = answered ? undefined : (lostSince ?? startedMs);
    const before = fact.share;
    const share = quorum(shares.map((each) => each.share));
    fact = { share, atMs: lostSince ?? startedMs, targets: shares };
    if (before !== share) changed();
  };
  const rounds = probed.length === 0 ? undefined : repeat(everyMs, 4 * everyMs, round);
  return {
    fact: () => (probed.length === 0 ? { ...fact, atMs: bootMs() } : fact),
    stop() {
      rounds?.stop();
      for (const { ping } of probed) ping?.stop();
    },
  };
}
