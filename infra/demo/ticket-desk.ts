/** A ticketing system as the front door sees one: sends signed webhooks, takes signed reports. */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { signStandard, verifyStandard } from '../../api/webhooks/standard.ts';

export interface TicketDesk {
  readonly inboxUrl: string;
  /** Reports that came with a good signature, the latest last. */
  readonly reports: readonly { readonly id: string; readonly body: string }[];
  close(): Promise<void>;
}

export function newSecret(): string {
  return `whsec_${randomBytes(24).toString('base64')}`;
}

/** Headers of a Standard Webhooks message. */
export function signedHeaders(secret: string, id: string, body: string, now: Date): Record<string, string> {
  const timestamp = String(Math.floor(now.getTime() / 1000));
  return {
    'content-type': 'application/json',
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signStandard(Buffer.from(body), id, timestamp, secret),
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

/** Listens on loopback for reports of operations. */
export async function openTicketDesk(secret: string): Promise<TicketDesk> {
  const reports: { id: string; body: string }[] = [];
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      const header = (name: string) => {
        const value = request.headers[name];
        return typeof value === 'string' ? value : undefined;
      };
      const verdict = verifyStandard(body, header, [secret], new Date());
      const id = header('webhook-id') ?? '';
      if (verdict.ok && !reports.some((report) => report.id === id)) reports.push({ id, body: body.toString('utf8') });
      response.writeHead(verdict.ok ? 204 : 401).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    inboxUrl: `http://127.0.0.1:${port}/reports`,
    reports,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
