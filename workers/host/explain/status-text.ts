/** The status for people: the same look as the offline one, one line per host, then what stands behind it. Pure. */
import { plain, table } from '../cli/board-text.ts';
import { capacityLines } from './capacity.ts';
import type { HostStatus, StatusReport } from './status.ts';
import { hostName, labelled, span } from './words.ts';

function engineCell({ engine, lives }: HostStatus): string {
  if (engine.vm !== 'up') return plain(engine.vm);
  if (!lives) return 'was up';
  return plain(`up, health ${engine.health}${engine.detail === 'unknown' ? '' : ` (${engine.detail})`}`);
}

function maintenanceCell(host: HostStatus): string {
  if (host.stopped) return 'worker stopped';
  return host.localMaintenance ? 'local' : '-';
}

function heartbeatCell(host: HostStatus): string {
  if (host.heartbeatAgeSeconds === null) return 'never';
  const age = span(host.heartbeatAgeSeconds * 1000);
  return host.lives ? age : `${age} SILENT`;
}

function scoreCell(host: HostStatus): string {
  return host.zeroBecause === null ? String(host.score) : `${host.score} (${plain(host.zeroBecause)})`;
}

/** One line per host that is less than perfect: each penalty by its name, and why it could not run the engine VM. */
function notes(hosts: readonly HostStatus[]): string[] {
  return hosts.flatMap((host) => {
    const name = hostName(host.id, host.hostname);
    const taken = host.penalties.map(({ name: what, points, why }) => `-${points} ${what} (${why})`);
    return [
      ...(taken.length === 0
        ? []
        : [`${name}: ${taken.join(', ')}${host.zeroBecause === null ? '' : '; not counted while the score is 0'}`]),
      ...(host.cannotRun === '' ? [] : [`${name} can’t start the engine VM: ${host.cannotRun}`]),
      ...(host.claim === '' ? [] : [`${name} is at it: ${host.claim}`]),
    ].map(plain);
  });
}

function hostLines(hosts: readonly HostStatus[]): string[] {
  const head = ['id', 'host', 'state', 'score', 'engine VM', 'maintenance', 'agent', 'heartbeat'];
  const rows = hosts.map((host) => [
    String(host.id),
    plain(host.self ? `${host.hostname} *` : host.hostname),
    plain(host.state ?? '?'),
    scoreCell(host),
    engineCell(host),
    maintenanceCell(host),
    host.agent,
    heartbeatCell(host),
  ]);
  return [...table([head, ...rows]), ...notes(hosts)];
}

function globalWords({ on, fault }: StatusReport['globalMaintenance']): string {
  const flag = on === null ? 'not known' : on ? 'ON: no host starts, stops or moves the engine VM' : 'off';
  return fault === undefined ? flag : `${flag} (${fault})`;
}

function engineWords({ engine }: StatusReport): string {
  if (engine.length === 0) return 'on no host that is known to live';
  const names = engine.map(({ id, hostname, health }) => `${hostName(id, hostname)}, health ${health}`);
  return engine.length === 1 ? `on ${names.join()}` : `said to be on ${engine.length} hosts: ${names.join('; ')}`;
}

function leaseWords({ lease }: StatusReport): string {
  if (lease === null) return 'not known: sanlock never answered';
  if (lease.ownerName === null) return 'free, or its owner is not known';
  const renewed = lease.silentSeconds === null ? '' : `, last seen to renew it ${span(lease.silentSeconds * 1000)} ago`;
  const free = lease.freeInSeconds === null ? '' : `; if it stays silent, free in ${Math.round(lease.freeInSeconds)} s`;
  return `of ${lease.ownerName}${renewed}${free}`;
}

function timingLines({ timing }: StatusReport): string[] {
  if (timing === null) return [];
  const rows = timing.times.map(({ name, value, unit, meaning }) => [
    name,
    `${value}${unit === 's' ? ' s' : ''}`,
    meaning,
  ]);
  return [
    '',
    `timing profile “${timing.profile}”; everything follows from sanlock’s two time-outs:`,
    ...table(rows).map((row) => `  ${row}`),
  ];
}

/** Lines without a final newline; `timing` adds the table of all times. */
export function statusLines(report: StatusReport, options: { readonly timing?: boolean } = {}): string[] {
  const { round } = report;
  const last = round === null ? 'no round yet' : `round ${span(round.ageSeconds * 1000)} ago, rule ${round.rule}`;
  return [
    `${plain(report.hostname)}: worker ${report.version} runs for ${span(report.runsForSeconds * 1000)}; ${last}`,
    `global maintenance: ${plain(globalWords(report.globalMaintenance))}`,
    `engine VM:          ${engineWords(report)}`,
    `lease:              ${leaseWords(report)}`,
    `definition:         ${plain(report.definition.source)}`,
    ...report.definition.notes.map((note) => `                    ${plain(note)}`),
    '',
    ...(report.hosts.length === 0 ? ['nothing is known of any host yet'] : hostLines(report.hosts)),
    ...report.faulty.map(({ id, why }) => `slot ${id} not readable: ${plain(why)}`),
    '',
    ...labelled('facts', [report.facts.map((fact) => `${fact.name} ${fact.text}`).join(', ') || 'none yet']),
    ...capacityLines(report.capacity),
    ...(options.timing === false ? [] : timingLines(report)),
  ];
}
