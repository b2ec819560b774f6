/**
 * What the broker's socket is told: the worker's own facts under the reference's names (ha-agent.md 4.1, 4.3).
 *
 * VDSM reads the board through it and sets global maintenance; the `hosted-engine` tool cleans slots. Nobody needs monitors
 * of its own any more, so "starting" one only says that it will be asked for.
 */
import { formatGlobalBlock, parseGlobalBlock } from '../../activities/storage/whiteboard.ts';
import type { VdsmClient } from '../../activities/vdsm/client.ts';
import type { Agent } from './agent.ts';
import type { Alerts } from './alerts/alerts.ts';
import type { BrokerPort, MonitorValue } from './broker/port.ts';
import { engineStatus } from './announce.ts';
import type { LinuxEnv } from './env-linux/linux-env.ts';
import type { SanlockView } from './env-linux/sanlock/view.ts';
import type { WhiteboardFile } from './env-linux/whiteboard-file.ts';
import { isAlive } from './core/peers.ts';
import type { Decision, Observation } from './core/types.ts';

/** A push of living hosts is believed for this long. */
const PUSH_MS = 60_000;

export interface BrokerPortOptions {
  readonly agent: Agent;
  readonly env: LinuxEnv;
  readonly board: WhiteboardFile;
  readonly sanlock: SanlockView;
  readonly alerts: Alerts;
  readonly client: VdsmClient;
  readonly domain: string;
  readonly hostId: number;
}

const MONITORS: Readonly<Record<string, (o: Observation, decision: Decision) => MonitorValue>> = {
  network: (o) => o.host?.network,
  'mgmt-bridge': (o) => o.host?.bridgeUp,
  'mem-free': (o) => o.host?.memFreeMb,
  'cpu-load': (o) => o.host?.cpuLoad,
  'cpu-load-no-engine': (o) => o.host?.cpuLoad.toFixed(4),
  'engine-health': (o, decision) => JSON.stringify(engineStatus(o, decision)),
  'storage-domain': (o) => o.storage?.ok,
};

interface Wish {
  readonly on: boolean;
  readonly sinceMs: number;
}

function slotsOf(env: LinuxEnv, hostId: number, wish: Wish | undefined): ReadonlyMap<number, Buffer> {
  const reading = env.board();
  const slots = new Map(reading?.slots);
  const own = env.ownSlot();
  if (own !== undefined) slots.set(hostId, own);
  const settled = wish === undefined || (reading !== undefined && reading.startedMs > wish.sinceMs);
  const global = settled || wish === undefined ? reading?.global : formatGlobalBlock(wish.on);
  if (global !== undefined) slots.set(0, global);
  return slots;
}

export function brokerPort(options: BrokerPortOptions): BrokerPort {
  const { agent, env, board, sanlock, alerts, client, domain, hostId } = options;
  const started = new Set<string>();
  /** Shown at once to whoever set it, until a reading that began later says how it is. */
  let wish: Wish | undefined;
  let pushed: { readonly atMs: number; readonly ids: readonly number[] } | undefined;
  return {
    startMonitor(type) {
      if (!Object.hasOwn(MONITORS, type)) throw new Error(`there is no monitor ${type}`);
      started.add(type);
      return type;
    },
    stopMonitor(id) {
      started.delete(id);
    },
    monitorStatus(id) {
      if (!started.has(id)) throw new Error(`monitor ${id} was never started`);
      const last = agent.last();
      return last === undefined ? undefined : MONITORS[id]?.(last.observation, last.decision);
    },
    stats: () => slotsOf(env, hostId, wish),
    async putStats(id, block) {
      if (id === 0) {
        const { maintenance, fault } = parseGlobalBlock(block);
        if (fault !== undefined) throw new Error(`slot 0 can’t become this: ${fault}`);
        wish = { on: maintenance ?? false, sinceMs: env.bootMs() };
        return agent.setGlobal(wish.on);
      }
      if (id === hostId) throw new Error('this host’s slot is written by its own worker');
      const last = agent.last();
      const peer = last?.decision.memory.peers.get(id);
      const alive =
        peer !== undefined && last !== undefined && isAlive(peer, env.bootMs(), last.observation.settings.timing);
      if (alive) throw new Error(`host ${id} lives and writes its slot itself`);
      await board.write(id, block);
    },
    pushHostsState(ids) {
      pushed = { atMs: env.bootMs(), ids };
    },
    aliveHosts() {
      const now = env.bootMs();
      if (pushed !== undefined && now - pushed.atMs <= PUSH_MS) return pushed.ids;
      const last = agent.last();
      if (last === undefined) return [];
      const { timing } = last.observation.settings;
      const others = [...last.decision.memory.peers.values()].filter((peer) => isAlive(peer, now, timing));
      return [hostId, ...others.map((peer) => peer.report.id)].sort((a, b) => a - b);
    },
    notify: (event, detail, settings) => alerts.notify(event, detail, settings),
    async startDomainMonitor(id, signal) {
      await client.call('Host.startMonitoringDomain', { sdUUID: domain, hostID: id }, { signal });
    },
    async stopDomainMonitor(signal) {
      // It would take the lease from an engine VM that runs here (ha-agent.md 9).
      const state = agent.last()?.observation.vm?.state;
      if (state !== 'absent' && state !== 'down') throw new Error('the engine VM is here, or may be');
      await client.call('Host.stopMonitoringDomain', { sdUUID: domain }, { signal });
    },
    lockHostId: () => sanlock.joinBoard(),
    releaseHostId: () => sanlock.leaveBoard(),
    resetLockspace() {
      throw new Error('use: bellwether-host lockspace reinit, which looks first whether anybody uses it');
    },
  };
}
