/**
 * `npm run chaos`: 10,000 signed deliveries of 100 tickets to two front doors while doors, worker and Temporal's server
 * are killed (SIGKILL) at random. Every delivery must be accepted in the end, and exactly 100 operations must have run,
 * also after each ticket was delivered once more, late. Exit 1 when not. Options: --seed N, --tickets N, --deliveries N.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { pino } from 'pino';
import { newSecret, signedHeaders } from '../../infra/demo/ticket-desk.ts';
import { defaultVmConf } from '../../infra/lab/make-fixture.ts';
import { startTemporal, type EmbeddedTemporal } from '../../infra/temporal/server.ts';
import { until } from '../../infra/processes.ts';
import { bundleWorkflows, logThrough } from '../../workers/orchestrator/worker.ts';
import { createRandom } from '../simulation/random.ts';
import { startChild, type Child } from './child.ts';
import { doorReady, workerReady, type DoorSettings, type WorkerSettings } from './messages.ts';
import { keepAlive, post } from './senders.ts';
import { quantile } from './stats.ts';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    tickets: { type: 'string', default: '100' },
    deliveries: { type: 'string', default: '10000' },
  },
});
const TICKETS = Number(values.tickets);
const DELIVERIES = Number(values.deliveries);
const CLUSTERS = Array.from({ length: 10 }, (_, index) => `Cluster${index}`);
const TASK_QUEUE = 'chaos';
const SENDERS = 32;
const DELIVERY_LIMIT_MS = 120_000;
const END_LIMIT_MS = 300_000;
const say = (line: string) => process.stdout.write(`${line}\n`);
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const random = createRandom(Number(values.seed));
const below = (limit: number) => random.integer(0, limit - 1);

/** One part of the installation that dies and comes back. */
interface Victim {
  readonly name: string;
  kills: number;
  killAndRestart(): Promise<void>;
}

class Door implements Victim {
  kills = 0;
  url: string | undefined;
  #child: Child | undefined;
  readonly name: string;
  readonly #settings: DoorSettings;
  constructor(name: string, settings: DoorSettings) {
    this.name = name;
    this.#settings = settings;
  }
  async start(): Promise<void> {
    this.#child = startChild('door-process.ts', this.#settings);
    this.url = (await this.#child.hear(doorReady)).doorUrl;
  }
  async killAndRestart(): Promise<void> {
    this.url = undefined;
    await this.#child?.kill();
    await this.start();
  }
  async stop(): Promise<void> {
    await this.#child?.kill();
  }
}

class WorkerVictim implements Victim {
  kills = 0;
  readonly name = 'worker';
  #child: Child | undefined;
  readonly #settings: WorkerSettings;
  constructor(settings: WorkerSettings) {
    this.#settings = settings;
  }
  async start(): Promise<void> {
    this.#child = startChild('worker-process.ts', this.#settings);
    await this.#child.hear(workerReady);
  }
  async killAndRestart(): Promise<void> {
    await this.#child?.kill();
    // Temporal may be down just now: then the start fails, and is tried again.
    for (;;) {
      const failed = await this.start().then(
        () => false,
        () => true,
      );
      if (!failed) return;
      await this.#child?.kill();
    }
  }
  async stop(): Promise<void> {
    await this.#child?.kill();
  }
}

class TemporalVictim implements Victim {
  kills = 0;
  readonly name = 'Temporal';
  readonly #temporal: EmbeddedTemporal;
  constructor(temporal: EmbeddedTemporal) {
    this.#temporal = temporal;
  }
  async killAndRestart(): Promise<void> {
    const start = await this.#temporal.crash?.();
    await start?.();
  }
}

/** What a sender does: again after each refusal or broken connection, with the same id, until it is accepted. */
async function deliver(
  doors: readonly Door[],
  agent: ReturnType<typeof keepAlive>,
  secret: string,
  ticket: number,
  id: string,
) {
  const data = {
    operation: 'upgrade',
    cluster: CLUSTERS[ticket % CLUSTERS.length],
    ticket: `CHG${ticket}`,
    vmConf: defaultVmConf(),
  };
  const body = JSON.stringify({ type: 'operation.requested', data });
  const deadline = Date.now() + DELIVERY_LIMIT_MS;
  for (let tries = 1; ; tries += 1) {
    const { url } = doors[below(doors.length)] ?? {};
    const status =
      url === undefined ? 0 : await post(agent, url, signedHeaders(secret, id, body, new Date()), body).catch(() => 0);
    if (status === 202) return tries;
    if (status >= 400 && status < 500 && status !== 429) throw new Error(`${id} was refused with ${status}`);
    if (Date.now() > deadline)
      throw new Error(`${id} was not accepted within ${DELIVERY_LIMIT_MS / 1000} s; last status ${status}`);
    await pause(50 + below(400));
  }
}

async function killAtRandom(victims: readonly Victim[], ended: () => boolean): Promise<void> {
  while (!ended()) {
    await pause(500 + below(2500));
    const victim = victims[below(victims.length)];
    if (victim === undefined || ended()) continue;
    victim.kills += 1;
    await victim.killAndRestart();
  }
}

async function run(dir: string): Promise<boolean> {
  logThrough(pino({ level: 'fatal' }));
  const temporal = await startTemporal({ dir: join(dir, 'temporal'), namespace: 'bellwether', ui: false });
  const { address, namespace } = temporal;
  const secret = newSecret();
  const secretFile = join(dir, 'secret');
  writeFileSync(secretFile, `${secret}\n`, { mode: 0o600 });
  const codePath = join(dir, 'workflows.js');
  writeFileSync(codePath, (await bundleWorkflows()).code);
  const settings: DoorSettings = { address, namespace, taskQueue: TASK_QUEUE, clusters: CLUSTERS, secretFile };
  const doors = [new Door('door 1', settings), new Door('door 2', settings)];
  const worker = new WorkerVictim({ address, namespace, taskQueue: TASK_QUEUE, codePath, cached: 200, steps: 'idle' });
  const victims: readonly Victim[] = [...doors, worker, new TemporalVictim(temporal)];
  try {
    await Promise.all([worker.start(), ...doors.map((door) => door.start())]);
    const agent = keepAlive(SENDERS);
    const tries: number[] = [];
    let next = 0;
    let done = false;
    const began = Date.now();
    const killing = killAtRandom(victims, () => done);
    const sender = async () => {
      while (next < DELIVERIES) {
        const index = next++;
        // Half of them repeat an earlier delivery's id, as a sender that heard no answer does.
        const id = `msg_${index % 2 === 0 ? index : index % (2 * TICKETS)}_${index % TICKETS}`;
        tries.push(await deliver(doors, agent, secret, index % TICKETS, id));
      }
    };
    await Promise.all(Array.from({ length: SENDERS }, sender));
    const tookMs = Date.now() - began;
    done = true;
    await killing;
    say(
      `${tries.length} deliveries of ${TICKETS} tickets accepted in ${(tookMs / 1000).toFixed(0)} s; tries per delivery p50 ${quantile(tries, 0.5)}, p99 ${quantile(tries, 0.99)}, most ${Math.max(...tries)}`,
    );
    say(`killed: ${victims.map(({ name, kills }) => `${name} ${kills} times`).join(', ')}`);
    const connection = await Connection.connect({ address });
    const client = new Client({ connection, namespace });
    const count = async (more = '') =>
      (await client.workflow.count(`WorkflowType = "upgradeHostedEngine"${more}`)).count;
    await until(
      'all operations to end',
      async () => (await count(' AND ExecutionStatus = "Completed"')) >= TICKETS,
      END_LIMIT_MS,
    );
    for (let ticket = 0; ticket < TICKETS; ticket += 1) await deliver(doors, agent, secret, ticket, `late_${ticket}`);
    await until('visibility', async () => (await count()) >= TICKETS, 10_000);
    const [all, completed] = [await count(), await count(' AND ExecutionStatus = "Completed"')];
    say(
      `operations: ${all} in all, ${completed} completed; wanted exactly ${TICKETS}, after ${TICKETS} late repetitions too`,
    );
    await connection.close();
    return all === TICKETS && completed === TICKETS;
  } finally {
    await Promise.all([worker.stop(), ...doors.map((door) => door.stop())]);
    await temporal.stop();
  }
}

const dir = mkdtempSync(join(tmpdir(), 'bellwether-chaos-'));
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));
const good = await run(dir).catch((error: unknown) => {
  say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return false;
});
rmSync(dir, { recursive: true, force: true });
process.exit(good ? 0 : 1);
