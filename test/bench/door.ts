/** How fast the front door takes a signed webhook, beside the two things below it: a bare start, and a bare route. */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { defaultVmConf } from '../../infra/lab/make-fixture.ts';
import { newSecret, signedHeaders } from '../../infra/demo/ticket-desk.ts';
import { DEFAULT_TIMING } from '../../workflows/model/operation.ts';
import type { UpgradeRequest } from '../../workflows/model/requests.ts';
import { startChild } from './child.ts';
import { doorReady, type DoorSettings } from './messages.ts';
import { closedLoop, keepAlive, post, type Sent } from './senders.ts';

/** Nobody polls it: what is measured ends with Temporal's acknowledgement. */
const TASK_QUEUE = 'bench-door';
const CLUSTER = 'Default';
const ACCEPTED = 202;

export interface DoorOptions {
  readonly address: string;
  readonly client: Client;
  readonly dir: string;
  /** Requests of each kind at one sender, and at many. */
  readonly requests: { readonly one: number; readonly many: number };
  /** Longest time for one kind of request at one number of senders. */
  readonly limitMs: number;
}

export interface DoorResult {
  readonly senders: number;
  readonly webhook: Sent;
  readonly bareStart: Sent;
  readonly idleRoute: Sent;
}

/** Beside the one. */
const MANY_SENDERS = [32, 128] as const;

interface Targets {
  readonly doorUrl: string;
  readonly idleUrl: string;
  readonly secret: string;
  readonly client: Client;
}

/** Bodies and signatures are made before the clock runs: the sender's work is not the door's. */
function sign(secret: string, run: string, requests: number) {
  const vmConf = defaultVmConf();
  return Array.from({ length: requests }, (_, index) => {
    const data = { operation: 'upgrade', cluster: CLUSTER, ticket: `${run}-${index}`, vmConf };
    const body = JSON.stringify({ type: 'operation.requested', data });
    return { body, headers: signedHeaders(secret, `msg_${run}_${index}`, body, new Date()) };
  });
}

function requestFor(key: string): UpgradeRequest {
  const who = { key, ticket: key, requestedBy: 'bench' };
  return {
    version: 1,
    operation: 'upgrade',
    cluster: CLUSTER,
    ...who,
    ifBusy: 'queue',
    source: 'auto',
    vmConf: defaultVmConf(),
  };
}

async function atSenders(
  { doorUrl, idleUrl, secret, client }: Targets,
  senders: number,
  requests: number,
  limitMs: number,
): Promise<DoorResult> {
  const run = randomBytes(4).toString('hex');
  const messages = sign(secret, run, requests);
  const agent = keepAlive(senders);
  const send = (url: string) => async (index: number) => {
    const message = messages[index];
    return message !== undefined && (await post(agent, url, message.headers, message.body)) === ACCEPTED;
  };
  const start = async (index: number) => {
    const workflowId = `bare/${run}/${index}`;
    const args = [{ request: requestFor(`${run}-${index}`), timing: DEFAULT_TIMING }];
    await client.workflow.start('upgradeHostedEngine', { workflowId, taskQueue: TASK_QUEUE, args });
    return true;
  };
  try {
    const idleRoute = await closedLoop(senders, requests, limitMs, send(idleUrl));
    const bareStart = await closedLoop(senders, requests, limitMs, start);
    return { senders, idleRoute, bareStart, webhook: await closedLoop(senders, requests, limitMs, send(doorUrl)) };
  } finally {
    agent.destroy();
  }
}

export async function measureDoor(options: DoorOptions): Promise<readonly DoorResult[]> {
  const { address, client, dir, requests, limitMs } = options;
  const secret = newSecret();
  const secretFile = join(dir, 'webhook-secret');
  writeFileSync(secretFile, `${secret}\n`, { mode: 0o600 });
  const { namespace } = client.options;
  const settings: DoorSettings = { address, namespace, taskQueue: TASK_QUEUE, clusters: [CLUSTER], secretFile };
  const door = startChild('door-process.ts', settings);
  try {
    const targets = { ...(await door.hear(doorReady)), secret, client };
    await atSenders(targets, 4, 40, limitMs);
    const results = [await atSenders(targets, 1, requests.one, limitMs)];
    for (const senders of MANY_SENDERS) results.push(await atSenders(targets, senders, requests.many, limitMs));
    return results;
  } finally {
    await door.stop();
  }
}
