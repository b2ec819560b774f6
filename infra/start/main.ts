/** `npm start`: worker and front door on the configuration in the environment, on embedded defaults where nothing is set. */
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { readFrontDoorConfig, type FrontDoorConfig } from '../../api/config.ts';
import {
  readOrchestratorConfig,
  type ConfigProblem,
  type OrchestratorConfig,
} from '../../workers/orchestrator/config.ts';
import { logThrough } from '../../workers/orchestrator/worker.ts';
import { startPlatform } from './platform.ts';
import { startService } from './service.ts';
import { stateDir } from './state.ts';

const say = (line: string) => process.stderr.write(`${line}\n`);

/** Without a file of sources there is one, `local`, with a secret of its own, so that a first webhook can be tried. */
function withLocalSource(config: FrontDoorConfig, dir: string): FrontDoorConfig {
  if (config.sources.length > 0) return config;
  const file = join(dir, 'webhook-secret');
  if (!existsSync(file)) writeFileSync(file, `whsec_${randomBytes(24).toString('base64')}\n`, { mode: 0o600 });
  say(`webhook source "local": POST /webhooks/local, signed with the secret in ${file}`);
  return { ...config, sources: [{ name: 'local', scheme: 'standard', secretFiles: [file] }] };
}

/** People stay signed in to the status page over a restart. */
function withSessionSecret(config: FrontDoorConfig, dir: string): FrontDoorConfig {
  if (config.sessionSecretFile !== undefined) return config;
  const file = join(dir, 'session-secret');
  if (!existsSync(file)) writeFileSync(file, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  return { ...config, sessionSecretFile: file };
}

/** Sources that name a tracker which the worker does not have: their tickets would wait for ever. */
function unknownTrackers(worker: OrchestratorConfig, door: FrontDoorConfig): readonly ConfigProblem[] {
  const known = (worker.trackers ?? []).map(({ name }) => name);
  return door.sources.flatMap(({ name, tracker }) => {
    if (tracker === undefined || known.includes(tracker)) return [];
    const problem = `source ${name}: tracker: there is no "${tracker}"; known are: ${known.join(', ') || 'none'}`;
    return [{ variable: 'BELLWETHER_WEBHOOKS_FILE', problem, remedy: 'Add it to BELLWETHER_TRACKERS_FILE.' }];
  });
}

async function main(): Promise<number> {
  const { env } = process;
  const worker = readOrchestratorConfig(env);
  const door = readFrontDoorConfig(env);
  const problems = [
    ...(worker.ok ? [] : worker.problems),
    ...(door.ok ? [] : door.problems),
    ...(worker.ok && door.ok ? unknownTrackers(worker.config, door.config) : []),
  ];
  if (!worker.ok || !door.ok || problems.length > 0) {
    say('Bellwether can’t start with this environment:');
    for (const { variable, problem, remedy } of problems) say(`  ${variable}: ${problem}. ${remedy}`);
    return 2;
  }
  const dir = stateDir(env);
  const logger = pino({ level: worker.config.logLevel });
  logThrough(logger, worker.config.metricsListen);
  const platform = await startPlatform({ dir, env, say });
  say(
    `Temporal at ${platform.temporal.address}, namespace ${platform.temporal.namespace} (${platform.temporal.origin})`,
  );
  if (platform.temporal.uiUrl !== undefined) say(`Temporal UI: ${platform.temporal.uiUrl}`);
  say(
    platform.s3.embedded === undefined
      ? 'S3 by the AWS_* variables'
      : `S3 embedded at ${platform.s3.embedded.endpoint}`,
  );
  if (worker.config.clusters.length === 0)
    say('No cluster is configured: set BELLWETHER_CLUSTERS_FILE (see the README).');
  const service = await startService({
    platform,
    worker: worker.config,
    door: { auditLog: join(dir, 'audit.jsonl'), ...withSessionSecret(withLocalSource(door.config, dir), dir) },
    logger,
  });
  say(`Status page: ${service.url}/ui/`);
  say(
    `Front door: ${service.url}   state: ${dir}   clusters: ${worker.config.clusters.map((one) => one.name).join(', ') || 'none'}`,
  );
  const asked = new Promise<string>((resolve) => {
    // A service manager tells each process of the group, and the set-up passes its own word on: the second SIGTERM is the
    // first again. A second Ctrl-C is a person who will not wait: leaving in order still ends the embedded servers.
    process.on('SIGTERM', () => resolve('SIGTERM'));
    let asked = false;
    process.on('SIGINT', () => {
      if (asked) process.exit(130);
      asked = true;
      resolve('SIGINT');
    });
  });
  const { done } = await service.startWorker();
  const died = done.then(
    () => 'the worker ended',
    (error: unknown) => `the worker died: ${String(error)}`,
  );
  const why = await Promise.race([asked, died]);
  say(`stopping (${why}) ...`);
  await service.stop();
  await platform.stop();
  return why.startsWith('SIG') ? 0 : 1;
}

process.exit(
  await main().catch((error: unknown) => {
    say(`Bellwether could not start: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }),
);
