import { describe, expect, it } from 'vitest';
import type { StepView } from '../../workflows/model/operation.ts';
import { watchOperation, type Watched, type WatchOptions } from './watch.ts';

const T = '2026-11-21T14:00:00Z';
const step = (name: string, state: StepView['state'], change: Partial<StepView> = {}): StepView => ({
  name,
  title: `Do ${name}`,
  state,
  ...(state === 'pending' ? {} : { startedAt: T }),
  ...change,
});

const view = (change: Partial<Watched>): Watched => ({
  id: 'upgrade/Default/CHG1',
  operation: 'upgrade',
  cluster: 'Default',
  requestedBy: 'cli:alice',
  state: 'running',
  steps: [],
  undo: [],
  actions: [],
  startedAt: T,
  ...change,
});

/** Plays views (and errors) one after the other; the last one stays. */
async function watch(script: readonly (Watched | Error)[], options: WatchOptions = {}) {
  const lines: string[] = [];
  let at = 0;
  const fetchView = () => {
    const next = script[Math.min(at++, script.length - 1)];
    return next instanceof Error || next === undefined
      ? Promise.reject(next ?? new Error('empty'))
      : Promise.resolve(next);
  };
  const last = await watchOperation(fetchView, (line) => lines.push(line), { intervalMs: 1, ...options });
  return { last, lines, looks: at };
}

describe('watchOperation', () => {
  it('tells each change once, also those between two looks, until the end', async () => {
    const done = (name: string, summary: string) => step(name, 'done', { endedAt: '2026-11-21T14:00:02Z', summary });
    const { lines, last } = await watch([
      view({ state: 'queued', waitsFor: 'CHG0, step 4 of 13', steps: [step('a', 'pending'), step('b', 'pending')] }),
      view({ steps: [step('a', 'running'), step('b', 'pending')] }),
      view({ steps: [step('a', 'running'), step('b', 'pending')] }),
      view({ state: 'done', outcome: 'managed', steps: [done('a', 'one'), done('b', 'two')] }),
    ]);
    expect(last.state).toBe('done');
    expect(lines).toEqual([
      'upgrade/Default/CHG1  queued  (by cli:alice, started 14:00:00 UTC)',
      '          waits for: CHG0, step 4 of 13',
      '14:00:00  [1/2] a                         running                  Do a',
      '          upgrade/Default/CHG1 is running',
      '14:00:02  [1/2] a                         done              2.0 s  one',
      '14:00:02  [2/2] b                         done              2.0 s  two',
      '          upgrade/Default/CHG1 is done',
      '  outcome: managed',
    ]);
  });

  it('stops at a parked step with what to do, or goes through when asked', async () => {
    const failure = { type: 't', what: 'it failed', why: 'no room', remedy: 'Make room.', attempts: 2 };
    const parked = view({ state: 'parked', actions: ['retry'], steps: [step('a', 'parked', { failure })] });
    const script = [parked, view({ state: 'aborted', undo: [step('a', 'undone')] })];
    const stopped = await watch(script);
    expect([stopped.last.state, stopped.looks]).toEqual(['parked', 1]);
    expect(stopped.lines.join('\n')).toContain(
      'remedy:      Make room.\n        then:        npx bellwether operation retry',
    );
    const through = await watch(script, { throughParked: true });
    expect(through.last.state).toBe('aborted');
    expect(through.lines.join('\n')).toContain('undo [1/1] a');
  });

  it('ends when Temporal has ended the workflow, whatever its state says', async () => {
    const { last } = await watch([
      view({ execution: 'running' }),
      view({ execution: 'terminated', note: 'look at it' }),
    ]);
    expect(last.execution).toBe('terminated');
  });

  it('bears with errors that pass, once told, and gives up on others or when patience ends', async () => {
    const isTransient = (error: unknown) => error instanceof Error && error.message === 'away';
    const away = new Error('away');
    const { lines } = await watch([view({}), away, away, view({ state: 'done' })], { isTransient });
    expect(lines.filter((line) => line.includes('no answer'))).toHaveLength(1);
    expect(lines).toContain('          answers again');
    await expect(watch([view({}), new Error('gone')], { isTransient })).rejects.toThrow('gone');
    await expect(watch([away], { isTransient, patienceMs: 20 })).rejects.toThrow('away');
  });

  it('ends early on its signal, with the last view', async () => {
    const { last } = await watch([view({})], { signal: AbortSignal.timeout(30) });
    expect(last.state).toBe('running');
  });
});
