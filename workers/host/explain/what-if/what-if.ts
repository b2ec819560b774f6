/** `bellwether-host what-if EVENT`: what the cluster would do from its live state, by the code that decides. Pure. */
import { CounterpartError } from '../../../../activities/errors.ts';
import { listed } from '../../../../activities/storage/capacity-rule.ts';
import { whyNot } from '../../../../activities/storage/score-words.ts';
import { plain } from '../../cli/board-text.ts';
import type { Snapshot } from '../../snapshot.ts';
import { boardAgeMs, isStuck, lives, nameOf, peersOf, viewOf, type View } from '../view.ts';
import { seconds, span } from '../words.ts';
import { buildWorld } from './build.ts';
import { parseEvents, type NamedHost, type WhatIfEvent } from './events.ts';
import { endOf, runWorld, settle, type Outage, type Run } from './step.ts';
import { strike } from './strike.ts';
import { ASSUMED, type Happening, type VirtualHost, type VirtualWorld } from './world.ts';

export interface WhatIfStep {
  /** Seconds after the event. */
  readonly atSeconds: number;
  readonly hostId: number;
  readonly host: string;
  readonly kind: Happening['kind'];
  readonly what: string;
  readonly rule: string | null;
}

/** The shape of `what-if --json`. Seconds after the event. */
export interface WhatIfReport {
  readonly event: string;
  readonly understoodAs: readonly string[];
  readonly before: string;
  readonly steps: readonly WhatIfStep[];
  readonly hosts: readonly {
    readonly id: number;
    readonly host: string;
    /** `exact`: own memory and facts; `announced`: from its board slot; `assumed`: the reference's agent. */
    readonly basis: VirtualHost['basis'];
    readonly orders: readonly string[];
  }[];
  /** Spans in which the engine does not answer; `toSeconds` null: it lasts at the end of the forecast. */
  readonly outages: readonly { readonly fromSeconds: number; readonly toSeconds: number | null }[];
  readonly outageSeconds: number | null;
  /** When the VM's vCPUs run again; null where they never stopped, or do not start again. */
  readonly vmRunsAtSeconds: number | null;
  /** Known no closer than this, where a dead host's lease had to be waited for; 0 elsewhere. */
  readonly plusMinusSeconds: number;
  readonly engineEnds: { readonly hostId: number | null; readonly host: string; readonly answers: boolean };
  /** Hosts that may take it instead: which one notices a dead host's silence first is not known beforehand. */
  readonly orElse: readonly { readonly hostId: number; readonly host: string }[];
  readonly steady: boolean;
  readonly simulatedSeconds: number;
  readonly assumptions: readonly string[];
}

function namedHosts(v: View): readonly NamedHost[] {
  const { hostId } = v.o.settings;
  return [
    { id: hostId, hostname: v.snapshot.hostname, self: true },
    ...peersOf(v).map(({ report }) => ({ id: report.id, hostname: report.hostname, self: false })),
  ].sort((a, b) => a.id - b.id);
}

function eventWords(event: WhatIfEvent, v: View): string {
  switch (event.kind) {
    case 'host-lost':
      return `${nameOf(v, event.host)} loses its power`;
    case 'network-cut':
      return `${nameOf(v, event.host)} loses the management network, its storage stays`;
    case 'storage-hangs':
      return `the storage hangs on ${nameOf(v, event.host)} alone`;
    case 'maintenance':
      return `${nameOf(v, event.host)} goes into local maintenance`;
    case 'shuts-down':
      return `${nameOf(v, event.host)} shuts down in good order`;
    case 'network-cut-all':
      return 'every host loses the management network';
    case 'storage-hangs-all':
      return 'the storage hangs on every host';
    case 'engine-vm-dies':
      return 'the engine VM’s process dies, its host is fine';
    default:
      return 'global maintenance is set';
  }
}

function assumptionsOf(v: View, world: VirtualWorld, notes: readonly string[]): readonly string[] {
  const assumed = world.hosts.filter((host) => host.basis === 'assumed').map((host) => host.name);
  const announced = world.hosts.some((host) => host.basis === 'announced');
  const gone = peersOf(v).filter((peer) => !lives(v, peer) && !peer.report.stopped);
  const failed = peersOf(v).some((peer) => (peer.report.said?.failures ?? 0) > 0);
  const ageMs = boardAgeMs(v);
  return [
    ...notes,
    ...(isStuck(v)
      ? [`This worker’s last round was ${span(v.now - v.o.nowMs)} ago; the forecast begins with what it knew then.`]
      : []),
    ...(ageMs > 0 ? [`The board was read last ${span(ageMs)} ago; the other hosts are taken as they were then.`] : []),
    ...(gone.length === 0 ? [] : [`${listed(gone.map((peer) => nameOf(v, peer.report.id)))} stays silent.`]),
    ...(announced ? ['Other hosts: as they announce themselves; nothing else fails or recovers meanwhile.'] : []),
    ...(failed ? ['Failures that other hosts announce are taken as a quarter of an hour old.'] : []),
    ...(assumed.length === 0
      ? []
      : [
          `${listed(assumed)}: the reference’s agent, assumed to follow our rules at its own pace (a look each 10 s, 60 s of silence for a dead host, out for 560 s after a crash, no migration). The real one may take minutes longer; several of them start at once and the lease decides, and without network they restart the VM every 6 to 16 minutes.`,
        ]),
    ...(world.unreadable.length === 0
      ? []
      : [`Left out, as their slots cannot be read: host ${world.unreadable.map(({ id }) => id).join(', ')}.`]),
    `The engine answers ${ASSUMED.bootMs / 1000} s after its VM began to run; a guest takes ${ASSUMED.guestStopMs / 1000} s to shut down, a migration ${ASSUMED.migrationMs / 1000} s and works.`,
    ...(world.leaseWaited
      ? [
          `The lease of a silent host is free after ${v.t.hostDeadMs / 1000} s, give or take ${2 * v.t.profile.ioSeconds} s: when it was renewed last is not known beforehand.`,
        ]
      : []),
  ];
}

function stepsOf(world: VirtualWorld): readonly WhatIfStep[] {
  return world.log.map((each) => ({
    atSeconds: seconds(each.atMs - world.startMs),
    hostId: each.host,
    host: world.hosts.find((host) => host.id === each.host)?.name ?? '',
    kind: each.kind,
    what: each.kind === 'alert' ? `alert: ${each.text}` : each.text,
    rule: each.rule === '' ? null : each.rule,
  }));
}

function beforeWords(world: VirtualWorld): string {
  const { host, answers, waits } = endOf(world);
  if (host !== undefined)
    return `the engine VM runs on ${host.name}, the engine ${answers ? 'answers' : 'does not answer'}`;
  return waits === undefined ? 'the engine VM runs nowhere' : `${waits.name} is starting the engine VM`;
}

function endWords(world: VirtualWorld): WhatIfReport['engineEnds'] {
  const { host, answers, waits } = endOf(world);
  if (host !== undefined) return { hostId: host.id, host: host.name, answers };
  return {
    hostId: null,
    host: waits === undefined ? 'nowhere' : `nowhere (${waits.name} waits for the lease)`,
    answers: false,
  };
}

/** Only a start within the forecast that had to wait for a lease is such a race. */
function orElse(world: VirtualWorld): WhatIfReport['orElse'] {
  const { host: end } = endOf(world);
  const raced = world.leaseWaited && world.log.some((each) => each.kind === 'order' && each.rule === 'start-here');
  if (!raced || end === undefined) return [];
  return world.hosts
    .filter((host) => {
      const report = world.board.get(host.id);
      return host !== end && host.on && host.works && host.storage && report !== undefined && whyNot(report) === '';
    })
    .map((host) => ({ hostId: host.id, host: host.name }));
}

function reportOf(
  v: View,
  text: string,
  events: readonly WhatIfEvent[],
  world: VirtualWorld,
  run: Run,
  extra: { before: string; notes: readonly string[] },
): WhatIfReport {
  const at = (ms: number) => seconds(ms - world.startMs);
  const outages = run.outages.map((each: Outage) => ({
    fromSeconds: at(each.fromMs),
    toSeconds: each.toMs === undefined ? null : at(each.toMs),
  }));
  const open = outages.some((each) => each.toSeconds === null);
  const sum = outages.reduce((total, each) => total + (each.toSeconds ?? 0) - each.fromSeconds, 0);
  const steps = stepsOf(world);
  const runsAgain = run.down.at(-1)?.toMs;
  return {
    event: text,
    understoodAs: events.map((event) => eventWords(event, v)),
    before: extra.before,
    steps,
    hosts: world.hosts.map((host) => ({
      id: host.id,
      host: host.name,
      basis: host.basis,
      orders: steps
        .filter((step) => step.hostId === host.id && step.kind === 'order')
        .map((step) => `T+${step.atSeconds} s: ${step.what} (${step.rule ?? ''})`),
    })),
    outages,
    outageSeconds: open ? null : Math.round(sum * 10) / 10,
    vmRunsAtSeconds: runsAgain === undefined ? null : at(runsAgain),
    plusMinusSeconds: world.leaseWaited ? 2 * v.t.profile.ioSeconds : 0,
    engineEnds: endWords(world),
    orElse: orElse(world),
    steady: run.steady,
    simulatedSeconds: at(world.now),
    assumptions: assumptionsOf(v, world, extra.notes),
  };
}

function noRound(snapshot: Snapshot): CounterpartError {
  return new CounterpartError({
    type: 'what-if/no-round',
    kind: 'retryable',
    subject: plain(snapshot.hostname),
    what: 'there is no forecast yet',
    why: 'this worker has not finished its first round, so it knows neither itself nor the other hosts',
    remedy: 'Ask again in a few seconds; `bellwether-host why` says what it waits for.',
  });
}

/**
 * Forecast for 15 minutes, or until the engine answers and all is quiet.
 *
 * @param event e.g. `host2 lost`, `network of host1 cut`, `host3 into maintenance and engine vm dies`
 * @throws {CounterpartError} `what-if/not-understood`; `what-if/no-round`
 */
export function whatIf(snapshot: Snapshot, event: string): WhatIfReport {
  const v = viewOf(snapshot);
  if (v === undefined) throw noRound(snapshot);
  const events = parseEvents(event, namedHosts(v));
  const world = buildWorld(v);
  const before = beforeWords(world);
  settle(world);
  const notes = events.flatMap((each) => strike(world, each) ?? []);
  const run = runWorld(world);
  return reportOf(v, event, events, world, run, { before, notes });
}

/** The events that are understood and the hosts that there are, for a help text. */
export function whatIfHosts(snapshot: Snapshot): readonly NamedHost[] {
  const v = viewOf(snapshot);
  return v === undefined ? [] : namedHosts(v);
}
