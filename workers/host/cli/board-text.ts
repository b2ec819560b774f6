/** The board for people: one line per host, then what could not be read. Pure. */
import type { BoardReport, FaultyReport, HostReport } from './board-report.ts';

/** A volume that was never zeroed may hold garbage in thousands of slots (ha-agent.md 1.1). */
const FAULTS_SHOWN = 20;

/** Names come from other machines: nothing in them may steer the terminal. */
export function plain(text: string): string {
  return text.replaceAll(/\p{C}/gu, '?');
}

function engineOf({ engine }: HostReport): string {
  if (engine.vm !== 'up') return plain(engine.reason === undefined ? engine.vm : `${engine.vm} (${engine.reason})`);
  const reason = engine.reason === undefined ? '' : `: ${engine.reason}`;
  return plain(`up, health ${engine.health} (${engine.detail})${reason}`);
}

function agentOf(host: HostReport): string {
  const kind = host.announcement === undefined ? host.agent : `${host.agent}, ${host.announcement.intervalMs / 1000} s`;
  return host.stopped ? `${kind}, stopped` : kind;
}

/** Columns of equal width, two blanks apart. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}

function hostLines(hosts: readonly HostReport[]): string[] {
  const head = ['id', 'host', 'state', 'score', 'engine VM', 'maintenance', 'agent', 'heartbeat'];
  const rows = hosts.map((host) => [
    String(host.id),
    plain(host.hostname),
    plain(host.state),
    String(host.score),
    engineOf(host),
    host.localMaintenance ? 'local' : '-',
    agentOf(host),
    `age not known (host-ts ${host.hostTs})`,
  ]);
  const notes = hosts.flatMap(({ id, announcement }) =>
    announcement === undefined || announcement.cannotRun === ''
      ? []
      : [`host ${id} can’t run the engine VM: ${plain(announcement.cannotRun)}`],
  );
  return [...table([head, ...rows]), ...notes];
}

function globalLine({ globalMaintenance: { on, fault } }: BoardReport): string {
  if (on === null) return fault === undefined ? 'off (never set)' : `NOT READABLE: ${plain(fault)}`;
  return on ? 'ON: no agent starts, stops or moves the engine VM' : 'off';
}

function engineLine({ hosts }: BoardReport): string {
  const up = hosts.filter(({ engine }) => engine.vm === 'up');
  if (up.length === 0) return 'no host says that it runs it';
  const names = up.map(({ id, hostname }) => `host ${id} (${plain(hostname)})`).join(', ');
  return up.length === 1
    ? `on ${names}`
    : `claimed by ${up.length} hosts: ${names}; a dead host’s slot stays as it was`;
}

function faultLines(faulty: readonly FaultyReport[]): string[] {
  if (faulty.length === 0) return [];
  const rows = faulty.slice(0, FAULTS_SHOWN).map(({ id, fault, why }) => [`slot ${id}`, fault, plain(why)]);
  const more = faulty.length - rows.length;
  return [
    '',
    `${faulty.length} ${faulty.length === 1 ? 'slot' : 'slots'} not readable (agents leave them out):`,
    ...table(rows).map((line) => `  ${line}`),
    ...(more === 0 ? [] : [`  and ${more} more; all of them with --json`]),
    '  A living host repairs its own slot. For one that is gone, in global maintenance:',
    `  hosted-engine --clean-metadata --force-cleanup --host-id=${faulty[0]?.id ?? 1}`,
  ];
}

/** Lines without a final newline. */
export function boardLines(report: BoardReport): string[] {
  return [
    `HA metadata in ${report.source}, as it was when it was read`,
    `global maintenance: ${globalLine(report)}`,
    `engine VM:          ${engineLine(report)}`,
    '',
    ...(report.hosts.length === 0 ? ['no host has written here'] : hostLines(report.hosts)),
    ...faultLines(report.faulty),
  ];
}
