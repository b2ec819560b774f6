/**
 * The front door of a Lambda function, from its environment. Made once per instance; each later event finds the connection open.
 *
 * What it is told, beside the TEMPORAL_* variables: BELLWETHER_CLUSTERS (names, with commas), BELLWETHER_TASK_QUEUE,
 * BELLWETHER_API_TOKEN_FILE and `secretFiles` of BELLWETHER_WEBHOOKS_FILE (files of the package, or `secretsmanager:NAME`),
 * BELLWETHER_TEMPORAL_API_KEY (the same).
 */
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { pino, type Logger } from 'pino';
import { lambdaHandler } from '../../api/adapters/lambda.ts';
import { createApp, type FrontDoor } from '../../api/app.ts';
import { readFrontDoorConfig } from '../../api/config.ts';
import { createTemporalPorts } from '../../api/operations/temporal.ts';
import type { ReadSecrets } from '../../api/secrets.ts';
import { lambdaSecrets } from './secrets.ts';

type Environment = Readonly<Record<string, string | undefined>>;

async function temporal(env: Environment, readSecrets: ReadSecrets): Promise<Client> {
  const { connectionOptions, namespace } = loadClientConnectConfig();
  const secret = env['BELLWETHER_TEMPORAL_API_KEY'] || undefined;
  const [apiKey] = secret === undefined ? [] : await readSecrets(secret);
  // Lazy: an event is answered with 503 while Temporal is away, instead of an instance that does not start.
  const connection = Connection.lazy({ ...connectionOptions, ...(apiKey === undefined ? {} : { apiKey, tls: true }) });
  return new Client({ connection, namespace: env['TEMPORAL_NAMESPACE'] || namespace || 'bellwether' });
}

/** @throws Error naming each variable that is wrong. */
export async function frontDoorOf(env: Environment, logger: Logger): Promise<FrontDoor> {
  const read = readFrontDoorConfig(env);
  if (!read.ok) {
    const problems = read.problems.map(({ variable, problem, remedy }) => `${variable}: ${problem} ${remedy}`);
    throw new Error(problems.join('\n'));
  }
  const { sources, apiTokenFile, sessionSecretFile } = read.config;
  const clusters = (env['BELLWETHER_CLUSTERS'] ?? '').split(',').map((name) => name.trim());
  const readSecrets = lambdaSecrets(env);
  const client = await temporal(env, readSecrets);
  return createApp({
    ...createTemporalPorts({ client, taskQueue: env['BELLWETHER_TASK_QUEUE'] || 'bellwether' }),
    clusters: clusters.filter((name) => name !== ''),
    sources,
    readSecrets,
    clock: () => new Date(),
    // An answer is sent when it is whole: the status page asks instead of listening.
    streamsMax: 0,
    logger,
    ...(apiTokenFile === undefined ? {} : { apiTokenFile }),
    ...(sessionSecretFile === undefined ? {} : { sessionSecretFile }),
  });
}

type Handler = ReturnType<typeof lambdaHandler>;

/** A handler that makes its front door with the first event; a failed try is not kept. */
export function createHandler(env: Environment, logger = pino()): Handler {
  let made: Promise<Handler> | undefined;
  return async (event, context) => {
    made ??= frontDoorOf(env, logger).then(lambdaHandler);
    const handler = await made.catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return handler(event, context);
  };
}
