/** A cluster's status on one screen: 80x24 for three hosts. Pure. */
import type { HostLook } from '../../workflows/model/look.ts';
import type { ClusterStatus } from '../clusters/status.ts';
import { labelled, span, table, WIDTH } from './screen.ts';
import { clockTime } from './words.ts';

const SCREEN_LINES = 24;
const SOURCES = { vdsm: 'VDSM', 'ha-metadata': 'HA metadata', engine: 'the engine' } as const;

function headline({ cluster, at, tookMs, ageMs }: ClusterStatus): string {
  const age = ageMs >= 1000 ? `, ${span(ageMs / 1000)} ago` : '';
  return `Cluster ${cluster} at ${clockTime(at)} UTC${age} (took ${(tookMs / 1000).toFixed(1)} s)`.slice(0, WIDTH);
}

function engineLines({ engine, engineVm }: ClusterStatus): string[] {
  const { healthy, health, version } = engine;
  const well = healthy === undefined ? `DOES NOT ANSWER (${health})` : healthy ? 'healthy' : `NOT HEALTHY (${health})`;
  const { host, status, source, places } = engineVm;
  const where =
    host === undefined || source === undefined
      ? 'its VM runs on no host that answers'
      : `its VM is on ${host}: ${status ?? ''}, says ${SOURCES[source]}`;
  const others = places
    .filter((place) => place.host !== host)
    .map((place) => `${place.host} (${SOURCES[place.source]})`);
  const differ = others.length === 0 ? '' : `; NOT AGREED, also on ${others.join(', ')}`;
  return labelled('engine', `${well}${version === undefined ? '' : `, ${version}`}; ${where}${differ}`, 3);
}

function capacityLines({ capacity }: ClusterStatus): string[] {
  const { failures, why } = capacity;
  const many = failures === null ? 'cannot be told' : `${failures} host ${failures === 1 ? 'failure' : 'failures'}`;
  return labelled('can take', `${many}. ${why.join(' ')}`, 3);
}

function globalLines({ globalMaintenance }: ClusterStatus): string[] {
  const { on, setBy, order } = globalMaintenance;
  if (on !== true) return labelled('global', on === null ? 'maintenance: NOT KNOWN' : 'maintenance off');
  if (order === undefined) {
    const who = setBy === 'outside' ? 'set outside Bellwether' : 'who set it is not known';
    return labelled('global', `maintenance ON, ${who}`);
  }
  const reason = order.reason === undefined ? '' : `: ${order.reason}`;
  const until = order.until === undefined ? 'until somebody ends it' : `until ${order.until}`;
  return labelled(
    'global',
    `maintenance ON since ${clockTime(order.at)} UTC by ${order.by} (${order.id})${reason}, ${until}`,
    2,
  );
}

function lockLines({ lock }: ClusterStatus): string[] {
  if (lock === undefined) return labelled('lock', 'not known');
  const { holder, queue } = lock;
  if (holder === undefined) return labelled('lock', 'free: no operation is under way');
  const waiting = queue.length === 0 ? '' : `; waiting: ${queue.map(({ label }) => label).join(', ')}`;
  return labelled('lock', `held by ${holder.operation}${waiting}`, 2);
}

function heard({ slot }: HostLook): string {
  if (slot === undefined) return 'no slot';
  if (slot.stopped) return 'stopped';
  if (slot.heardSeconds !== null) return `${span(slot.heardSeconds)}${slot.lives === false ? ' SILENT' : ''}`;
  return slot.lives === false ? 'SILENT' : 'not yet';
}

function hostLines({ hosts }: ClusterStatus): string[] {
  const head = ['host', 'engine says', 'score', 'agent', 'HA state', 'engine VM', 'heard'];
  const rows = hosts.map((host) => [
    host.name.slice(0, 16),
    host.engine === undefined ? '-' : `${host.engine.status}${host.engine.stale ? '*' : ''}`.slice(0, 18),
    String(host.ha?.score ?? '-'),
    host.agent,
    (host.slot?.state ?? '-').slice(0, 18),
    host.vdsm?.answers === false ? 'silent' : (host.engineVm ?? '-'),
    heard(host),
  ]);
  const [first = '', ...lines] = table([head, ...rows]);
  const notes = hosts.map(({ summary, scoreReasons, cannotRun }) => {
    const parts = [
      ...(summary === undefined ? [] : [summary]),
      ...scoreReasons,
      ...(cannotRun === '' ? [] : [`can’t run it: ${cannotRun}`]),
    ];
    return labelled('', [...new Set(parts)].join('; '), 1).map((line) => `  ${line.trim()}`.slice(0, WIDTH));
  });
  return [first, ...lines.flatMap((line, index) => [line, ...(notes[index] ?? [])])];
}

function pastLines({ endings, alerts }: ClusterStatus, last: number): string[] {
  return [
    ...endings.slice(0, last).flatMap(({ operationId, releasedAt, end }, index) => {
      const how = end === undefined ? 'ended' : `${end.state}: ${end.summary}`;
      return labelled(index === 0 ? 'last' : '', `${clockTime(releasedAt ?? '')} ${operationId} ${how}`, 1);
    }),
    ...alerts
      .slice(0, last)
      .flatMap(({ at, host, text }, index) =>
        labelled(index === 0 ? 'alerts' : '', `${clockTime(at)} ${host}: ${text}`, 1),
      ),
  ];
}

function oddLines({ strangers, faultySlots, missing }: ClusterStatus, last: number, each: number): string[] {
  return [
    ...strangers
      .slice(0, last)
      .flatMap(({ id, hostname }) =>
        labelled('stranger', `slot ${id}: ${hostname}, known to neither engine nor configuration`, 1),
      ),
    ...faultySlots.slice(0, last).flatMap(({ id, why }) => labelled('bad slot', `slot ${id}: ${why}`, 1)),
    ...missing.flatMap(({ what, why, remedy }) => labelled('missing', `${what}: ${why}. ${remedy}`, each)),
  ];
}

function screenLines(status: ClusterStatus, last: number, each: number): string[] {
  return [
    headline(status),
    ...engineLines(status),
    ...capacityLines(status),
    ...globalLines(status),
    ...lockLines(status),
    '',
    ...hostLines(status),
    ...pastLines(status, last),
    ...oddLines(status, last, each),
  ];
}

/** Lines without a final newline. What is past gives way first where the screen is too small, then the remedies. */
export function statusLines(status: ClusterStatus): string[] {
  const sizes = [
    [2, 2],
    [1, 2],
    [1, 1],
  ] as const;
  const screens = sizes.map(([last, each]) => screenLines(status, last, each));
  return screens.find((lines) => lines.length <= SCREEN_LINES) ?? screens.at(-1) ?? [];
}
