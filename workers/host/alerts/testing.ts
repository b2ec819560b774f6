/** For tests: a mail server with moods over a real socket, and waiting for a condition. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

export interface Received {
  readonly from: string;
  readonly to: readonly string[];
  readonly headers: ReadonlyMap<string, string>;
  readonly text: string;
}

/** `silent`: accepts and says nothing. `busy`: answers 451 to a recipient so many times. `refuses`: 550. `drip`: never ends its greeting. */
export type Mood = 'kind' | 'silent' | 'refuses' | 'drip' | { readonly busy: number };

export interface SmtpSink {
  readonly port: number;
  readonly mails: Received[];
  connections: number;
  /** Connections that are open now. */
  open(): number;
  mood: Mood;
  close(): Promise<void>;
}

function decoded(body: string, encoding: string): string {
  if (encoding === 'base64') return Buffer.from(body, 'base64').toString();
  if (encoding !== 'quoted-printable') return body;
  const bytes = body.replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/g, (_, hex: string) => `%${hex}`);
  return decodeURIComponent(bytes.replace(/%(?![0-9A-F]{2})/g, '%25'));
}

function received(from: string, to: readonly string[], data: string): Received {
  const end = data.indexOf('\r\n\r\n');
  const headers = new Map<string, string>();
  for (const line of data
    .slice(0, end)
    .replace(/\r\n\s+/g, ' ')
    .split('\r\n')) {
    const colon = line.indexOf(':');
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  const body = data.slice(end + 4).replace(/^\.\./gm, '.');
  const text = decoded(body, headers.get('content-transfer-encoding') ?? '').replaceAll('\r\n', '\n');
  return { from, to, headers, text };
}

function converse(socket: Socket, sink: SmtpSink): void {
  let [from, to, data, buffer]: [string, string[], string | undefined, string] = ['', [], undefined, ''];
  const say = (line: string) => socket.write(`${line}\r\n`);
  const command = (line: string) => {
    if (/^(EHLO|HELO)/i.test(line)) say('250 sink');
    else if (/^MAIL FROM:/i.test(line)) {
      from = /<(.*?)>/.exec(line)?.[1] ?? '';
      say('250 ok');
    } else if (/^RCPT TO:/i.test(line)) {
      const { mood } = sink;
      if (mood === 'refuses') return say('550 nobody here by that name');
      if (typeof mood === 'object' && mood.busy > 0) {
        sink.mood = { busy: mood.busy - 1 };
        return say('451 come back later');
      }
      to.push(/<(.*?)>/.exec(line)?.[1] ?? '');
      say('250 ok');
    } else if (/^DATA/i.test(line)) {
      data = '';
      say('354 go on');
    } else if (/^QUIT/i.test(line)) socket.end('221 bye\r\n');
    else say('250 ok');
  };
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    buffer += chunk;
    for (let end = buffer.indexOf('\r\n'); end >= 0; end = buffer.indexOf('\r\n')) {
      const line = buffer.slice(0, end);
      buffer = buffer.slice(end + 2);
      if (data === undefined) command(line);
      else if (line === '.') {
        sink.mails.push(received(from, to, data));
        [data, to] = [undefined, []];
        say('250 taken');
      } else data += `${line}\r\n`;
    }
  });
  say('220 sink');
}

/** Listens on 127.0.0.1. */
export async function smtpSink(port = 0): Promise<SmtpSink> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sink.connections += 1;
    sockets.add(socket);
    socket.on('error', () => socket.destroy()).on('close', () => sockets.delete(socket));
    if (sink.mood === 'drip') {
      const timer = setInterval(() => socket.write('220-wait\r\n'), 20);
      socket.on('close', () => clearInterval(timer));
    } else if (sink.mood !== 'silent') converse(socket, sink);
    else socket.resume();
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const sink: SmtpSink = {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    mails: [],
    connections: 0,
    open: () => sockets.size,
    mood: 'kind',
    async close() {
      for (const socket of sockets) socket.destroy();
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
  return sink;
}

/** Resolves when it is so; throws after the limit. */
export async function until(what: string, so: () => boolean, limitMs = 5000): Promise<void> {
  const end = performance.now() + limitMs;
  while (!so()) {
    if (performance.now() > end) throw new Error(`waited ${limitMs} ms in vain for: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}
