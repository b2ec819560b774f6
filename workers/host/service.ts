/** The worker as a service (`bellwether-host run`): waits for VDSM and storage, then drives the loop until it is told to end. */
import { mkdirSync } from 'node:fs';
import { hostname as systemHostname } from 'node:os';
import { dirname } from 'node:path';
import { CounterpartError } from '../../activities/errors.ts';
import { VdsmClient } from '../../activities/vdsm/client.ts';
import type { Logger } from '../../activities/vdsm/logger.ts';
import type { Agent } from './agent.ts';
import { readHostedEngine, type HostedEngineFacts } from './config/hosted-engine.ts';
import type { WorkerConf } from './config/worker-conf.ts';
import { startControl } from './control/server.ts';
import { bootClock } from './env-linux/clock.ts';
import { systemdNotifier } from './env-linux/notify.ts';
import { connectStorage, type StoragePlaces } from './env-linux/vdsm/storage.ts';
import { encodeSnapshot } from './journal/codec.ts';
import { writeMetrics } from './metrics/file.ts';
import { startParts, type Parts } from './parts.ts';
import type { Snapshot } from './snapshot.ts';

/** Before VDSM and the storage answer there is nothing to do but ask again. */
const START_RETRY_MS = 3000;
const START_LIMIT_MS = 60_000;

export interface ServiceOptions {
  readonly conf: WorkerConf;
  readonly version: string;
  readonly log: Logger;
}

export interface RunningWorker {
  /** undefined until VDSM and the storage have answered. */
  agent(): Agent | undefined;
  /** Writes the last block, lets go of the host id, and ends. The engine VM stays as it is. */
  stop(): Promise<void>;
}

function vdsmClient(conf: WorkerConf, name: string, log: Logger): VdsmClient {
  return new VdsmClient({
    name,
    address: conf['vdsm-address'],
    port: conf['vdsm-port'],
    ca: conf['vdsm-ca'],
    cert: conf['vdsm-cert'],
    key: conf['vdsm-key'],
    backOffMs: { first: 100, max: 2000 },
    logger: log,
  });
}

/** Asks until VDSM has connected the storage; each reason is logged once. */
async function storageReady(
  client: VdsmClient,
  facts: HostedEngineFacts,
  log: Logger,
  ending: AbortSignal,
  waits: (why: string) => void,
): Promise<StoragePlaces> {
  let said = '';
  for (;;) {
    try {
      const limit = AbortSignal.any([AbortSignal.timeout(START_LIMIT_MS), ending]);
      return await connectStorage(client, facts, limit);
    } catch (error) {
      ending.throwIfAborted();
      const why =
        error instanceof CounterpartError
          ? `${error.facts.what}: ${error.facts.why}`
          : error instanceof Error
            ? error.message
            : String(error);
      waits(why);
      if (why !== said) log.warn({ why }, 'waiting for VDSM and the hosted-engine storage');
      said = why;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, START_RETRY_MS);
        ending.addEventListener('abort', () => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }
}

function notReady(hostname: string, waitsFor: string): CounterpartError {
  return new CounterpartError({
    type: 'host/not-ready',
    kind: 'retryable',
    subject: hostname,
    what: 'the worker can do nothing yet',
    why: `it waits for VDSM and the storage: ${waitsFor}`,
    remedy: 'Look at vdsmd and at the storage; the worker goes on by itself.',
  });
}

/**
 * Starts the worker; resolves when its control socket listens, which is before VDSM and the storage have answered.
 * @throws CounterpartError when its configuration can't be used or another worker has its sockets
 */
export async function startService({ conf, version, log }: ServiceOptions): Promise<RunningWorker> {
  const facts = readHostedEngine(conf['hosted-engine-conf']);
  const hostname = conf.hostname ?? systemHostname();
  const bootMs = bootClock();
  const startedMs = bootMs();
  const folders = [dirname(conf['control-socket']), dirname(conf['broker-socket']), conf['state-dir']];
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  const ending = new AbortController();
  const notifier = systemdNotifier();
  const client = vdsmClient(conf, hostname, log);
  let waitsFor = 'VDSM and the storage have not been asked yet';
  let parts: Parts | undefined;

  const snapshot = (): Snapshot => {
    const last = parts?.agent.last();
    return {
      version,
      hostname,
      pid: process.pid,
      nowMs: bootMs(),
      startedMs,
      round: last,
      recent: parts?.recent() ?? [],
      storage: last?.observation.storage,
      definition: parts?.definition() ?? { source: 'none yet', notes: [waitsFor] },
      journalFile: parts?.journalFile ?? `${conf['state-dir']}/journal.jsonl`,
    };
  };
  const control = await startControl({
    place: { path: conf['control-socket'], role: 'worker' },
    snapshot: () => encodeSnapshot(snapshot()),
    board: () => parts?.board() ?? new Map(),
    perform: async (command) => {
      if (parts === undefined) throw notReady(hostname, waitsFor);
      return parts.perform(command);
    },
  });
  const { 'metrics-file': metricsFile } = conf;
  const metrics =
    metricsFile === undefined
      ? undefined
      : writeMetrics({ file: metricsFile, facts: () => ({ ...snapshot(), parts: parts?.metrics() }), log });
  const begun = (async () => {
    const places = await storageReady(client, facts, log, ending.signal, (why) => (waitsFor = why));
    parts = await startParts({ conf, facts, places, hostname, version, client, bootMs, log, notifier });
    notifier.ready(`host ${facts.hostId}, ${conf.profile} profile`);
    log.info({ hostId: facts.hostId, profile: conf.profile, metadata: places.metadata }, 'the worker runs');
  })();
  // A start that was broken off by stop() is no failure.
  const failed = begun.catch((error: unknown) => {
    if (ending.signal.aborted) return;
    log.warn({ error: String(error) }, 'the worker can’t start');
    process.exitCode = 1;
    process.kill(process.pid, 'SIGTERM');
  });
  return {
    agent: () => parts?.agent,
    async stop() {
      notifier.stopping();
      ending.abort(new Error('the worker is ending'));
      await failed;
      await metrics?.stop();
      await parts?.stop();
      await control.close();
      await client.close();
    },
  };
}
