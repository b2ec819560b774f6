import { afterEach, describe, expect, test, vi } from 'vitest';
import type { OperationSummary } from '../ports.ts';
import { createStreams, digestOf } from './events.ts';
import { createOperationsFeed } from './operations-feed.ts';

const clock = () => new Date();
const row: OperationSummary = {
  id: 'backup/Default/1',
  operation: 'backup',
  cluster: 'Default',
  state: 'running',
  execution: 'running',
  started: '2026-11-21T14:00:00.000Z',
};

afterEach(() => vi.useRealTimers());

/** A stream whose parts the test tells. */
function openOne(streams: ReturnType<typeof createStreams>, seen = '', untilMs = Date.now() + 60_000) {
  let tell: (part: string) => void = () => {};
  let left = 0;
  const join = (teller: (part: string) => void) => {
    tell = teller;
    return () => void left++;
  };
  const response = streams.open(join, seen, untilMs);
  return { response, tell: (part: string) => tell(part), left: () => left };
}

describe('streams', () => {
  test('a part is told once; who comes back with its id is told only what is new', async () => {
    const streams = createStreams(2, clock);
    const one = openOne(streams, digestOf('<p>old</p>'));
    for (const part of ['<p>old</p>', '<p>new\nline</p>', '<p>new\nline</p>']) one.tell(part);
    streams.close();
    const text = await one.response?.text();
    expect(text).toBe(
      `retry: 2000\n\nid: ${digestOf('<p>new\nline</p>')}\nevent: part\ndata: <p>new\ndata: line</p>\n\n`,
    );
    expect(one.left()).toBe(1);
  });

  test('are bounded; one that ends or whose reader goes makes room, and none begins after the close', async () => {
    const streams = createStreams(2, clock);
    const [first, second, third] = [openOne(streams), openOne(streams), openOne(streams)];
    expect(second.response?.headers.get('content-type')).toBe('text/event-stream');
    expect(third.response).toBeUndefined();
    await first.response?.body?.cancel();
    expect(first.left()).toBe(1);
    const fourth = openOne(streams);
    expect(fourth.response).toBeDefined();
    streams.close();
    await second.response?.text();
    expect(openOne(streams).response).toBeUndefined();
  });

  test('end with the session, and a reader that does not read is cut', async () => {
    vi.useFakeTimers();
    const streams = createStreams(5, clock);
    const timed = openOne(streams, '', Date.now() + 1000);
    vi.advanceTimersByTime(1001);
    expect(timed.left()).toBe(1);
    const slow = openOne(streams);
    for (let index = 0; index < 200; index++) slow.tell(`<p>${index}</p>`);
    expect(slow.left()).toBe(1);
  });
});

describe('the feed', () => {
  test('one poller for all listeners of a cluster, and none without; silence keeps what was seen', async () => {
    vi.useFakeTimers();
    let lists = 0;
    let silent = false;
    const feed = createOperationsFeed({
      reader: {
        list: () => {
          lists++;
          return Promise.resolve(
            silent ? { outcome: 'unavailable', why: 'away' } : { outcome: 'listed', operations: [row] },
          );
        },
        show: () => Promise.resolve({ outcome: 'unknown' }),
        missing: () => Promise.resolve(undefined),
      },
      clock,
      everyMs: 1000,
    });
    const told: string[] = [];
    const leave = ['a', 'b', 'c'].map((name) =>
      feed.listen('Default', undefined, ({ operations, failure }) =>
        told.push(`${name} ${operations.length} ${failure ?? ''}`),
      ),
    );
    await vi.advanceTimersByTimeAsync(2500);
    expect(lists).toBe(3);
    expect(told.slice(0, 3)).toEqual(['a 1 ', 'b 1 ', 'c 1 ']);
    silent = true;
    await vi.advanceTimersByTimeAsync(1000);
    expect(told.at(-1)).toBe('c 1 away');
    for (const go of leave) go();
    await vi.advanceTimersByTimeAsync(1000);
    const before = lists;
    await vi.advanceTimersByTimeAsync(10_000);
    expect(lists).toBe(before);
  });
});
