/** The front door alone, without a worker, and on the same server a route that does nothing. */
import { getRequestListener } from '@hono/node-server';
import { Client, Connection } from '@temporalio/client';
import { Hono } from 'hono';
import { createServer } from 'node:http';
import { pino } from 'pino';
import { createApp } from '../../api/app.ts';
import { serveApp } from '../../api/adapters/node.ts';
import { createTemporalPorts } from '../../api/operations/temporal.ts';
import { readSecretFile } from '../../api/secrets.ts';
import { doorSettings, type DoorSettings } from './messages.ts';

/** What Hono and Node's server cost by themselves. */
async function serveNothing(): Promise<{ url: string; close: () => void }> {
  const app = new Hono().post('/', (c) => c.body(null, 202));
  const listener = getRequestListener(app.fetch, { overrideGlobalObjects: false });
  const server = createServer((incoming, outgoing) => void listener(incoming, outgoing));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return { url: `http://127.0.0.1:${port}/`, close: () => server.closeAllConnections() };
}

async function main(settings: DoorSettings): Promise<void> {
  const { address, namespace, taskQueue, clusters, secretFile } = settings;
  // As in a rollout: the door may come up before its Temporal does.
  const connection = Connection.lazy({ address, connectTimeout: '5s' });
  const client = new Client({ connection, namespace });
  const app = createApp({
    ...createTemporalPorts({ client, taskQueue }),
    clusters,
    sources: [{ name: 'bench', scheme: 'standard', secretFiles: [secretFile], ratePerMinute: 1_000_000 }],
    readSecrets: readSecretFile,
    clock: () => new Date(),
    // Logs are written as in production, only nobody keeps them.
    logger: pino({ level: 'info' }, pino.destination('/dev/null')),
  });
  const door = await serveApp(app, { host: '127.0.0.1', port: 0 });
  const idle = await serveNothing();
  process.on('message', (word) => {
    if (word === 'stop') process.exit(0);
  });
  process.send?.({ doorUrl: `${door.url}/webhooks/bench`, idleUrl: idle.url });
}

await main(doorSettings.parse(JSON.parse(process.argv[2] ?? '{}')));
