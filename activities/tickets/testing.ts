/** Small ticket systems for tests: routes, codes and bodies as the real ones document them, on loopback. */
import { createServer, type IncomingMessage } from 'node:http';

export interface Asked {
  readonly method: string;
  /** With its query, decoded. */
  readonly path: string;
  readonly authorization: string;
  readonly body: unknown;
}

export interface Answered {
  readonly status: number;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface SmallServer {
  readonly url: string;
  readonly asked: Asked[];
  close(): Promise<void>;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks).toString('utf8');
}

export async function smallServer(answer: (asked: Asked) => Answered): Promise<SmallServer> {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    void textOf(request).then((text) => {
      const { method = '', url = '', headers } = request;
      const body: unknown = text === '' ? undefined : JSON.parse(text);
      const one = { method, path: decodeURIComponent(url), authorization: headers.authorization ?? '', body };
      asked.push(one);
      const { status, json, headers: more } = answer(one);
      response.writeHead(status, { 'content-type': 'application/json', ...more });
      response.end(json === undefined ? '' : JSON.stringify(json));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    asked,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const field = (body: unknown, name: string): unknown =>
  typeof body === 'object' && body !== null ? Object.entries(body).find(([key]) => key === name)?.[1] : undefined;

export interface SmallJira extends SmallServer {
  readonly comments: { id: string; body: unknown }[];
  status(): string;
}

/** One issue, OPS-17: Approved, and from there to In Progress, On Hold or Done, and back. */
export async function smallJira(api: 2 | 3): Promise<SmallJira> {
  const ways = [
    { id: '11', name: 'Begin work', to: { name: 'In Progress' } },
    { id: '21', name: 'Put on hold', to: { name: 'On Hold' } },
    { id: '31', name: 'Close', to: { name: 'Done' } },
  ];
  const comments: SmallJira['comments'] = [];
  const state = { status: 'Approved' };
  const root = `/rest/api/${api}/issue/OPS-17`;
  const server = await smallServer(({ method, path, body }) => {
    const id = path.slice(`${root}/comment/`.length);
    const found = comments.find((one) => one.id === id);
    if (method === 'GET' && path.startsWith(`${root}/comment?`)) {
      const startAt = Number(/startAt=(\d+)/.exec(path)?.[1] ?? 0);
      const maxResults = Number(/maxResults=(\d+)/.exec(path)?.[1] ?? 50);
      const page = comments.toReversed().slice(startAt, startAt + maxResults);
      return { status: 200, json: { startAt, maxResults, total: comments.length, comments: page } };
    }
    if (method === 'POST' && path === `${root}/comment`) {
      const made = { id: String(10_000 + comments.length), body: field(body, 'body') };
      comments.push(made);
      return { status: 201, json: made };
    }
    if (method === 'PUT' && found !== undefined) {
      found.body = field(body, 'body');
      return { status: 200, json: found };
    }
    if (method === 'GET' && path === `${root}?fields=status`) {
      return { status: 200, json: { key: 'OPS-17', fields: { status: { name: state.status } } } };
    }
    if (method === 'GET' && path === `${root}/transitions`)
      return { status: 200, json: { expand: 'transitions', transitions: ways } };
    if (method === 'POST' && path === `${root}/transitions`) {
      const way = ways.find((one) => one.id === field(field(body, 'transition'), 'id'));
      if (way === undefined) return { status: 400, json: { errorMessages: ['no such transition'], errors: {} } };
      state.status = way.to.name;
      return { status: 204 };
    }
    return {
      status: 404,
      json: { errorMessages: ['Issue does not exist or you do not have permission to see it.'], errors: {} },
    };
  });
  return Object.assign(server, { comments, status: () => state.status });
}

export interface SmallServiceNow extends SmallServer {
  readonly notes: string[];
  readonly change: Record<string, string>;
}

/** One change, CHG0030001, in state "implement" (-1). */
export async function smallServiceNow(): Promise<SmallServiceNow> {
  const change: Record<string, string> = {
    sys_id: '0123456789abcdef0123456789abcdef',
    number: 'CHG0030001',
    state: '-1',
  };
  const notes: string[] = [];
  const table = '/api/now/table/change_request';
  const server = await smallServer(({ method, path, body }) => {
    if (method === 'GET' && path.startsWith(`${table}?sysparm_query=number=CHG0030001&`)) {
      return { status: 200, json: { result: [change] } };
    }
    if (method === 'GET' && path.startsWith(`${table}?`)) return { status: 200, json: { result: [] } };
    if (method === 'GET' && path.startsWith('/api/now/table/sys_journal_field?')) {
      const marker = /valueLIKE(.*?)&sysparm/.exec(path)?.[1] ?? '';
      const found = notes.filter((note) => note.includes(marker)).map(() => ({ sys_id: 'f'.repeat(32) }));
      return { status: 200, json: { result: found } };
    }
    if (method === 'PATCH' && path === `${table}/${change['sys_id']}` && typeof body === 'object' && body !== null) {
      for (const [name, value] of Object.entries(body)) {
        if (name === 'work_notes') notes.push(String(value));
        else change[name] = String(value);
      }
      return { status: 200, json: { result: change } };
    }
    return { status: 404, json: { error: { message: 'No Record found', detail: '' }, status: 'failure' } };
  });
  return Object.assign(server, { notes, change });
}
