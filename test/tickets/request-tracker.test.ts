/**
 * The round trip with a real ticket system: Request Tracker 5 sends its webhook when a change is approved, gets comments,
 * progress and states through its REST API, and an operator answers in the ticket.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { newSecret } from '../../infra/demo/ticket-desk.ts';
import { until } from '../../infra/processes.ts';
import { rtMissing, startRequestTracker, type RequestTracker } from '../../infra/request-tracker/server.ts';
import { sourcesFile } from '../../api/webhooks/source.ts';
import { followerId } from '../../workflows/model/ticket.ts';
import { sharedGround } from '../faults/shared-ground.ts';
import { openStage, type TestStage } from '../faults/stage.ts';

const LIMIT_MS = 150_000;
const CLUSTER = 'tickets';
const missing = rtMissing();
if (missing !== undefined) process.stderr.write(`skipped: ${missing}\n`);

const SOURCE = {
  name: 'rt',
  scheme: 'standard',
  tracker: 'rt',
  operators: ['alice'],
  mapping: {
    when: [
      { path: '/event', equals: 'status' },
      { path: '/to', equals: 'approved' },
    ],
    request: {
      operation: { path: '/ticket/operation', map: { 'Global maintenance on': 'global-maintenance' } },
      mode: 'on',
      cluster: { path: '/ticket/cluster' },
      ticket: { path: '/ticket/id', as: 'text', prefix: 'RT-' },
      reason: { path: '/ticket/subject', max: 250 },
    },
    answer: {
      when: [{ path: '/event', equals: 'comment' }],
      ticket: { path: '/ticket/id', as: 'text', prefix: 'RT-' },
      user: { path: '/user' },
      comment: { path: '/comment' },
    },
  },
};

const ticketShape = z.object({
  Status: z.string(),
  CustomFields: z.array(z.object({ name: z.string(), values: z.array(z.string()) })),
});
const commentsShape = z.object({
  items: z.array(z.object({ Subject: z.string(), Content: z.string(), Creator: z.object({ id: z.string() }) })),
});

let dir: string;
let rt: RequestTracker;
let stage: TestStage;
let broken = true;

async function open(): Promise<void> {
  const secret = newSecret();
  const secretFile = join(dir, 'webhook-secret');
  writeFileSync(secretFile, `${secret}\n`);
  stage = await openStage(sharedGround(), CLUSTER, {
    managed: true,
    sources: sourcesFile.parse([{ ...SOURCE, secretFiles: [secretFile] }]),
    trackers: [
      {
        name: 'rt',
        kind: 'rt',
        url: rt.url,
        prefix: 'RT-',
        answers: true,
        access: { tokenFile: rt.tokenFile('bellwether') },
        states: { running: 'open', parked: 'stalled', done: 'resolved', failed: 'open', aborted: 'rejected' },
        progressField: 'Bellwether',
      },
    ],
    wrapStep: () => (activity) => async (input) => {
      if (broken && Context.current().info.activityType === 'enterGlobalMaintenance') {
        const details = {
          subject: 'storage',
          what: 'it hangs',
          why: 'of a test',
          remedy: 'Mend it, then retry.',
          attempt: 1,
        };
        throw ApplicationFailure.create({
          message: 'hangs',
          type: 'test/hangs',
          nonRetryable: true,
          details: [details],
        });
      }
      return activity(input);
    },
  });
  const { url } = await stage.service();
  rt.sendTo(`${url}/webhooks/rt`, secret);
}

/** RT needs a third of a second of a processor for an answer: it must not be asked all the time. */
async function eventually(what: string, look: () => Promise<boolean>): Promise<void> {
  const paced = async () => (await look()) || sleep(1000, false);
  await until(what, paced, LIMIT_MS);
}

async function statusOf(ticket: number): Promise<string> {
  return ticketShape.parse(await rt.call('alice', 'GET', `/ticket/${ticket}`)).Status;
}

async function commentsOf(ticket: number) {
  const path = `/ticket/${ticket}/attachments?fields=Subject,Content,Creator&per_page=100`;
  return commentsShape.parse(await rt.call('alice', 'GET', path)).items;
}

/** Kinds of our comments, e.g. `accepted`. */
async function told(ticket: number): Promise<string[]> {
  const ours = (await commentsOf(ticket)).filter(({ Creator }) => Creator.id === 'bellwether');
  return ours.map(({ Subject }) => Subject.replace(/^.* (\S+)\]$/, '$1').replace(/^note-.*/, 'note'));
}

const say = (user: 'alice' | 'mallory', ticket: number, Content: string) =>
  rt.call(user, 'POST', `/ticket/${ticket}/comment`, { Content, ContentType: 'text/plain' });

describe.skipIf(missing !== undefined)('Request Tracker', { timeout: 2 * LIMIT_MS }, () => {
  beforeAll(async () => {
    dir = mkdtempSync(join(tmpdir(), 'bellwether-rt-'));
    rt = await startRequestTracker(join(dir, 'rt'));
    await open();
  }, 4 * LIMIT_MS);
  afterAll(async () => {
    await stage?.close();
    await rt?.stop();
    rmSync(dir, { recursive: true, force: true });
  });

  test('an approved change runs, parks, is answered in the ticket, and ends there', async () => {
    const made = await rt.call('alice', 'POST', '/ticket', {
      Queue: 'Changes',
      Subject: 'Storage firmware',
      CustomFields: { Operation: 'Global maintenance on', Cluster: CLUSTER },
    });
    const ticket = Number(z.object({ id: z.string() }).parse(made).id);
    const operation = `global-maintenance/${CLUSTER}/RT-${ticket}`;
    await rt.call('alice', 'PUT', `/ticket/${ticket}`, { Status: 'approved' });
    await eventually('the ticket to say that it is parked', async () => (await statusOf(ticket)) === 'stalled');
    expect(await told(ticket)).toEqual(['accepted', 'parked-1']);
    const [, parked] = await commentsOf(ticket);
    expect(parked?.Content).toContain('What: storage: it hangs');
    expect(parked?.Content).toContain('bellwether retry');

    broken = false;
    await say('mallory', ticket, 'bellwether retry I want it');
    await eventually('mallory to be told', async () => (await told(ticket)).includes('note'));
    const note = (await commentsOf(ticket)).find(({ Content }) => Content.includes('mallory may not'));
    expect(note?.Content).toContain('These may: alice');
    expect(await statusOf(ticket)).toBe('stalled');

    await say('alice', ticket, 'bellwether retry the firmware is in');
    await eventually('the ticket to end', async () => (await statusOf(ticket)) === 'resolved');
    // The follower has ended too: nothing more is coming.
    await stage.client.workflow.getHandle(followerId(operation)).result();
    expect(await told(ticket)).toEqual(['accepted', 'parked-1', 'note', 'ended']);
    expect(stage.lab.storage.globalMaintenance()).toBe(true);
    const { CustomFields } = ticketShape.parse(await rt.call('alice', 'GET', `/ticket/${ticket}`));
    expect(CustomFields.find(({ name }) => name === 'Bellwether')?.values[0]).toContain('State: done');
    const { events } = await stage.client.workflow.getHandle(operation).fetchHistory();
    const updates = (events ?? []).flatMap((event) => {
      const request = event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest;
      const [first] = request?.input?.args?.payloads ?? [];
      return request == null ? [] : [`${request.input?.name} ${Buffer.from(first?.data ?? []).toString()}`];
    });
    expect(updates).toEqual(['retry {"by":"webhook:rt:alice","reason":"the firmware is in"}']);
  });
});
