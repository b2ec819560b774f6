/**
 * The SDK tells of each failed attempt, and failing attempts are what these tests are about: only errors are shown. Its
 * metrics can be scraped at `metricsUrl()`.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { prometheusAt } from '../../workers/orchestrator/metrics.ts';

const VARIABLE = 'BELLWETHER_TEST_METRICS';

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

// The test file before this one in the same process may have done it: one runtime serves them all.
if (process.env[VARIABLE] === undefined) {
  const bindAddress = `127.0.0.1:${await freePort()}`;
  try {
    Runtime.install({
      logger: new DefaultLogger('ERROR'),
      telemetryOptions: { metrics: prometheusAt(bindAddress) },
    });
    process.env[VARIABLE] = bindAddress;
  } catch {
    // Somebody else's runtime.
  }
}

export const metricsUrl = () => `http://${process.env[VARIABLE] ?? 'nobody'}/metrics`;
