import { expect, test } from 'vitest';
import type { OperationView, StepFailure, StepView } from '../model/operation.ts';
import { detailsMarkdown } from './details.ts';

const CHECK: StepView = {
  name: 'check',
  title: 'Check the engine',
  state: 'done',
  startedAt: '2026-01-31T15:04:05.000Z',
  endedAt: '2026-01-31T15:04:06.000Z',
  summary: 'all is well',
  notes: ['host3 is slow'],
};
const IMPORT: StepView = {
  name: 'import',
  title: 'Import the domain',
  state: 'running',
  startedAt: '2026-01-31T15:04:06.000Z',
};
const REPORT: StepView = { name: 'report', title: 'Report to the ticket', state: 'pending' };
const FAILURE: StepFailure = {
  type: 'engine/data-center-not-up',
  what: 'data center Default: it is not up',
  why: 'its status is not_operational <problem>',
  remedy: 'Bring it up, then retry.',
  attempts: 2,
};

function view(change: Partial<OperationView> = {}): OperationView {
  return {
    id: 'upgrade/vienna/CHG0001240',
    operation: 'upgrade',
    cluster: 'vienna',
    ticket: 'CHG0001240',
    requestedBy: 'api',
    state: 'running',
    steps: [CHECK, IMPORT, REPORT],
    undo: [],
    actions: ['abort'],
    startedAt: '2026-01-31T15:04:05.000Z',
    ...change,
  };
}

/** No-break spaces are for the eye only. */
const lines = (change?: Partial<OperationView>): string[] =>
  detailsMarkdown(view(change)).replaceAll('\u00a0\u00a0', '').replaceAll('\u00a0', ' ').split('\n');

test('running: where it is, each step with state and time, what came out so far', () => {
  expect(lines()).toEqual([
    '**running** at step 2 of 3 · cluster vienna · ticket CHG0001240',
    '',
    'What the step waits for, and why it is tried again: tab *Pending Activities*.',
    '',
    '| step | state | UTC |',
    '|:---|:---|:---|',
    '| 1. Check the engine | ✔ done | 15:04:06 |',
    '| 2. Import the domain | ▶ **running** | 15:04:06 |',
    '| 3. Report to the ticket | · |  |',
    '',
    '**Results**',
    '',
    '- **1** all is well',
    '- **1** *note* host3 is slow',
  ]);
});

test('queued: what it waits for', () => {
  const text = lines({ state: 'queued', waitsFor: 'the cluster: busy with CHG1, step 4 of 13', steps: [REPORT] });
  expect(text.slice(0, 3)).toEqual([
    '**queued** · cluster vienna · ticket CHG0001240',
    '',
    'Waits for the cluster: busy with CHG1, step 4 of 13',
  ]);
});

test('parked: what, why, what to do, and what each command means, before anything else', () => {
  const parked = { ...IMPORT, state: 'parked' as const, failure: FAILURE };
  const change = { state: 'parked', steps: [CHECK, parked], actions: ['retry', 'skip', 'abort'] } as const;
  expect(lines({ ...change, waitsFor: 'an operator: Import the domain' }).slice(0, 12)).toEqual([
    '**parked** at step 2 of 2 · cluster vienna · ticket CHG0001240',
    '',
    '### It waits for you: Import the domain',
    '- **What**: data center Default: it is not up',
    '- **Why**: its status is not_operational \\<problem\\> (`engine/data-center-not-up`, tried 2 times)',
    '- **What to do**: Bring it up, then retry.',
    '- **Then** *More Actions*, *Send an Update*, with your name as data: `{"by":"alice"}`',
    '- `retry`: try the step again, after the repair',
    '- `skip`: go on without this step',
    '- `abort`: stop, and take back in reverse order what can still be taken back',
    '- or in a shell: `npx bellwether operation retry|skip|abort upgrade/vienna/CHG0001240`',
    '',
  ]);
});

test('parked while it takes back: the commands mean something else', () => {
  const undo: StepView = { name: 'undo', title: 'Take it out again', state: 'parked', failure: FAILURE };
  const text = lines({ state: 'parked', undo: [undo], steps: [CHECK], actions: ['retry', 'skip'] });
  expect(text).toContain('### It waits for you: Take it out again');
  expect(text).toContain('- `retry`: try to take it back again, after the repair');
  expect(text).toContain('- `skip`: leave it as it is, and take back the rest');
  expect(text).toContain('| 1. Take it out again | ⏸ **parked** |  |');
});

test('ended: the outcome as a list, and no result twice', () => {
  const undo: StepView = { name: 'undo', title: 'Take it out again', state: 'undone', summary: 'the engine forgot it' };
  const outcome = 'The upgrade was aborted by me (*why*).\n\nTake it out again: the engine forgot it\n\nhost3 is slow';
  expect(lines({ state: 'aborted', outcome, steps: [CHECK], undo: [undo], actions: [] })).toEqual([
    '**aborted** · cluster vienna · ticket CHG0001240',
    '',
    '**The upgrade was aborted by me (\\*why\\*).**',
    '',
    '- Take it out again: the engine forgot it',
    '- host3 is slow',
    '',
    '| step | state | UTC |',
    '|:---|:---|:---|',
    '| 1. Check the engine | ✔ done | 15:04:06 |',
    '',
    '| taken back | state | UTC |',
    '|:---|:---|:---|',
    '| 1. Take it out again | ✔ undone |  |',
    '',
    '**Results**',
    '',
    '- **1** all is well',
  ]);
});

test('steps that were not needed say so in the table alone', () => {
  const steps = [{ ...REPORT, state: 'not-needed' as const, summary: 'no ticket asked for it' }];
  const text = lines({ steps });
  expect(text).toContain('| 1. Report to the ticket | – not needed |  |');
  expect(text.join('\n')).not.toContain('no ticket asked for it');
});
