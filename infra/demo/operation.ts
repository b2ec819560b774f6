/** `npm run demo -- --operation NAME`: one operation on a lab, step by step, and what is so in the end, seen from outside. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { changes, hasEnded, type Watched } from '../../api/cli/watch.ts';
import { DEFAULT_TIMING } from '../../workflows/model/operation.ts';
import { logThrough } from '../../workers/orchestrator/worker.ts';
import { startLab, type Lab } from '../lab/lab.ts';
import { labSecrets, type Facts, type Play } from '../plays/play.ts';
import { until } from '../processes.ts';
import { startPlatform } from '../start/platform.ts';
import { startService, type Service } from '../start/service.ts';

const LAB_SPEED = 5;
const LOOK_EVERY_MS = 150;
const SETTLED_LIMIT_MS = 20_000;

type Say = (line?: string) => void;

/** Sends the request as a program would. @returns where to follow it. @throws Error when the front door refuses. */
async function send({ url }: Service, play: Play, lab: Lab, say: Say): Promise<string> {
  const { requestedBy, ...body } = play.request(lab);
  say(`POST ${url}/operations`);
  say(`  ${JSON.stringify(body)}`);
  const answer = await fetch(`${url}/operations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-requested-by': requestedBy },
    body: JSON.stringify(body),
  });
  say(`  ${answer.status} ${answer.statusText}, Location: ${answer.headers.get('location') ?? 'none'}`);
  const location = answer.headers.get('location');
  if (answer.status !== 202 || location === null) throw new Error(await answer.text());
  return new URL(location, url).href;
}

async function follow(location: string, say: Say): Promise<Watched> {
  let last: Watched | undefined;
  for (;;) {
    const answer = await fetch(location).catch(() => undefined);
    if (answer?.ok === true) {
      const view = (await answer.json()) as Watched;
      for (const line of changes(last, view)) say(line);
      last = view;
      if (hasEnded(view) || view.state === 'parked') return view;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** Prints each fact beside what must be. @returns whether all are so. */
async function lookFromOutside(play: Play, lab: Lab, service: Service, say: Say): Promise<boolean> {
  let seen: Facts = {};
  const good = async () => {
    seen = await play.outside(lab, service.counterparts.archive);
    return Object.entries(play.expected).every(([name, value]) => seen[name] === value);
  };
  const settled = await until('the end to settle', good, SETTLED_LIMIT_MS).then(
    () => true,
    () => false,
  );
  say('Seen from outside (hosts, storage, engine and S3 asked directly):');
  const wide = Math.max(...Object.keys(play.expected).map((name) => name.length));
  for (const [name, value] of Object.entries(play.expected)) {
    const is = seen[name];
    say(
      `  ${is === value ? '✔' : '✘'} ${name.padEnd(wide)}  ${String(is)}${is === value ? '' : `, must be ${String(value)}`}`,
    );
  }
  return settled;
}

export async function runOperationDemo(play: Play, say: Say): Promise<number> {
  const dir = mkdtempSync(join(tmpdir(), 'bellwether-demo-'));
  say(`${play.title}.`);
  say('Setting up: a Temporal server with its web UI, an S3 server, the lab ...');
  const platform = await startPlatform({ dir, env: process.env, say });
  const lab = await startLab({ dir: join(dir, 'lab'), speed: LAB_SPEED, ...play.lab });
  const logger = pino({ level: 'warn' }, pino.destination(join(dir, 'bellwether.log')));
  logThrough(logger);
  const service = await startService({
    platform,
    worker: {
      clusters: [{ name: lab.fixture.cluster.name, engine: lab.ready.engine, hosts: lab.ready.hosts }],
      bucket: 'bellwether-demo',
      taskQueue: 'bellwether',
      logLevel: 'warn',
      tickets: undefined,
      timing: { ...DEFAULT_TIMING, firstRetryMs: 500, maxRetryMs: 3000, stepPatienceMs: 60_000, heartbeatMs: 5000 },
      secretsDir: labSecrets(lab, dir, readFileSync(lab.ready.engine.passwordFile, 'utf8').trim()),
    },
    door: { host: '127.0.0.1', port: 0, sources: [], apiTokenFile: undefined },
    logger,
  });
  try {
    await play.prepare?.(lab, service.counterparts.archive);
    say(`  Temporal UI ${platform.temporal.uiUrl ?? 'none'}`);
    say();
    const location = await send(service, play, lab, say);
    say();
    const view = await follow(location, say);
    say();
    const good = (await lookFromOutside(play, lab, service, say)) && view.state === 'done';
    say();
    say(good ? `Done: ${play.title}.` : 'NOT as it should be, see above.');
    return good ? 0 : 1;
  } finally {
    await service.stop();
    await lab.close();
    await platform.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}
