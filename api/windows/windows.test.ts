/** Windows on a real Temporal: what is reckoned is what Temporal does, and each route says what it did. */
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { matchingTimes } from '../../workflows/model/calendar.ts';
import type { WindowDefinition } from '../../workflows/model/window.ts';
import { until } from '../../infra/processes.ts';
import { createApp, type FrontDoor } from '../app.ts';
import { createTemporalPorts } from '../operations/temporal.ts';
import { problemDetails } from '../schemas/problem.ts';
import { windowList, windowPreview, windowReport } from '../schemas/window.ts';
import { startTestDoor, type TestDoor } from '../testing/door.ts';
import { scheduleOf } from './temporal-spec.ts';
import { createWindowDesk } from './temporal-windows.ts';
import { readCron } from './when.ts';

/** No worker: an opening stays open. */
const TASK_QUEUE = 'nobody';

let door: TestDoor;
let app: FrontDoor;
beforeAll(async () => {
  door = await startTestDoor();
  const patient = { serverDeadlineMs: 5000 };
  app = createApp({
    ...door.ports,
    ...createTemporalPorts({ client: door.client, taskQueue: TASK_QUEUE, ...patient }),
  });
});
afterAll(() => door?.stop());

const call = async (path: string, init: RequestInit = {}) => app.request(path, init);
const post = (path: string, body: object) =>
  call(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-requested-by': 'cli:alice' },
    body: JSON.stringify(body),
  });
const SAT = {
  cluster: 'Default',
  name: 'sat',
  every: 'sat 22:00',
  timeZone: 'Europe/Berlin',
  lengthMinutes: 240,
  operations: [{ operation: 'backup', keep: 3 }],
};
const errorsOf = async (body: object) => {
  const response = await post('/windows?dryRun=true', { ...SAT, ...body });
  expect(response.status).toBe(422);
  const { errors = [] } = problemDetails.parse(await response.json());
  for (const error of errors) expect(error.remedy ?? '').not.toBe('');
  return errors.map(({ path, what }) => `${path}: ${what}`);
};

describe('a window', () => {
  it('is created, shown, listed, previewed, paused, resumed and deleted', async () => {
    const created = await post('/windows', { ...SAT, except: ['2099-12-24'], ticket: 'CHG1' });
    expect(created.status).toBe(201);
    const window = windowReport.parse(await created.json());
    expect(window).toMatchObject({
      id: 'window/Default/sat',
      catchUpMinutes: 120,
      createdBy: 'cli:alice',
      open: false,
    });
    expect(window.next?.local).toMatch(/^Sat .* 22:00 \+0[12]:00$/);
    expect((await post('/windows', SAT)).status).toBe(409);

    const description = await door.client.schedule.getHandle('window/Default/sat').describe();
    expect(description.policies).toMatchObject({ overlap: 'SKIP', catchupWindow: 120 * 60_000 });

    const preview = windowPreview.parse(await (await call('/windows/Default/sat/preview')).json());
    expect(preview).toMatchObject({ computedBy: 'temporal', timeZone: 'Europe/Berlin' });
    expect(preview.openings).toHaveLength(10);
    const dry = windowPreview.parse(await (await post('/windows?dryRun=true', { ...SAT, name: 'dry' })).json());
    expect(dry.openings).toEqual(preview.openings);
    expect((await call('/windows/Default/dry')).status).toBe(404);

    const pause = await post('/windows/Default/sat/pause', { by: 'alice', reason: 'moving house' });
    expect(await pause.json()).toEqual({ id: 'window/Default/sat', action: 'pause', note: 'alice: moving house' });
    const list = async () => windowList.parse(await (await call('/windows?cluster=Default')).json()).windows;
    await until('the list to have it', async () => (await list()).length === 1, 60_000);
    expect((await list())[0]).toMatchObject({ name: 'sat', paused: 'alice: moving house' });
    expect(
      (
        await call('/windows/Default/sat/pause', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: '{"by":"a"}',
        })
      ).status,
    ).toBe(422);
    expect((await post('/windows/Default/sat/resume', { by: 'bob' })).status).toBe(200);
    expect(windowReport.parse(await (await call('/windows/Default/sat')).json()).paused).toBeUndefined();

    const ics = await call('/windows.ics?cluster=Default&name=sat');
    expect(ics.headers.get('content-type')).toContain('text/calendar');
    const text = await ics.text();
    expect(text.match(/BEGIN:VEVENT\r\n/g)).toHaveLength(20);
    expect(text).toContain(`DTSTART:${(window.next?.opensAt ?? '').replaceAll(/[-:]|\.000/g, '')}`);

    expect((await call('/windows/Default/sat', { method: 'DELETE' })).status).toBe(200);
    expect((await call('/windows/Default/sat', { method: 'DELETE' })).status).toBe(404);
  });

  it('is opened by hand once, and not while it is open', async () => {
    await post('/windows', { ...SAT, name: 'now', globalMaintenance: false });
    const run = () => post('/windows/Default/now/run-now', { by: 'alice' });
    expect((await run()).status).toBe(200);
    const open = async () => windowReport.parse(await (await call('/windows/Default/now')).json()).open;
    await until('it to be open', open, 60_000);
    const again = await run();
    expect([again.status, problemDetails.parse(await again.json()).type]).toEqual([409, '/problems/window-open']);
    await until(
      'the opening to be listed',
      async () => windowReport.parse(await (await call('/windows/Default/now')).json()).last.length === 1,
      10_000,
    );
    await call('/windows/Default/now', { method: 'DELETE' });
  });

  it('is marked where a freeze leaves openings out', async () => {
    const next = windowPreview.parse(await (await post('/windows?dryRun=true', SAT)).json()).openings[1];
    const day = next?.local.slice(4, 14) ?? '';
    const ics = `BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:Audit\r\nDTSTART;VALUE=DATE:${day.replaceAll('-', '')}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`;
    await post('/windows', { ...SAT, name: 'frozen', freezes: [ics] });
    const seen = windowPreview.parse(await (await call('/windows/Default/frozen/preview')).json());
    expect(seen.openings.map(({ skipped }) => skipped)).toEqual([undefined, 'freeze Audit', ...Array<undefined>(8)]);
    await call('/windows/Default/frozen', { method: 'DELETE' });
  });
});

describe('bad input is told by field, with what to do', () => {
  it.each([
    [{ timeZone: 'Mars/Olympus' }, 'timeZone: "Mars/Olympus" is no time zone'],
    [{ timeZone: '+02:00' }, 'timeZone: "+02:00" is no time zone'],
    [{ lengthMinutes: 0 }, 'lengthMinutes: a window of no length: give at least a minute, e.g. 240'],
    [{ every: undefined, at: '2020-01-04 22:00' }, 'at: the window is past'],
    [
      { every: undefined, cron: '0 22 31 2 *' },
      'cron: it never opens: no day matches, or freezes leave out each of them',
    ],
    [{ every: 'sometimes' }, 'every: "sometimes" is no day and time'],
    [{ cron: '0 22 * * 6' }, 'every: it must be said in one way when the window opens'],
    [{ catchUpMinutes: 240 }, 'catchUpMinutes: as long as the window: a missed opening would begin where it ends'],
    [{ except: ['2020-12-24'] }, 'except.0: 2020-12-24 is past: it excepts nothing'],
    [{ except: ['2099-02-30'] }, 'except.0: "2099-02-30" names no days'],
    [{ freezes: ['no calendar'] }, /^freezes\.0: the calendar can’t be read/],
    [{ operations: [] }, 'operations: names no operation to run'],
    [{ operations: [{ operation: 'dance' }] }, /^operations\.0\.operation: /],
    [{ operations: [{ operation: 'backup', key: 'x' }] }, 'operations.0.key: each opening gives it its own'],
    [
      { operations: [{ operation: 'global-maintenance', mode: 'on' }] },
      'operations.0.operation: a window ends global maintenance itself',
    ],
  ])('%j', async (body, wanted) => {
    const [first] = await errorsOf(body);
    if (typeof wanted === 'string') expect(first).toBe(wanted);
    else expect(first).toMatch(wanted);
  });
});

/**
 * East of Greenwich, Temporal's server (1.32) doubles the hour before the one that comes twice, and has that one once: a
 * window at 02:30 in Berlin opens at the second 02:30 of that night. The preview of a window shows what it will do.
 */
function clocksGoBack(timeZone: string, at: number): boolean {
  const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
  const offset = (time: number) => {
    const name = format.formatToParts(time).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const [, sign, hours = '0', minutes = '0'] = /GMT([+-])(\d+):(\d+)/.exec(name) ?? [];
    return (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -1 : 1);
  };
  const nearMs = 4 * 3_600_000;
  return offset(at - nearMs) > offset(at + nearMs);
}

describe('our reckoning', () => {
  const zone = fc.constantFrom(
    'Europe/Berlin',
    'America/New_York',
    'Asia/Kolkata',
    'Australia/Sydney',
    'Etc/UTC',
    'America/St_Johns',
  );
  const field = (min: number, max: number) =>
    fc.oneof(
      fc.constant('*'),
      fc.integer({ min, max }).map(String),
      fc
        .tuple(fc.integer({ min, max }), fc.integer({ min, max }))
        .map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
    );
  const cron = fc
    .tuple(
      fc.integer({ min: 0, max: 59 }),
      fc.oneof(fc.constantFrom('1', '2', '0-3'), field(0, 23)),
      field(1, 28),
      field(1, 12),
      field(0, 6),
    )
    .map((fields) => fields.join(' '));
  /** Weeks in which clocks change, somewhere. */
  const start = fc
    .constantFrom('2027-03-27', '2026-10-24', '2027-11-06', '2027-03-13', '2027-04-03', '2028-02-27')
    .map((day) => Date.parse(day));

  it('is Temporal’s, over changes of the clocks too', async () => {
    const desk = createWindowDesk(door.client, TASK_QUEUE, {
      serverDeadlineMs: 5000,
      queryDeadlineMs: 1,
      updateDeadlineMs: 1,
    });
    let count = 0;
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(zone, cron, start, async (timeZone, line, from) => {
        const rule = readCron(line);
        if (!rule.ok) throw new Error(rule.what);
        const name = `p${(count += 1)}`;
        const definition: WindowDefinition = {
          version: 1,
          cluster: 'Default',
          name,
          when: line,
          timeZone,
          calendars: [rule.value],
          lengthMinutes: 60,
          jitterMinutes: 0,
          catchUpMinutes: 30,
          overlap: 'skip',
          freezes: [],
          globalMaintenance: false,
          operations: [],
          createdBy: 'test',
          createdAt: '',
        };
        const timing = { firstRetryMs: 1, maxRetryMs: 1, stepPatienceMs: 1, heartbeatMs: 1 };
        const to = from + 16 * 86_400_000;
        await door.client.schedule.create({
          ...scheduleOf({ definition, timing }, TASK_QUEUE, []),
          state: { paused: true },
        });
        const reply = await desk.times('Default', name, new Date(from), new Date(to));
        await desk.remove('Default', name);
        const ours: number[] = [];
        for (const at of matchingTimes([rule.value], timeZone, from)) {
          if (at > to) break;
          ours.push(at);
        }
        if (reply.outcome !== 'listed') throw new Error(`Temporal: ${reply.outcome}`);
        const usual = (at: number) => !clocksGoBack(timeZone, at);
        compared += ours.filter(usual).length;
        expect(reply.times.filter(usual)).toEqual(ours.filter(usual));
      }),
      { numRuns: 40 },
    );
    expect(compared).toBeGreaterThan(40);
  });
});
