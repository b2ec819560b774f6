/** Operations that run while Bellwether is upgraded must go on: today's code has to replay what older code did. */
import { hostname } from 'node:os';
import { Worker, type ReplayResult } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import * as workflows from '../../workflows/index.ts';
import '../workflows/quiet.ts';
import { historyText, readHistory, recordedHistories } from './store.ts';

type History = ReturnType<typeof readHistory>;

const files = recordedHistories();

/** Errors by name; undefined: it replays. */
async function replay(histories: readonly { name: string; history: History }[]): Promise<Map<string, ReplayResult>> {
  const options = { workflowBundle: { codePath: inject('bundleFile') } };
  const list = histories.map(({ name, history }) => ({ workflowId: name, history }));
  const results = new Map<string, ReplayResult>();
  for await (const result of Worker.runReplayHistories(options, list)) results.set(result.workflowId, result);
  return results;
}

/** All that is readable in the file, payloads included. */
function plainText(file: string): string {
  const text = historyText(file);
  const payloads = [...text.matchAll(/"data":"([A-Za-z0-9+/=]*)"/g)].map((match) => Buffer.from(match[1] ?? '', 'base64').toString());
  return [text, ...payloads].join('\n');
}

describe('recorded histories', () => {
  let results: Map<string, ReplayResult>;
  beforeAll(async () => {
    results = await replay(files.map((name) => ({ name, history: readHistory(name) })));
  });

  test.each(files)('%s replays', (file) => {
    const result = results.get(file);
    expect(result).toBeDefined();
    expect(result?.error).toBeUndefined();
  });

  test('are there for every workflow', () => {
    for (const workflow of Object.keys(workflows)) {
      expect(files.filter((file) => file.startsWith(`${workflow}/`))).not.toEqual([]);
    }
  });

  test.each(files)('%s tells nothing of the machine that recorded it', (file) => {
    // Where libvirt has a guest's channels and our worker its bundle, on every host.
    const text = plainText(file).replaceAll(/\/(var\/lib\/libvirt\/qemu|(?:usr|var)\/lib\/bellwether-host)\b/g, '');
    expect(text).not.toMatch(/(^|["\s(:])\/(tmp|home|root|work|usr|var)\//);
    expect(text).not.toContain('"identity"');
    expect(text).not.toContain(`@${hostname()}`);
    expect(text).not.toContain('host-root-password');
    expect(text.length).toBeLessThan(350_000);
  });
});

describe('a replay fails', () => {
  const done = () => readHistory(files.find((file) => /^upgrade.*\/done\.json$/.test(file)) ?? 'no done.json');

  /** The history of another program: one that runs the activities in another order. */
  function reordered(history: History): History {
    const swap: Record<string, string> = { importDomain: 'awaitDomainActive', awaitDomainActive: 'importDomain' };
    for (const event of history.events ?? []) {
      const type = event.activityTaskScheduledEventAttributes?.activityType;
      if (type?.name) type.name = swap[type.name] ?? type.name;
    }
    return history;
  }

  test('when steps come in another order', async () => {
    const results = await replay([{ name: 'reordered', history: reordered(done()) }]);
    expect(results.get('reordered')?.error).toBeInstanceOf(DeterminismViolationError);
  });

  test('when a message would be understood otherwise', async () => {
    const parked = readHistory(files.find((file) => /^upgrade.*\/parked\.json$/.test(file)) ?? 'no parked.json');
    for (const event of parked.events ?? []) {
      const input = event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input;
      if (input?.name === 'retry') input.name = 'abort';
    }
    const results = await replay([{ name: 'other message', history: parked }]);
    expect(results.get('other message')?.error).toBeInstanceOf(DeterminismViolationError);
  });
});
