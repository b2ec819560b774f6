import { expect, test } from 'vitest';
import type { ClusterState } from '../model/cluster.ts';
import { clusterMarkdown } from './details.ts';

const HOLDER = { operationId: 'upgrade/vienna/CHG1', label: 'CHG1', ifBusy: 'queue' } as const;
const NEXT = { operationId: 'upgrade/vienna/CHG2', label: 'CHG_2_', ifBusy: 'queue' } as const;
const LINK = '[CHG1](/namespaces/bellwether/workflows/upgrade%2Fvienna%2FCHG1)';

const lines = (change: Partial<ClusterState> = {}): string[] =>
  clusterMarkdown({ version: 1, cluster: 'vienna', queue: [], history: [], ...change }, 'bellwether')
    .replaceAll('\u00a0', '')
    .split('\n');

test('free, and nothing happened yet', () => {
  expect(lines()).toEqual(['Cluster **vienna** is **free**: the next operation gets it at once.']);
});

test('held: by whom and since when, who waits, with links to their pages', () => {
  const history = [{ operationId: HOLDER.operationId, label: 'CHG1', grantedAt: '2026-01-31T15:04:05.678Z' }];
  expect(lines({ holder: HOLDER, queue: [NEXT], history })).toEqual([
    `Cluster **vienna** is **held** by ${LINK} since 2026-01-31 15:04:05 UTC.`,
    '',
    '**Waiting** (1)',
    '',
    '1. [CHG_2\\_](/namespaces/bellwether/workflows/upgrade%2Fvienna%2FCHG2)',
    '',
    '| last operations | from (UTC) | to | end |',
    '|:---|:---|:---|:---|',
    `| ${LINK} | 2026-01-31 15:04:05 | holds it |  |`,
  ]);
});

test('the last ten operations, the latest first', () => {
  const history = Array.from({ length: 12 }, (_, index) => ({
    operationId: `upgrade/vienna/CHG${index}`,
    label: `CHG${index}`,
    grantedAt: '2026-01-31T15:04:05.678Z',
    releasedAt: '2026-01-31T16:00:00.000Z',
    end: { state: 'done' as const, summary: 'The engine VM was changed.' },
  }));
  const rows = lines({ history }).filter((line) => line.startsWith('| ['));
  expect(rows).toHaveLength(10);
  expect(rows[0]).toBe(
    '| [CHG11](/namespaces/bellwether/workflows/upgrade%2Fvienna%2FCHG11) | 2026-01-31 15:04:05 | 16:00:00 | done: The engine VM was changed. |',
  );
});

test('what the hosts told, the latest first', () => {
  const alert = { kind: 'engine-started', text: 'the engine VM was started', did: 'It started it.', todo: 'Nothing.' };
  const alerts = [
    { ...alert, id: '1', at: '2026-01-31T15:04:05.678Z', host: 'host1' },
    { ...alert, id: '2', at: '2026-01-31T15:05:05.678Z', host: 'host_2' },
  ];
  expect(lines({ alerts }).slice(-2)).toEqual([
    '| 2026-01-31 15:05:05 | host_2 | the engine VM was started | It started it. | Nothing. |',
    '| 2026-01-31 15:04:05 | host1 | the engine VM was started | It started it. | Nothing. |',
  ]);
});
