/** The worker's parts once VDSM and the storage have answered: monitors, board, lease, loop, broker's socket. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CounterpartError } from '../../activities/errors.ts';
import type { VdsmClient } from '../../activities/vdsm/client.ts';
import type { Logger } from '../../activities/vdsm/logger.ts';
import { createAgent, type Agent } from './agent.ts';
import { createAlerts, type Alerts } from './alerts/alerts.ts';
import type { WebhookTarget } from './alerts/webhook.ts';
import { startBroker, type Broker } from './broker/server.ts';
import { brokerPort } from './broker-port.ts';
import { watchDefinition, type DefinitionWatch } from './config/definition.ts';
import type { HostedEngineFacts } from './config/hosted-engine.ts';
import { timingFor, type WorkerConf } from './config/worker-conf.ts';
import { performCommand } from './control/commands.ts';
import { watchGlobalEnd, type GlobalEnd } from './control/global-end.ts';
import type { ControlCommand } from './control/protocol.ts';
import type { Timing } from './core/timing.ts';
import type { Settings, VmAction } from './core/types.ts';
import type { JournalEntry } from './env.ts';
import { keptFile } from './env-linux/kept-file.ts';
import { createLinuxEnv, type LinuxEnv, type LinuxEnvOptions } from './env-linux/linux-env.ts';
import { cpuLoad } from './env-linux/monitors/cpu.ts';
import { askHealth } from './env-linux/monitors/health.ts';
import { monitorNetwork, networkTargets } from './env-linux/monitors/network.ts';
import type { Notifier } from './env-linux/notify.ts';
import { openSanlock } from './env-linux/sanlock/view.ts';
import { performOrder, type OrderContext } from './env-linux/vdsm/orders.ts';
import type { StoragePlaces } from './env-linux/vdsm/storage.ts';
import { watchVdsm } from './env-linux/vdsm/watch.ts';
import { repeat } from './env-linux/repeat.ts';
import { openWhiteboard } from './env-linux/whiteboard-file.ts';
import { openJournal, type Journal } from './journal/journal-file.ts';
import type { HostMetrics } from './metrics/text.ts';
import { drive, type Loop } from './loop.ts';

const DEFINITION_MS = 60_000;
const REJOIN_MS = 5000;
const JOURNAL_BYTES = 16 * 2 ** 20;
const JOURNAL_FILES = 8;
const RECENT = 50;
/** The last block gets this long to reach the storage. */
const LAST_WRITE_MS = 5000;
/** vdsm:kvm, who may use the broker's socket (ha-agent.md 4.1). */
const VDSM = { uid: 36, gid: 36 } as const;
const LOCKSPACE = 'hosted-engine';

export interface PartsOptions {
  readonly conf: WorkerConf;
  readonly facts: HostedEngineFacts;
  readonly places: StoragePlaces;
  readonly hostname: string;
  readonly version: string;
  readonly client: VdsmClient;
  readonly bootMs: () => number;
  readonly log: Logger;
  readonly notifier: Notifier;
}

export interface Parts {
  readonly agent: Agent;
  readonly journalFile: string;
  recent(): readonly JournalEntry[];
  definition(): { readonly source: string; readonly notes: readonly string[] };
  /** Slots by host id, as they were read last. */
  board(): ReadonlyMap<number, Buffer>;
  /** How journal and HA metadata are doing. */
  metrics(): NonNullable<HostMetrics['parts']>;
  perform(command: ControlCommand): Promise<readonly string[]>;
  stop(): Promise<void>;
}

/** What `bellwether-host priority` set last; it outlives the process. */
function keptPriority(file: string): number | undefined {
  try {
    const value = Number(readFileSync(file, 'utf8'));
    return Number.isInteger(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function webhookOf(conf: WorkerConf): { webhook?: WebhookTarget } {
  const { 'webhook-url': url, 'webhook-secret-file': secretFile, 'webhook-ca': caFile } = conf;
  if (url === undefined || secretFile === undefined) return {};
  return { webhook: { url, secretFile, ...(caFile === undefined ? {} : { caFile }) } };
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

/** `host2=10.0.0.2:54321 host3=…` */
function peersIn(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(/[\s,]+/).flatMap((word): [string, string][] => {
    const [name = '', address = ''] = word.split('=', 2);
    return name === '' || address === '' ? [] : [[name, address]];
  });
  return new Map(pairs);
}

function unknownHost(id: number): CounterpartError {
  return new CounterpartError({
    type: 'host/unknown-host',
    kind: 'retryable',
    subject: `host ${id}`,
    what: 'the engine VM can’t be migrated there',
    why: 'the board names no such host',
    remedy: 'It is tried again by itself when the host writes to the board.',
  });
}

/** Whoever watches the world for this worker. */
function startMonitors({ conf, facts, places, client, bootMs, log }: PartsOptions, timing: Timing, poke: () => void) {
  const sanlock = openSanlock({
    socketPath: conf['sanlock-socket'],
    hostId: facts.hostId,
    domainLockspace: facts.domain,
    lease: places.lease,
    board: { name: LOCKSPACE, path: places.lockspace, offset: 0, ioSeconds: timing.profile.ioSeconds },
    watchdogSeconds: timing.profile.watchdogSeconds,
    pollMs: timing.beatMs,
    bootMs,
  });
  sanlock.onChange(poke);
  const { vmId, domain, hostId, bridge } = facts;
  const changed = () => {
    // The VM's lease may have changed hands with it.
    sanlock.lookNow();
    poke();
  };
  return {
    sanlock,
    board: openWhiteboard({ path: places.metadata, limitMs: Math.max(4000, 3 * timing.beatMs), now: bootMs }),
    vdsm: watchVdsm({ client, vmId, domain, hostId, bridge, everyMs: timing.beatMs, bootMs, changed }),
    network: monitorNetwork(networkTargets(facts.network, conf['network-targets']), {
      everyMs: Math.min(2000, timing.beatMs),
      bootMs,
      changed: poke,
    }),
    /** An id that is lost, or could not be taken, is taken as soon as sanlock lets it. */
    joined: repeat(REJOIN_MS, 2 ** 30, async () => {
      if (sanlock.boardJoined()) return;
      await sanlock.joinBoard().catch((error: unknown) => {
        log.warn({ error: String(error) }, 'the board’s lockspace could not be joined; it is tried again');
      });
    }),
  };
}

class Worker implements Parts {
  readonly agent: Agent;
  readonly journalFile: string;
  readonly #options: PartsOptions;
  readonly #timing: Timing;
  readonly #journal: Journal;
  readonly #loop: Loop;
  readonly #monitors: ReturnType<typeof startMonitors>;
  readonly #definition: DefinitionWatch;
  readonly #alerts: Alerts;
  readonly #env: LinuxEnv;
  readonly #globalEnd: GlobalEnd;
  readonly #priorityFile: string;
  #state = '';
  #broker: Broker | undefined;

  constructor(options: PartsOptions) {
    const { conf, facts, hostname, log, notifier } = options;
    this.#options = options;
    this.#timing = timingFor(conf);
    this.journalFile = this.#file('journal.jsonl');
    this.#priorityFile = this.#file('priority');
    this.#journal = openJournal({
      file: this.journalFile,
      maxBytes: JOURNAL_BYTES,
      keep: JOURNAL_FILES,
      wallMs: () => Date.now(),
      version: options.version,
      boot: bootId(),
      report: (text) => log.warn({ journal: this.journalFile }, text),
    });
    this.#loop = drive(() => this.#round(), notifier, log);
    this.#monitors = startMonitors(options, this.#timing, () => this.#loop.poke());
    this.#definition = this.#watchDefinition();
    this.#alerts = createAlerts(
      { hostname, stateFile: this.#file('told.json'), ...webhookOf(conf) },
      {
        brokerConf: () => this.#definition.brokerConf(),
        wallMs: () => Date.now(),
        log: (level, text) => log[level]({}, text),
      },
    );
    this.#env = createLinuxEnv(this.#envOptions());
    this.agent = createAgent({ env: this.#env, settings: this.#settings(facts.hostId), hostname });
    this.#globalEnd = watchGlobalEnd(this.#file('global-maintenance.json'), this.agent, log);
  }

  #file(name: string): string {
    return join(this.#options.conf['state-dir'], name);
  }

  #watchDefinition(): DefinitionWatch {
    const { client, facts, log } = this.#options;
    return watchDefinition({
      client,
      facts,
      everyMs: DEFINITION_MS,
      changed: (found) => {
        log.info({ source: found.source, memoryMb: found.memoryMb }, 'the engine VM’s definition');
        this.agent.change({ vmMemoryMb: found.memoryMb });
      },
    });
  }

  #settings(hostId: number): Settings {
    const { conf } = this.#options;
    return {
      hostId,
      timing: this.#timing,
      // Until the definition is known nothing may count as having room for it.
      vmMemoryMb: Number.MAX_SAFE_INTEGER,
      priority: keptPriority(this.#priorityFile) ?? conf.priority,
      canMigrate: conf.migrate,
    };
  }

  #round(): number {
    const next = this.agent.wake();
    const last = this.agent.last();
    const state = last?.decision.memory.state ?? '';
    if (last === undefined || state === this.#state) return next;
    const { rule } = last.decision.memory;
    this.#options.log.info({ from: this.#state, to: state, rule, score: last.decision.score.value }, 'state');
    if (this.#state !== '') this.#alerts.transition(this.#state, state, last);
    this.#state = state;
    return next;
  }

  readonly #perform = (action: VmAction, signal: AbortSignal): Promise<void> => {
    const { client, conf, facts } = this.#options;
    const addresses = peersIn(conf['migration-peers']);
    const orders: OrderContext = {
      client,
      vmId: facts.vmId,
      guestStopMs: this.#timing.guestStopMs,
      domainXml: () => this.#definition.domainXml(),
      addressOf: (id) => {
        const name = this.agent.last()?.decision.memory.peers.get(id)?.report.hostname;
        if (name === undefined) throw unknownHost(id);
        return addresses.get(name) ?? name;
      },
    };
    return performOrder(orders, action, signal);
  };

  #envOptions(): LinuxEnvOptions {
    const { conf, facts, bootMs, log } = this.#options;
    const { sanlock, board, vdsm, network } = this.#monitors;
    const healthUrl = conf['health-url'] ?? `http://${facts.fqdn}/ovirt-engine/services/health`;
    return {
      bootMs,
      vdsm,
      network,
      cpu: cpuLoad(),
      lease: () => sanlock.fact(),
      board,
      hostId: facts.hostId,
      mayWrite: () => sanlock.boardJoined(),
      health: (signal) => askHealth(healthUrl, conf['health-ca'], signal),
      healthEveryMs: Math.min(5000, this.#timing.beatMs),
      perform: this.#perform,
      haConf: conf['ha-conf'],
      definitionKnown: () => this.#definition.current()?.xml !== undefined,
      shuttingDown: () => this.#loop.shuttingDown(),
      journal: (entry) => this.#journal.append(entry),
      alert: (alert) => {
        const round = this.agent.last();
        log.warn({ alert: alert.kind }, alert.text);
        if (round !== undefined) this.#alerts.alert(alert, round);
      },
      kept: keptFile({
        file: this.#file('kept.json'),
        bootMs,
        bootId: bootId(),
        problem: (why) => log.warn({ why }, 'the kept counts'),
      }),
      log,
      poke: () => this.#loop.poke(),
    };
  }

  /** Takes the broker's socket, and only then begins: another agent on this host must not be doubled. */
  async begin(): Promise<void> {
    const { conf, facts, client, log } = this.#options;
    const { sanlock, board } = this.#monitors;
    const { hostId, domain } = facts;
    this.#broker = await startBroker({
      port: brokerPort({
        agent: this.agent,
        env: this.#env,
        board,
        sanlock,
        alerts: this.#alerts,
        client,
        domain,
        hostId,
      }),
      place: {
        path: conf['broker-socket'],
        mode: 0o660,
        // Only root can give a file away; where the worker is tried out without, it stays its user's.
        ...(process.getuid?.() === 0 && existsSync('/etc/vdsm') ? { owner: VDSM } : {}),
      },
      onFailed: ({ method, why }) => log.info({ method, why }, 'a call of the broker’s socket failed'),
    });
    this.#loop.begin();
  }

  recent = () => this.#journal.recent(RECENT);
  metrics = () => ({ journal: this.#journal.stats(), board: this.#monitors.board.health() });
  definition = () => ({
    source: this.#definition.current()?.source ?? 'none yet',
    notes: this.#definition.notes(),
  });
  board = () => this.#env.board()?.slots ?? new Map<number, Buffer>();

  perform(command: ControlCommand): Promise<readonly string[]> {
    const { conf, hostname, bootMs } = this.#options;
    const { board, sanlock } = this.#monitors;
    return performCommand(
      {
        agent: this.agent,
        board,
        sanlock,
        haConf: conf['ha-conf'],
        hostname,
        bootMs,
        globalEnd: this.#globalEnd,
        perform: this.#perform,
        keepPriority: (priority) => writeFileSync(this.#priorityFile, `${priority}\n`),
        poke: () => this.#loop.poke(),
      },
      command,
    );
  }

  async stop(): Promise<void> {
    const { log } = this.#options;
    const { sanlock, board, vdsm, network, joined } = this.#monitors;
    await this.#loop.handOver(() => this.agent.last()?.observation.vm?.state);
    this.#loop.end();
    this.#globalEnd.stop();
    joined.stop();
    this.agent.stop();
    await Promise.race([this.#env.written(), new Promise((resolve) => setTimeout(resolve, LAST_WRITE_MS).unref())]);
    await sanlock.leaveBoard().catch((error: unknown) => log.warn({ error: String(error) }, 'the board’s lockspace'));
    this.#definition.stop();
    network.stop();
    vdsm.stop();
    this.#env.close();
    sanlock.close();
    board.close();
    await this.#broker?.close();
    await this.#alerts.close();
    this.#journal.close();
  }
}

/** @throws CounterpartError when the broker's socket can't be had */
export async function startParts(options: PartsOptions): Promise<Parts> {
  const worker = new Worker(options);
  try {
    await worker.begin();
  } catch (error) {
    await worker.stop();
    throw error;
  }
  return worker;
}
