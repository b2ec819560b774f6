/** A whole front door for tests: real Temporal, real worker, real sockets. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker, bundleWorkflowCode } from '@temporalio/worker';
import { startTemporal, type EmbeddedTemporal } from '../../infra/temporal/server.ts';
import { createApp } from '../app.ts';
import { serveApp, type ServedApp } from '../adapters/node.ts';
import { createTemporalPorts } from '../operations/temporal.ts';
import type { AppPorts } from '../ports.ts';
import { readSecretFile } from '../secrets.ts';
import { SECRET } from './delivery.ts';
import { recorder } from './record.ts';

export interface TestDoor {
  readonly temporal: EmbeddedTemporal;
  readonly client: Client;
  readonly ports: AppPorts;
  readonly served: ServedApp;
  readonly dir: string;
  stop(): Promise<void>;
}

export const TASK_QUEUE = 'test';

/** Server, worker and front door; `stop` ends all of them. */
export async function startTestDoor(): Promise<TestDoor> {
  const dir = mkdtempSync(join(tmpdir(), 'bellwether-door-'));
  const temporal = await startTemporal({ dir: join(dir, 'temporal'), namespace: 'bellwether', ui: false });
  const workflowsPath = fileURLToPath(new URL('workflows.ts', import.meta.url));
  const logger = new DefaultLogger('ERROR');
  Runtime.install({ logger });
  const workflowBundle = await bundleWorkflowCode({ workflowsPath, logger });
  const native = await NativeConnection.connect({ address: temporal.address });
  const worker = await Worker.create({
    connection: native,
    namespace: temporal.namespace,
    taskQueue: TASK_QUEUE,
    workflowBundle,
  });
  const running = worker.run();
  const connection = Connection.lazy({ address: temporal.address });
  const client = new Client({ connection, namespace: temporal.namespace });
  const secretFile = join(dir, 'secret');
  writeFileSync(secretFile, `${SECRET}\n`);
  const ports: AppPorts = {
    ...createTemporalPorts({ client, taskQueue: TASK_QUEUE }),
    clusters: ['Default', 'Second'],
    sources: [{ name: 'servicedesk', scheme: 'standard', secretFiles: [secretFile] }],
    readSecrets: readSecretFile,
    clock: () => new Date(),
    logger: recorder().logger,
    temporalUiLink: (id) => `http://127.0.0.1:8233/namespaces/bellwether/workflows/${encodeURIComponent(id)}`,
  };
  const served = await serveApp(createApp(ports), { host: '127.0.0.1', port: 0 });
  return {
    temporal,
    client,
    ports,
    served,
    dir,
    async stop() {
      await served.close(1000);
      worker.shutdown();
      await running;
      await native.close();
      await connection.close();
      await temporal.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
