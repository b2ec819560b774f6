/** The demo itself: sets everything up, sends the ticket's webhook, shows the steps, looks from outside, cleans up. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { changes, hasEnded, type Watched } from '../../api/cli/watch.ts';
import { DEFAULT_TIMING, type OperatorAction } from '../../workflows/model/operation.ts';
import type { OrchestratorConfig } from '../../workers/orchestrator/config.ts';
import { bundleWorkflows, logThrough } from '../../workers/orchestrator/worker.ts';
import { parseVmConf } from '../../activities/ovf/vm-conf.ts';
import { crashingWorker } from '../faults/crashing.ts';
import { driveScenario } from '../faults/drive.ts';
import type { Scenario } from '../faults/scenarios.ts';
import { startLab, type Lab } from '../lab/lab.ts';
import { startPlatform, type Platform } from '../start/platform.ts';
import { startService, type Service } from '../start/service.ts';
import { lookFromOutside } from './outside.ts';
import { newSecret, openTicketDesk, signedHeaders, type TicketDesk } from './ticket-desk.ts';

const TICKET = 'CHG0001234';
const LAB_SPEED = 5;
const LOOK_EVERY_MS = 150;

export interface DemoOptions {
  readonly say: (line?: string) => void;
  readonly keep: boolean;
  readonly vmConf?: string;
  readonly scenario?: Scenario;
  /** True: the front door is to refuse the webhook, and that is the good end. */
  readonly expectRefusal: boolean;
}

interface Stage {
  readonly dir: string;
  readonly config: OrchestratorConfig;
  readonly lab: Lab;
  readonly platform: Platform;
  readonly service: Service;
  readonly desk: TicketDesk;
  readonly secret: string;
}

function workerConfig(dir: string, lab: Lab, desk: TicketDesk, secretFile: string): OrchestratorConfig {
  return {
    clusters: [{ name: lab.fixture.cluster.name, engine: lab.ready.engine, hosts: lab.ready.hosts }],
    bucket: 'bellwether-demo',
    taskQueue: 'bellwether',
    logLevel: 'warn',
    tickets: { url: desk.inboxUrl, secretFile },
    timing: { ...DEFAULT_TIMING, firstRetryMs: 500, maxRetryMs: 3000, stepPatienceMs: 60_000, heartbeatMs: 5000 },
  };
}

async function setUp(dir: string, options: DemoOptions): Promise<Stage> {
  const { say } = options;
  say('Setting up: a Temporal server with its web UI, an S3 server, the lab (three hosts, storage, an engine VM) ...');
  const secret = newSecret();
  const secretFile = join(dir, 'servicedesk-secret');
  writeFileSync(secretFile, `${secret}\n`, { mode: 0o600 });
  const platform = await startPlatform({ dir, env: process.env, say });
  const desk = await openTicketDesk(secret);
  const lab = await startLab({
    dir: join(dir, 'lab'),
    speed: LAB_SPEED,
    // A vm.conf that can't be read makes no lab; the webhook still brings it, and is refused.
    ...(options.vmConf !== undefined && parseVmConf(options.vmConf).ok ? { vmConf: options.vmConf } : {}),
  });
  const logger = pino({ level: 'warn' }, pino.destination(join(dir, 'bellwether.log')));
  logThrough(logger);
  const worker = workerConfig(dir, lab, desk, secretFile);
  const door = {
    host: '127.0.0.1',
    port: 0,
    sources: [{ name: 'servicedesk', scheme: 'standard' as const, secretFiles: [secretFile] }],
    apiTokenFile: undefined,
  };
  const withWorker = options.scenario?.killWorker === undefined;
  const service = await startService({ platform, worker, door, logger, withWorker });
  say(`  Temporal    ${platform.temporal.address} (${platform.temporal.origin})`);
  say(`  Temporal UI ${platform.temporal.uiUrl ?? 'none'}`);
  say(`  S3          ${platform.s3.embedded?.endpoint ?? 'by the AWS_* variables'}`);
  say(
    `  engine      ${lab.ready.engine.url}   hosts ${lab.ready.hosts.map((host) => `${host.name}:${host.vdsmPort}`).join(' ')}`,
  );
  say(`  front door  ${service.url}`);
  return { dir, config: worker, lab, platform, service, desk, secret };
}

/** What a ticketing system sends when the change is approved. */
async function sendWebhook({ service, lab, secret }: Stage, options: DemoOptions): Promise<string | undefined> {
  const { say, vmConf = lab.fixture.vmConf } = options;
  const data = { operation: 'upgrade', cluster: lab.fixture.cluster.name, ticket: TICKET, vmConf };
  const body = JSON.stringify({ type: 'operation.requested', data });
  const id = `msg_${randomBytes(9).toString('hex')}`;
  const url = `${service.url}/webhooks/servicedesk`;
  say();
  say(`POST ${url}`);
  say(`  ticket ${TICKET}, ${body.length} bytes, signed (Standard Webhooks v1), webhook-id ${id}`);
  const headers = { ...signedHeaders(secret, id, body, new Date()), 'idempotency-key': id };
  const answer = await fetch(url, { method: 'POST', headers, body });
  const text = await answer.text();
  say(`  ${answer.status} ${answer.statusText}, Location: ${answer.headers.get('location') ?? 'none'}`);
  if (answer.status !== 202) {
    say(JSON.stringify(JSON.parse(text), null, 2));
    return undefined;
  }
  return answer.headers.get('location') ?? undefined;
}

async function follow(stage: Stage, location: string, options: DemoOptions): Promise<Watched> {
  const { say, scenario } = options;
  const url = new URL(location, stage.service.url);
  const operate = async (action: OperatorAction) => {
    say(`          operator: repaired, now ${action}`);
    await fetch(`${url.href}/${action}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ by: 'demo-operator', reason: 'repaired' }),
    });
  };
  const drive = driveScenario(scenario, stage, operate);
  let last: Watched | undefined;
  for (;;) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok === true) {
      const view = (await answer.json()) as Watched;
      for (const line of changes(last, view)) say(line);
      last = view;
      if (hasEnded(view)) return view;
      await drive.see(view);
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** A worker that is killed at the scenario's point, and the one that takes over. */
async function loseWorker(stage: Stage, { scenario, say }: DemoOptions): Promise<void> {
  const kill = scenario?.killWorker;
  if (kill === undefined) return;
  const { dir, platform, config } = stage;
  const bundleFile = join(dir, 'workflows.js');
  const bundle = await bundleWorkflows();
  if ('code' in bundle) writeFileSync(bundleFile, bundle.code);
  const settings = {
    platform: { temporal: platform.temporal, s3: platform.s3 },
    config,
    bundleFile,
    kill,
    markerFile: join(dir, 'killed'),
  };
  const worker = crashingWorker(settings, join(dir, 'worker.log'));
  say(`Worker ${worker.pid} works ...`);
  await worker.exited;
  say(`Worker ${worker.pid} was killed ${kill.moment} the effect of ${kill.step}. Another one takes over:`);
  await stage.service.startWorker();
}

function refused({ say, expectRefusal }: DemoOptions): number {
  say();
  say(
    expectRefusal
      ? 'Done: refused at the door, nothing was started.'
      : 'Refused at the door: correct the vm.conf, nothing was started.',
  );
  return expectRefusal ? 0 : 1;
}

async function tearDown(stage: Stage): Promise<void> {
  await stage.service.stop();
  await stage.lab.close();
  await stage.desk.close();
  await stage.platform.stop();
}

async function stayUp(stage: Stage, say: DemoOptions['say']): Promise<void> {
  const { uiUrl, namespace } = stage.platform.temporal;
  say();
  say('Staying up (Ctrl-C ends it):');
  say(`  Temporal UI  ${uiUrl === undefined ? 'none' : `${uiUrl}/namespaces/${namespace}/workflows`}`);
  say(`  front door   ${stage.service.url}/operations`);
  say(`  engine API   ${stage.lab.ready.engine.url}`);
  say(
    `    user ${stage.lab.ready.engine.user}, password in ${stage.lab.ready.engine.passwordFile}, CA ${stage.lab.ready.engine.ca}`,
  );
  await new Promise<void>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
}

/** @returns the exit code: 0 when the upgrade was done and holds from outside. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const { say, scenario } = options;
  const dir = mkdtempSync(join(tmpdir(), 'bellwether-demo-'));
  const stage = await setUp(dir, options);
  try {
    if (scenario !== undefined) say(`Fault: ${scenario.title}`);
    await scenario?.before?.(stage);
    const location = await sendWebhook(stage, options);
    if (location === undefined) return refused(options);
    say();
    await loseWorker(stage, options);
    const view = await follow(stage, location, options);
    say();
    const outside = await lookFromOutside(stage.lab, stage.service.counterparts.archive);
    for (const line of outside.lines) say(line);
    say(`Ticket ${TICKET}: ${stage.desk.reports.length} report received`);
    const good = view.state === 'done' && outside.good;
    say();
    say(good ? 'Done: the engine manages its own VM.' : 'NOT as it should be, see above.');
    if (options.keep) await stayUp(stage, say);
    return good ? 0 : 1;
  } finally {
    await tearDown(stage);
    rmSync(dir, { recursive: true, force: true });
  }
}
