import { expect, test } from 'vitest';
import type { OperationView } from '../../workflows/model/operation.ts';
import { acceptedText, parkedText } from './words.ts';

function view(operation: string, id: string): OperationView {
  const failure = { what: 'it failed', why: 'for a reason', remedy: 'Repair it.', attempts: 1 };
  return {
    id,
    operation,
    cluster: 'Default',
    requestedBy: 'webhook:jira',
    state: 'parked',
    actions: ['retry', 'abort'],
    steps: [
      {
        name: 'look',
        title: 'Look',
        state: 'parked',
        failure: { type: 'test/no', ...failure },
      },
    ],
    undo: [],
    startedAt: '2026-01-01T00:00:00.000Z',
  };
}

test.each([
  [
    'enter-host-maintenance',
    'enter-host-maintenance/Default/host1/OPS-1',
    'move to maintenance of host1 (cluster Default)',
  ],
  ['remove-host', 'remove-host/Default/host3/OPS-1', 'removal of host3 (cluster Default)'],
  ['rolling-host-update', 'rolling-host-update/Default/OPS-1', 'update of the hosts of cluster Default'],
  ['upgrade', 'upgrade/Default/OPS-1', 'upgrade of cluster Default'],
])('%s is named in words', (operation, id, words) => {
  expect(acceptedText(view(operation, id), {})).toContain(
    `Bellwether has taken this: ${words}, asked for by webhook:jira.`,
  );
});

test('what waits for a person says what to do, with and without answers in the ticket', () => {
  const parked = view('backup', 'backup/Default/OPS-1');
  const shell = 'a shell: npx bellwether operation retry|abort backup/Default/OPS-1';
  expect(parkedText(parked, {}, false)).toBe(
    [
      'The backup of cluster Default waits for a person, at: Look',
      'What: it failed',
      'Why: for a reason (tried once)',
      'What to do: Repair it.',
      `In ${shell}`,
    ].join('\n'),
  );
  expect(parkedText(parked, {}, true)).toContain(`  bellwether retry\n  bellwether abort\nor in ${shell}`);
});
