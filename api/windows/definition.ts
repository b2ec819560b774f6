/** From a window's request to its definition: every mistake with its field, why, and what to write instead. */
import { parseVmConf } from '../../activities/ovf/vm-conf.ts';
import { isTimeZone, type CalendarRule } from '../../workflows/model/calendar.ts';
import {
  nextOpening,
  type WindowDefinition,
  type WindowFreeze,
  type WindowOperation,
} from '../../workflows/model/window.ts';
import type { ProblemError } from '../problems.ts';
import { operationBody } from '../schemas/request.ts';
import type { WindowBody } from '../schemas/window.ts';
import { FREEZES_MAX, readCalendar, readExcept } from './freezes.ts';
import { readAt, readCron, readEvery, type Read } from './when.ts';

export type ReadDefinition =
  | { readonly ok: true; readonly definition: WindowDefinition }
  | { readonly ok: false; readonly errors: readonly ProblemError[] };

/** A list that remembers what was wrong. */
class Reader {
  readonly errors: ProblemError[] = [];

  wrong(path: string, what: string, remedy: string): void {
    this.errors.push({ path, what, remedy });
  }

  take<T>(path: string, read: Read<T>): T | undefined {
    if (read.ok) return read.value;
    this.wrong(path, read.what, read.remedy);
    return undefined;
  }
}

interface When {
  readonly text: string;
  readonly path: string;
  readonly rule: CalendarRule | undefined;
}

function whenOf(body: WindowBody, reader: Reader): When {
  const ways = [
    ['every', body.every, readEvery],
    ['cron', body.cron, readCron],
    ['at', body.at, readAt],
  ] as const;
  const given = ways.flatMap(([path, text, read]) => (text === undefined ? [] : [{ path, text, read }]));
  const [only] = given;
  if (only === undefined || given.length > 1) {
    reader.wrong('every', 'it must be said in one way when the window opens', 'Give one of every, cron and at.');
    return { text: '', path: 'every', rule: undefined };
  }
  const { path, text, read } = only;
  return { text: `${path} ${text.trim()}`, path, rule: reader.take(path, read(text)) };
}

function freezesOf(body: WindowBody, zone: string, now: Date, reader: Reader): WindowFreeze[] {
  const days = body.except.flatMap((text, index) => {
    const freeze = reader.take(`except.${index}`, readExcept(text, zone));
    if (freeze === undefined) return [];
    if (Date.parse(freeze.to) > now.getTime()) return [freeze];
    reader.wrong(`except.${index}`, `${text} is past: it excepts nothing`, 'Leave it out, or check the year.');
    return [];
  });
  const events = body.freezes.flatMap(
    (text, index) => reader.take(`freezes.${index}`, readCalendar(text, zone, now)) ?? [],
  );
  const all = [...days, ...events].toSorted((a, b) => (a.from < b.from ? -1 : 1));
  if (all.length > FREEZES_MAX) reader.wrong('freezes', `${all.length} freezes`, `At most ${FREEZES_MAX} altogether.`);
  return all;
}

const KEYS_OF_ITS_OWN = ['key', 'ticket', 'version'];

function operationOf(item: Record<string, unknown>, index: number, body: WindowBody, reader: Reader) {
  const at = `operations.${index}`;
  for (const name of KEYS_OF_ITS_OWN.filter((one) => Object.hasOwn(item, one)))
    reader.wrong(`${at}.${name}`, 'each opening gives it its own', 'Leave it out; a ticket belongs to the window.');
  if (item['operation'] === 'global-maintenance') {
    reader.wrong(
      `${at}.operation`,
      'a window ends global maintenance itself',
      'Set "globalMaintenance": true instead.',
    );
    return [];
  }
  if (item['cluster'] !== undefined && item['cluster'] !== body.cluster)
    reader.wrong(`${at}.cluster`, `it is of another cluster than the window’s ${body.cluster}`, 'Leave it out.');
  const read = operationBody.safeParse({ ...item, cluster: body.cluster });
  if (!read.success) {
    for (const issue of read.error.issues)
      reader.wrong([at, ...issue.path.map(String)].join('.'), issue.message, 'See OperationRequest in /openapi.json.');
    return [];
  }
  const { key: _key, ticket: _ticket, ...asked } = read.data;
  if (asked.operation === 'upgrade' && asked.vmConf !== undefined) {
    const conf = parseVmConf(asked.vmConf);
    if (!conf.ok) reader.wrong(`${at}.vmConf`, 'the vm.conf can’t be used', 'Try it: npx bellwether convert FILE.');
  }
  return [asked];
}

function catchUpOf({ lengthMinutes, catchUpMinutes }: WindowBody, reader: Reader): number {
  if (catchUpMinutes !== undefined && catchUpMinutes >= lengthMinutes)
    reader.wrong(
      'catchUpMinutes',
      'as long as the window: a missed opening would begin where it ends',
      `Below ${lengthMinutes}.`,
    );
  return catchUpMinutes ?? Math.max(1, Math.floor(lengthMinutes / 2));
}

function checkOpens(definition: WindowDefinition, path: string, now: Date, reader: Reader): void {
  if (nextOpening(definition, now.getTime()) !== undefined) return;
  const past =
    path === 'at' ? 'the window is past' : 'it never opens: no day matches, or freezes leave out each of them';
  reader.wrong(path, past, 'Try it with --dry-run (POST /windows?dryRun=true) and another day.');
}

/** @param by who asked */
export function readDefinition(body: WindowBody, by: string, now: Date): ReadDefinition {
  const reader = new Reader();
  const { cluster, name, timeZone, lengthMinutes, jitterMinutes, overlap, globalMaintenance, ticket } = body;
  const known = isTimeZone(timeZone);
  if (!known)
    reader.wrong(
      'timeZone',
      `"${timeZone}" is no time zone`,
      'A name of the IANA database, e.g. Europe/Berlin or Etc/UTC.',
    );
  const when = whenOf(body, reader);
  const freezes = known ? freezesOf(body, timeZone, now, reader) : [];
  const operations: WindowOperation[] = body.operations.flatMap((item, index) =>
    operationOf(item, index, body, reader),
  );
  const catchUpMinutes = catchUpOf(body, reader);
  if (jitterMinutes >= lengthMinutes)
    reader.wrong('jitterMinutes', 'as long as the window: nothing would be left of it', `Below ${lengthMinutes}.`);
  const definition: WindowDefinition = {
    version: 1,
    cluster,
    name,
    when: when.text,
    timeZone,
    calendars: when.rule === undefined ? [] : [when.rule],
    lengthMinutes,
    jitterMinutes,
    catchUpMinutes,
    overlap,
    freezes,
    globalMaintenance,
    ...(ticket === undefined ? {} : { ticket }),
    operations,
    createdBy: by,
    createdAt: now.toISOString(),
  };
  if (known && when.rule !== undefined) checkOpens(definition, when.path, now, reader);
  return reader.errors.length === 0 ? { ok: true, definition } : { ok: false, errors: reader.errors };
}
