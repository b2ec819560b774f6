/** The host worker's metrics in Prometheus' text format, for node_exporter's textfile collector. Pure and without any library. */
import type { JournalStats } from '../journal/journal-file.ts';
import type { WhiteboardHealth } from '../env-linux/whiteboard-file.ts';
import type { Snapshot } from '../snapshot.ts';

export interface HostMetrics extends Pick<Snapshot, 'version' | 'nowMs' | 'startedMs' | 'round' | 'storage'> {
  /** undefined until VDSM and the storage have answered. */
  readonly parts: { readonly journal: JournalStats; readonly board: WhiteboardHealth } | undefined;
  /** Longest delay of the event loop since the last file. */
  readonly loopLagMs: number;
}

type Labels = Readonly<Record<string, string | number>>;
type Sample = readonly [value: number | boolean | undefined, labels?: Labels];

const escaped = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

function labelsOf(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(String(value))}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

function metric(name: string, help: string, samples: readonly Sample[], type = 'gauge'): string {
  const lines = samples.flatMap(([value, labels = {}]) =>
    value === undefined ? [] : [`bellwether_host_${name}${labelsOf(labels)} ${Number(value)}`],
  );
  if (lines.length === 0) return '';
  return [`# HELP bellwether_host_${name} ${help}`, `# TYPE bellwether_host_${name} ${type}`, ...lines, ''].join('\n');
}

const HEALTHS = ['good', 'bad', 'unknown'] as const;

function ofRound({ round, nowMs }: HostMetrics): string[] {
  if (round === undefined) return [];
  const { observation, decision } = round;
  const { memory, score } = decision;
  const { lease, vm, health, board, settings } = observation;
  const age = (atMs: number | undefined) => (atMs === undefined ? undefined : Math.max(0, nowMs - atMs) / 1000);
  const here = vm === undefined ? undefined : vm.state !== 'absent' && vm.state !== 'down';
  const peers = [...memory.peers.values()];
  return [
    metric('state', 'What the worker does now, in the words of its journal.', [[1, { state: memory.state }]]),
    metric('score', 'Score that this host announces; 0: it can not take the engine VM.', [[score.value]]),
    metric(
      'score_penalty',
      'Points taken off the score, by what took them.',
      score.penalties.map(({ name, points }): Sample => [points, { name }]),
    ),
    metric('engine_vm_here', 'The engine VM is on this host, in whatever state.', [[here]]),
    metric(
      'engine_health',
      'What the engine’s health page said last, asked from here.',
      health === undefined ? [] : HEALTHS.map((state): Sample => [health.engine === state, { state }]),
    ),
    metric('engine_health_age_seconds', 'Since that was asked.', [[age(health?.atMs)]]),
    metric('global_maintenance', 'Global maintenance is on.', [[memory.global]]),
    metric('local_maintenance', 'This host is in local maintenance.', [[observation.localMaintenance]]),
    metric(
      'heartbeat_age_seconds',
      'Since a host’s slot was seen to change.',
      peers.map(({ changedMs, report }): Sample => [age(changedMs), { id: report.id, peer: report.hostname }]),
    ),
    metric('board_age_seconds', 'Since the HA metadata was last read.', [[age(board?.readMs)]]),
    metric('sanlock_connected', 'sanlock’s daemon answers.', [[lease?.connected]]),
    metric('lockspace_joined', 'This host is in sanlock’s lockspace.', [[lease?.joined]]),
    metric('lease_held', 'This host holds the engine VM’s lease.', [
      [lease === undefined ? undefined : lease.owner === settings.hostId],
    ]),
    metric('failures', 'Failed starts and crashes of the engine VM here that still count.', [[memory.failures.length]]),
    metric('network_share', 'Share of network targets that answered.', [[observation.host?.network]]),
  ];
}

/** The whole file. */
export function metricsText(facts: HostMetrics): string {
  const { parts, version, nowMs, startedMs, storage, loopLagMs } = facts;
  const { board, journal } = parts ?? {};
  const seconds = (ms: number | undefined) => (ms === undefined ? undefined : ms / 1000);
  return [
    metric('info', 'The worker runs.', [[1, { version }]]),
    metric('ready', 'VDSM and the storage have answered: the worker watches the engine.', [[parts !== undefined]]),
    metric('uptime_seconds', 'Since the worker’s start.', [[(nowMs - startedMs) / 1000]]),
    metric('loop_lag_seconds', 'Longest delay of the worker’s event loop since the file before.', [[loopLagMs / 1000]]),
    ...ofRound(facts),
    metric('storage_ok', 'The storage domain answers.', [[storage?.ok]]),
    metric('storage_latency_seconds', 'Length of the last access to the HA metadata, waiting for it included.', [
      [seconds(board?.readTookMs), { access: 'read' }],
      [seconds(board?.writeTookMs), { access: 'write' }],
    ]),
    metric('storage_stuck_processes', 'Processes that hang in the kernel on the HA metadata.', [[board?.stuck]]),
    metric('journal_entries_total', 'Entries of the decision journal.', [[journal?.appended]], 'counter'),
    metric('journal_failures_total', 'Entries that could not be written.', [[journal?.failures]], 'counter'),
    metric('journal_write_seconds', 'Length of the last write.', [[seconds(journal?.lastMs)]]),
  ].join('');
}
