/** ServiceNow through the Table API: work notes, which can't be edited, and the state of the change. */
import { z } from 'zod';
import { CounterpartError } from '../errors.ts';
import { RestClient } from './http.ts';
import { markerOf, numberOf, type Tracker, type TrackerConfig } from './tracker.ts';

const rows = z.object({ result: z.array(z.record(z.string(), z.unknown())) });
const record = z.object({ sys_id: z.string().regex(/^\w{1,40}$/), state: z.string() });

/** An encoded query has no escape for its separator. */
function inQuery(text: string): string {
  return encodeURIComponent(text.replaceAll('^', ''));
}

export function createServiceNow(config: TrackerConfig & { kind: 'servicenow' }): Tracker {
  const rest = new RestClient(config.name, `${config.url.replace(/\/+$/, '')}/api/now/table`, config.access, 'Bearer');
  const table = `/${config.table}`;
  const fields = ['sys_id', 'state', ...(config.progressField === undefined ? [] : [config.progressField])].join(',');

  async function find(ticket: string, signal: AbortSignal) {
    const query = `number=${inQuery(numberOf(ticket, config.prefix))}`;
    const path = `${table}?sysparm_query=${query}&sysparm_fields=${fields}&sysparm_limit=1`;
    const [row] = rows.parse((await rest.call({ path }, signal)).json).result;
    if (row !== undefined) return { ...record.parse(row), row };
    throw new CounterpartError({
      type: 'tickets/no-ticket',
      kind: 'needs-operator',
      subject: `tracker ${config.name}`,
      what: `there is no ${ticket} in ${config.table}`,
      why: 'the query by its number found nothing',
      remedy: 'Check the table in BELLWETHER_TRACKERS_FILE and the user’s rights; it is tried again.',
    });
  }

  async function isThere(id: string, marker: string, signal: AbortSignal): Promise<boolean> {
    const query = `element_id=${id}^element=work_notes^valueLIKE`;
    const path = `/sys_journal_field?sysparm_query=${encodeURIComponent(query)}${inQuery(marker)}&sysparm_fields=sys_id&sysparm_limit=1`;
    return rows.parse((await rest.call({ path }, signal)).json).result.length > 0;
  }

  const change = (id: string, body: Readonly<Record<string, string>>, signal: AbortSignal) =>
    rest.call({ method: 'PATCH', path: `${table}/${id}`, body }, signal);

  return {
    name: config.name,
    edits: false,
    answers: config.answers,
    async comment(ticket, comment, signal) {
      const marker = markerOf(comment);
      const { sys_id: id } = await find(ticket, signal);
      if (!(await isThere(id, marker, signal)))
        await change(id, { work_notes: `${comment.text}\n\n${marker}` }, signal);
    },
    async progress(ticket, text, signal) {
      const { progressField } = config;
      if (progressField === undefined) return;
      const { sys_id: id, row } = await find(ticket, signal);
      if (row[progressField] !== text) await change(id, { [progressField]: text }, signal);
    },
    async state(ticket, phase, signal) {
      const wanted = config.states[phase];
      if (wanted === undefined) return undefined;
      const { sys_id: id, state } = await find(ticket, signal);
      if (state === wanted) return undefined;
      await change(id, { state: wanted }, signal);
      // A business rule may have kept it, with status 200.
      const after = (await find(ticket, signal)).state;
      return after === wanted ? undefined : `state ${wanted}: it is ${after}`;
    },
  };
}
