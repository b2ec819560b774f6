/** The trackers of the configuration, by name. */
import { TicketSystem } from './client.ts';
import { createJira } from './jira.ts';
import { createRt } from './rt.ts';
import { createServiceNow } from './servicenow.ts';
import { markerOf, type Tracker, type TrackerConfig } from './tracker.ts';

/** The signed report of old, for each turn of events: what receives it makes of it what it likes. */
function createStandard({ name, url, secretFile, answers }: TrackerConfig & { kind: 'standard' }): Tracker {
  const system = new TicketSystem({ url, secretFile });
  return {
    name,
    edits: false,
    answers,
    async comment(ticket, comment, signal) {
      const { operationId, cluster, phase: state, text } = comment;
      const type = comment.kind === 'ended' ? 'operation.ended' : 'operation.progress';
      const report = { ticket, operationId, cluster, state, lines: text.split('\n') };
      await system.report(report, signal, { type, occasion: markerOf(comment) });
    },
    progress: () => Promise.resolve(),
    // The report has it.
    state: () => Promise.resolve(undefined),
  };
}

function create(config: TrackerConfig): Tracker {
  switch (config.kind) {
    case 'rt':
      return createRt(config);
    case 'jira':
      return createJira(config);
    case 'servicenow':
      return createServiceNow(config);
    case 'standard':
      return createStandard(config);
  }
}

export function createTrackers(configs: readonly TrackerConfig[]): ReadonlyMap<string, Tracker> {
  return new Map(configs.map((config) => [config.name, create(config)]));
}
