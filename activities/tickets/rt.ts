/**
 * Request Tracker 5, REST 2.0. Comments can't be edited; the marker is their subject, where it is found without reading
 * every text.
 */
import { z } from 'zod';
import { RestClient } from './http.ts';
import { markerOf, numberOf, type Tracker, type TrackerConfig } from './tracker.ts';

const PAGE = 100;
const PAGES_MAX = 50;

const attachments = z.object({ items: z.array(z.object({ Subject: z.string().nullish() })) });
const ticketState = z.object({
  Status: z.string(),
  CustomFields: z.array(z.object({ name: z.string(), values: z.array(z.string()) })).default([]),
});

export function createRt(config: TrackerConfig & { kind: 'rt' }): Tracker {
  const rest = new RestClient(config.name, `${config.url.replace(/\/+$/, '')}/REST/2.0`, config.access, 'token');
  const at = (ticket: string) => `/ticket/${encodeURIComponent(numberOf(ticket, config.prefix))}`;
  const read = async (ticket: string, signal: AbortSignal) =>
    ticketState.parse((await rest.call({ path: at(ticket) }, signal)).json);

  async function isThere(ticket: string, marker: string, signal: AbortSignal): Promise<boolean> {
    for (let page = 1; page <= PAGES_MAX; page += 1) {
      const path = `${at(ticket)}/attachments?fields=Subject&per_page=${PAGE}&page=${page}`;
      const { items } = attachments.parse((await rest.call({ path }, signal)).json);
      if (items.some((item) => item.Subject?.includes(marker) === true)) return true;
      if (items.length < PAGE) return false;
    }
    return false;
  }

  return {
    name: config.name,
    edits: false,
    answers: config.answers,
    async comment(ticket, comment, signal) {
      const marker = markerOf(comment);
      if (await isThere(ticket, marker, signal)) return;
      const body = { Subject: marker, Content: comment.text, ContentType: 'text/plain' };
      await rest.call({ method: 'POST', path: `${at(ticket)}/comment`, body }, signal);
    },
    async progress(ticket, text, signal) {
      const { progressField } = config;
      if (progressField === undefined) return;
      const { CustomFields } = await read(ticket, signal);
      if (CustomFields.some(({ name, values }) => name === progressField && values[0] === text)) return;
      await rest.call({ method: 'PUT', path: at(ticket), body: { CustomFields: { [progressField]: text } } }, signal);
    },
    async state(ticket, phase, signal) {
      const wanted = config.states[phase];
      if (wanted === undefined || (await read(ticket, signal)).Status === wanted) return undefined;
      // RT answers 200 and a text when it would not: only looking tells.
      const { json } = await rest.call({ method: 'PUT', path: at(ticket), body: { Status: wanted } }, signal);
      const { Status } = await read(ticket, signal);
      return Status === wanted ? undefined : `status ${wanted}: it is still ${Status} (${JSON.stringify(json)})`;
    },
  };
}
