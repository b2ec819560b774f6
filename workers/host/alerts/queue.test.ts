import { afterEach, describe, expect, it } from 'vitest';
import { CounterpartError, type ErrorKind } from '../../../activities/errors.ts';
import { createQueue, type Job, type Queue, type QueueOptions } from './queue.ts';
import { until } from './testing.ts';

const logged: string[] = [];
const open: Queue[] = [];
afterEach(() => {
  for (const queue of open.splice(0)) queue.close();
  logged.length = 0;
});

function queue(more: Partial<QueueOptions> = {}): Queue {
  const made = createQueue({
    name: 'mail',
    limit: 3,
    timeoutMs: 5000,
    pausesMs: [1, 1],
    log: (level, text) => logged.push(`${level} ${text}`),
    ...more,
  });
  open.push(made);
  return made;
}

/** Fails as often as told, then is sent. */
function job(name: string, sent: string[], failures = 0, kind: ErrorKind = 'retryable'): Job & { tries: number } {
  const made = {
    name,
    tries: 0,
    send: async () => {
      made.tries += 1;
      if (made.tries <= failures) {
        throw new CounterpartError({ type: 't', kind, subject: 's', what: 'w', why: 'no', remedy: 'r' });
      }
      sent.push(name);
    },
  };
  return made;
}

describe('the queue', () => {
  it('sends in order, after the caller has gone on', async () => {
    const sent: string[] = [];
    const mails = queue();
    for (const name of ['a', 'b', 'c']) mails.push(job(name, sent));
    expect(sent).toEqual([]);
    expect(await mails.flush(1000)).toBe(true);
    expect(sent).toEqual(['a', 'b', 'c']);
    expect(logged).toEqual([]);
  });

  it('tries again, then gives up with a line in the log, and goes on with the next', async () => {
    const sent: string[] = [];
    const mails = queue();
    const [twice, always] = [job('twice', sent, 2), job('always', sent, 9)];
    let lost = 0;
    mails.push(twice);
    mails.push({ ...always, lost: () => (lost += 1) });
    mails.push(job('next', sent));
    expect(await mails.flush(2000)).toBe(true);
    expect(sent).toEqual(['twice', 'next']);
    expect([twice.tries, always.tries, lost]).toEqual([3, 3, 1]);
    expect(logged).toContain('info mail: twice was sent at try 3');
    expect(logged.at(-1)).toContain('mail: always was dropped: s: w: no');
  });

  it('does not repeat what was refused for good', async () => {
    const refused = job('refused', [], 9, 'needs-operator');
    const mails = queue();
    mails.push(refused);
    await mails.flush(1000);
    expect(refused.tries).toBe(1);
  });

  it('drops the oldest that waits when it is full', async () => {
    const sent: string[] = [];
    const mails = queue();
    for (const name of ['a', 'b', 'c', 'd', 'e']) mails.push(job(name, sent));
    await mails.flush(1000);
    expect(sent).toEqual(['c', 'd', 'e']);
    expect(logged).toEqual([
      'warn mail: a was dropped: more than 3 wait',
      'warn mail: b was dropped: more than 3 wait',
    ]);
  });

  it('leaves a send behind that does not end when its time is over', async () => {
    const sent: string[] = [];
    const mails = queue({ timeoutMs: 30, pausesMs: [] });
    let told: AbortSignal | undefined;
    mails.push({
      name: 'hung',
      send: (signal) => {
        told = signal;
        return new Promise(() => undefined);
      },
    });
    mails.push(job('next', sent));
    expect(await mails.flush(2000)).toBe(true);
    expect([sent, told?.aborted]).toEqual([['next'], true]);
    expect(logged).toEqual(['warn mail: hung was dropped: no end within 0.03 s']);
  });

  it('ends at once when closed, with a line for each that was not sent', async () => {
    const mails = queue({ pausesMs: [60_000] });
    let signal: AbortSignal | undefined;
    mails.push({
      name: 'running',
      send: (given) => {
        signal = given;
        return new Promise(() => undefined);
      },
    });
    mails.push(job('waiting', []));
    await until('the first is being sent', () => signal !== undefined);
    expect(await mails.flush(1)).toBe(false);
    mails.close();
    mails.push(job('late', []));
    expect(await mails.flush(1000)).toBe(true);
    expect(signal?.aborted).toBe(true);
    expect(new Set(logged.map((line) => line.split(' ')[2]))).toEqual(new Set(['late', 'running', 'waiting']));
  });

  it('ends a pause between tries when closed', async () => {
    const mails = queue({ pausesMs: [60_000] });
    mails.push(job('failing', [], 9));
    await until('the first try failed', () => logged.length === 1);
    mails.close();
    expect(await mails.flush(1000)).toBe(true);
    expect(logged.at(-1)).toBe('warn mail: failing was dropped: the worker stops');
  });
});
