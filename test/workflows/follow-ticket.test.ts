/** The ticket is kept up to date whatever happens: the ticket system away, the worker gone, the operation terminated. */
import { Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { CounterpartError } from '../../activities/errors.ts';
import { followActivities } from '../../activities/tickets/follow.activities.ts';
import type { TicketComment, Tracker } from '../../activities/tickets/tracker.ts';
import { createTemporalPorts } from '../../api/operations/temporal.ts';
import { followerId, type TicketPhase, type TicketTold } from '../../workflows/model/ticket.ts';
import { record } from '../histories/store.ts';
import { eventually, Stage, type Upgrade } from './stage.ts';

/** In memory: what was written, per ticket; it can be away. */
class Desk implements Tracker {
  readonly name: string;
  readonly edits: boolean;
  readonly answers = true;
  readonly comments = new Map<string, TicketComment[]>();
  readonly states = new Map<string, TicketPhase[]>();
  readonly fields = new Map<string, string>();
  away = false;
  refused = 0;

  constructor(name: string, edits: boolean) {
    this.name = name;
    this.edits = edits;
  }

  #open(): void {
    if (!this.away) return;
    this.refused += 1;
    const facts = { type: 'tickets/refused', subject: this.name, what: 'no', why: 'away', remedy: 'Wait.' } as const;
    // As a wrong password would be: a person mends it, and it goes on.
    throw new CounterpartError({ ...facts, kind: this.refused % 2 === 0 ? 'retryable' : 'needs-operator' });
  }

  comment(ticket: string, comment: TicketComment): Promise<void> {
    this.#open();
    const before = this.comments.get(ticket) ?? [];
    const others = before.filter(({ kind }) => kind !== comment.kind);
    if (this.edits || others.length === before.length) this.comments.set(ticket, [...others, comment]);
    return Promise.resolve();
  }

  progress(ticket: string, text: string): Promise<void> {
    this.#open();
    this.fields.set(ticket, text);
    return Promise.resolve();
  }

  state(ticket: string, phase: TicketPhase): Promise<string | undefined> {
    this.#open();
    this.states.set(ticket, [...(this.states.get(ticket) ?? []), phase]);
    return Promise.resolve(phase === 'aborted' ? 'there is no such state' : undefined);
  }

  kinds(ticket: string): string[] {
    return (this.comments.get(ticket) ?? []).map(({ kind }) => kind.replace(/^note-.*/, 'note'));
  }

  text(ticket: string, kind: string): string {
    return (this.comments.get(ticket) ?? []).find((one) => one.kind === kind)?.text ?? '';
  }
}

let stage: Stage;
const editing = new Desk('editing', true);
const turning = new Desk('turning', false);
const LINKS = { temporalUi: (id: string) => `http://ui.example.test/${encodeURIComponent(id)}` };

beforeAll(async () => {
  stage = new Stage(await Connection.connect({ address: inject('temporal').address, connectTimeout: '5s' }));
  const trackers = new Map([editing, turning].map((desk) => [desk.name, desk]));
  stage.more = followActivities(stage.client, trackers, LINKS);
  await stage.startWorker();
});
afterAll(() => stage?.close());

const follower = (upgrade: Upgrade) =>
  stage.client.workflow.getHandle<() => Promise<TicketTold>>(followerId(upgrade.id));
const ticketOf = ({ request }: Upgrade) => request.ticket ?? '';

/** @returns an upgrade that is parked, and its ticket's number. */
async function parkedWith(tracker: string): Promise<{ upgrade: Upgrade; ticket: string }> {
  const upgrade = stage.upgrade({ tracker });
  upgrade.world.fail('importDomain', 'needs-operator');
  await stage.start(upgrade);
  await upgrade.parked();
  return { upgrade, ticket: ticketOf(upgrade) };
}

async function keep(name: string, upgrade: Upgrade): Promise<number> {
  const history = await follower(upgrade).fetchHistory();
  if (process.env['UPDATE_REPLAY_HISTORIES'] === '1') record('followTicket', name, history);
  return history.events?.length ?? 0;
}

describe('the ticket of an operation', () => {
  test('has one comment, edited; the ticket system away and the worker gone lose nothing', async () => {
    editing.away = true;
    const { upgrade, ticket } = await parkedWith('editing');
    // The operation went on without the ticket.
    await eventually('the ticket system to be asked in vain', async () => editing.refused >= 3);
    expect(editing.kinds(ticket)).toEqual([]);
    await stage.stopWorker();
    editing.away = false;
    await stage.startWorker();
    await eventually('the ticket to be told', async () =>
      editing.text(ticket, 'status').includes('waits for a person'),
    );
    expect(editing.kinds(ticket)).toEqual(['status']);
    expect(editing.text(ticket, 'status')).toContain(
      `Temporal UI: http://ui.example.test/${encodeURIComponent(upgrade.id)}`,
    );
    expect(editing.text(ticket, 'status')).toContain(' 7. WAITS Import the hosted-engine storage domain');
    upgrade.world.heal('importDomain');
    await upgrade.act('retry');
    expect(await follower(upgrade).result()).toMatchObject({ phase: 'done', parkings: 1 });
    expect(editing.kinds(ticket)).toEqual(['status']);
    expect(editing.text(ticket, 'status')).toContain('is done.');
    expect(editing.states.get(ticket)?.at(-1)).toBe('done');
    // A look is no line of the history: each thing told costs nine at most.
    expect(await keep('away-then-done', upgrade)).toBeLessThan(200);
    // The step of old has nothing to say.
    expect((await upgrade.view()).steps.at(-1)).toMatchObject({ name: 'report', state: 'not-needed' });
  });

  test('has a comment for each turn of events where none can be edited, and answers for people', async () => {
    const { upgrade, ticket } = await parkedWith('turning');
    await eventually('the ticket to be told', async () => turning.kinds(ticket).includes('parked-1'));
    expect(turning.text(ticket, 'parked-1')).toContain('What to do: Tell it not to.');
    expect(turning.text(ticket, 'parked-1')).toContain('  bellwether retry\n  bellwether abort');
    const { followers } = createTemporalPorts({ client: stage.client, taskQueue: stage.taskQueue });
    for (let times = 0; times < 2; times += 1) {
      expect(await followers.tell(upgrade.id, { id: 'd1', text: 'You may not.' })).toEqual({ outcome: 'told' });
    }
    // Fails again: a second parking is news.
    await upgrade.act('retry');
    await eventually('the second parking', async () => turning.kinds(ticket).includes('parked-2'));
    await upgrade.act('abort', { by: 'alice', reason: 'not today' });
    const told = await follower(upgrade).result();
    expect(told).toMatchObject({ phase: 'aborted', parkings: 2, problem: 'there is no such state' });
    expect(turning.kinds(ticket).toSorted()).toEqual(['accepted', 'ended', 'note', 'parked-1', 'parked-2']);
    expect(turning.text(ticket, 'ended')).toContain('aborted by alice (not today)');
    expect(turning.fields.get(ticket)).toContain('State: aborted');
    expect(upgrade.world.reported).toEqual([]);
    await keep('parked-twice-aborted', upgrade);
  });

  test('is told of an operation that was terminated', async () => {
    const { upgrade, ticket } = await parkedWith('turning');
    await eventually('the ticket to be told', async () => turning.kinds(ticket).includes('parked-1'));
    await upgrade.handle.terminate('a test');
    expect(await follower(upgrade).result()).toMatchObject({ phase: 'failed' });
    expect(turning.text(ticket, 'ended')).toContain('ended by Temporal before its end');
  });
});
