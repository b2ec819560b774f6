/** Jira Data Center and Cloud: one comment, edited in place, and transitions by their name. */
import { z } from 'zod';
import { RestClient } from './http.ts';
import { markerOf, numberOf, type Tracker, type TrackerConfig } from './tracker.ts';

const PAGE = 100;

const comments = z.object({
  total: z.number(),
  comments: z.array(z.object({ id: z.string(), body: z.unknown() })),
});
const issue = z.object({ fields: z.object({ status: z.object({ name: z.string() }) }) });
const transitions = z.object({
  transitions: z.array(z.object({ id: z.string(), name: z.string(), to: z.object({ name: z.string() }).optional() })),
});

/** Version 3 wants a document (ADF): a paragraph for each block, a hard break for each line. */
function document(text: string): unknown {
  const paragraphs = text.split('\n\n').map((block) => ({
    type: 'paragraph',
    content: block
      .split('\n')
      .flatMap((line, index) => [
        ...(index === 0 ? [] : [{ type: 'hardBreak' }]),
        ...(line === '' ? [] : [{ type: 'text', text: line }]),
      ]),
  }));
  return { type: 'doc', version: 1, content: paragraphs };
}

/** All texts of a body, of either version. */
function textOf(body: unknown): string {
  if (typeof body === 'string') return body;
  if (Array.isArray(body)) return body.map(textOf).join('\n');
  if (typeof body !== 'object' || body === null) return '';
  if ('text' in body && typeof body.text === 'string') return body.text;
  return 'content' in body ? textOf(body.content) : '';
}

/** Version 2 reads wiki markup: what stands in braces is left as it is. */
function wiki(text: string, marker: string): string {
  return `{noformat}\n${text.replaceAll('{noformat}', 'noformat')}\n\n${marker}\n{noformat}`;
}

export function createJira(config: TrackerConfig & { kind: 'jira' }): Tracker {
  const rest = new RestClient(
    config.name,
    `${config.url.replace(/\/+$/, '')}/rest/api/${config.api}`,
    config.access,
    'Bearer',
  );
  const at = (ticket: string) => `/issue/${encodeURIComponent(numberOf(ticket, config.prefix))}`;

  /** Ours with the marker, newest pages first. */
  async function find(ticket: string, marker: string, signal: AbortSignal) {
    for (let startAt = 0; ; startAt += PAGE) {
      const path = `${at(ticket)}/comment?startAt=${startAt}&maxResults=${PAGE}&orderBy=-created`;
      const page = comments.parse((await rest.call({ path }, signal)).json);
      const found = page.comments.find((one) => textOf(one.body).includes(marker));
      if (found !== undefined || page.comments.length === 0 || startAt + PAGE >= page.total) return found;
    }
  }

  return {
    name: config.name,
    edits: true,
    answers: config.answers,
    async comment(ticket, comment, signal) {
      const marker = markerOf(comment);
      const text = config.api === 2 ? wiki(comment.text, marker) : `${comment.text}\n\n${marker}`;
      const body = { body: config.api === 2 ? text : document(text) };
      const found = await find(ticket, marker, signal);
      if (found === undefined) {
        await rest.call({ method: 'POST', path: `${at(ticket)}/comment`, body }, signal);
      } else if (textOf(found.body) !== textOf(body.body)) {
        await rest.call({ method: 'PUT', path: `${at(ticket)}/comment/${encodeURIComponent(found.id)}`, body }, signal);
      }
    },
    // The comment has the list.
    progress: () => Promise.resolve(),
    async state(ticket, phase, signal) {
      const wanted = config.states[phase];
      if (wanted === undefined) return undefined;
      const { status } = issue.parse((await rest.call({ path: `${at(ticket)}?fields=status` }, signal)).json).fields;
      const same = (name: string | undefined) => name?.toLowerCase() === wanted.toLowerCase();
      if (same(status.name)) return undefined;
      const offered = transitions.parse(
        (await rest.call({ path: `${at(ticket)}/transitions` }, signal)).json,
      ).transitions;
      const way = offered.find(({ name, to }) => same(name) || same(to?.name));
      if (way === undefined) {
        const names = offered.map(({ name }) => name).join(', ') || 'none';
        return `no transition "${wanted}" from ${status.name}; there are: ${names}`;
      }
      const answer = await rest.call(
        {
          method: 'POST',
          path: `${at(ticket)}/transitions`,
          body: { transition: { id: way.id } },
          expected: [400, 409],
        },
        signal,
      );
      return answer.status < 300 ? undefined : `transition "${way.name}": ${JSON.stringify(answer.json)}`;
    },
  };
}
