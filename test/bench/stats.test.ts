import { createServer } from 'node:http';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UPGRADE_STEPS } from '../../workflows/model/upgrade.ts';
import { runBody } from '../../workflows/steps/definition.ts';
import { runUpgrade } from '../../workflows/upgrade/steps.ts';
import { PlainRunner } from './plain-runner.ts';
import { closedLoop, keepAlive, post } from './senders.ts';
import { median, quantile } from './stats.ts';
import { idleActivities } from './steps.ts';

describe('order statistics', () => {
  it('take a value of the sample, with the right share of it below', () => {
    const sample = fc.array(fc.integer(), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(sample, fc.double({ min: 0.01, max: 1, noNaN: true }), (values, q) => {
        const value = quantile(values, q);
        const notAbove = values.filter((other) => other <= value).length;
        const below = values.filter((other) => other < value).length;
        expect(values).toContain(value);
        expect(notAbove).toBeGreaterThanOrEqual(q * values.length);
        expect(below).toBeLessThan(q * values.length);
      }),
    );
    expect(() => quantile([], 0.5)).toThrow(RangeError);
  });

  it('know the middle of odd and even samples', () => {
    expect([median([3]), median([5, 1, 3]), median([4, 1, 2, 3]), median([1, 2])]).toEqual([3, 3, 2.5, 1.5]);
  });
});

describe('the closed loop', () => {
  it('keeps each sender busy, never more than that many, and counts what went wrong', async () => {
    let now = 0;
    let most = 0;
    const server = createServer((request, response) => {
      now += 1;
      most = Math.max(most, now);
      request.resume();
      request.on('end', () => {
        setImmediate(() => {
          now -= 1;
          response.writeHead(request.headers['x-index'] === '7' ? 500 : 202).end();
        });
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const url = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
    const agent = keepAlive(4);
    const send = async (index: number) => (await post(agent, url, { 'x-index': String(index) }, 'body')) === 202;
    const sent = await closedLoop(4, 40, 10_000, send);
    agent.destroy();
    server.close();
    expect(sent).toMatchObject({ requests: 40, senders: 4, failed: 1 });
    expect(most).toBeLessThanOrEqual(4);
    expect(sent.p99Ms).toBeGreaterThanOrEqual(sent.p50Ms);
  });

  it('ends at its limit', async () => {
    const sent = await closedLoop(1, 1_000_000, 50, async () => new Promise((resolve) => setImmediate(resolve, true)));
    expect(sent.requests).toBeLessThan(1_000_000);
  });
});

describe('the plain runner', () => {
  it('runs the very steps of the upgrade, in their order', async () => {
    const runner = new PlainRunner(idleActivities('plain'));
    const call = { operationId: 'upgrade/Default/K', cluster: 'Default', startedAt: '2026-11-21T14:00:00Z' };
    const summary = await runBody({ body: runUpgrade }, runner, call, {
      version: 1,
      operation: 'upgrade',
      cluster: 'Default',
      key: 'K',
      ticket: 'K',
      requestedBy: 'test',
      ifBusy: 'queue',
      source: 'auto',
    });
    expect(summary.state).toBe('done');
    expect(runner.ran).toEqual(UPGRADE_STEPS.map((step) => step.name));
  });
});
