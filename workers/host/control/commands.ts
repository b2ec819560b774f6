/** What an administrator may order on this host, with the guards that say what they refuse and why. */
import { CounterpartError } from '../../../activities/errors.ts';
import { BLOCK_BYTES } from '../../../activities/storage/whiteboard.ts';
import type { Agent } from '../agent.ts';
import { readLocalMaintenance, writeLocalMaintenance } from '../config/ha-conf.ts';
import { isAlive } from '../core/peers.ts';
import { isHere } from '../core/remember.ts';
import { look, type Situation } from '../core/situation.ts';
import type { PeerMemory, VmAction } from '../core/types.ts';
import type { WhiteboardFile } from '../env-linux/whiteboard-file.ts';
import type { SanlockView } from '../env-linux/sanlock/view.ts';
import type { GlobalEnd } from './global-end.ts';
import type { ControlCommand } from './protocol.ts';

/** A confirmation waits this long for what it looks for. */
const CONFIRM_MS = 60_000;
const DRILL_MS = 100_000;
const LOOK_MS = 100;
const ORDER_MS = 30_000;

export interface CommandContext {
  readonly agent: Agent;
  readonly board: WhiteboardFile;
  readonly sanlock: SanlockView;
  readonly haConf: string;
  readonly hostname: string;
  readonly bootMs: () => number;
  readonly globalEnd: GlobalEnd;
  readonly perform: (action: VmAction, signal: AbortSignal) => Promise<void>;
  readonly keepPriority: (priority: number) => void;
  readonly poke: () => void;
}

type Command<Name extends ControlCommand['command']> = Extract<ControlCommand, { command: Name }>;

function refused(subject: string, what: string, why: string, remedy: string): CounterpartError {
  return new CounterpartError({ type: 'host/refused', kind: 'needs-operator', subject, what, why, remedy });
}

function situation({ agent, hostname }: CommandContext): Situation {
  const last = agent.last();
  if (last !== undefined) return look(last.decision.memory, last.observation);
  throw new CounterpartError({
    type: 'host/not-ready',
    kind: 'retryable',
    subject: hostname,
    what: 'the worker knows nothing yet',
    why: 'it has just started',
    remedy: 'Try again in a few seconds.',
  });
}

async function until(limitMs: number, met: () => boolean): Promise<boolean> {
  const deadline = performance.now() + limitMs;
  while (!met()) {
    if (performance.now() > deadline) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return true;
}

const seconds = (sinceMs: number) => `${((performance.now() - sinceMs) / 1000).toFixed(1)} s`;
const names = (peers: readonly PeerMemory[]) => peers.map((peer) => peer.report.hostname).join(', ');

/** The board as read after `askedMs`, on this host's clock. */
function boardSays(agent: Agent, askedMs: number, on: boolean): boolean {
  const board = agent.last()?.observation.board;
  return board !== undefined && board.readMs > askedMs && board.global === on;
}

async function setGlobal(context: CommandContext, on: boolean): Promise<string[]> {
  const { agent, bootMs, poke } = context;
  const asked = performance.now();
  const askedMs = bootMs();
  agent.setGlobal(on);
  poke();
  if (!(await until(CONFIRM_MS, () => boardSays(agent, askedMs, on)))) {
    throw new CounterpartError({
      type: 'host/not-confirmed',
      kind: 'retryable',
      subject: 'global maintenance',
      what: `it was ${on ? 'set' : 'cleared'} but not seen on the board within ${CONFIRM_MS / 1000} s`,
      why:
        agent.last()?.observation.board?.global === undefined
          ? 'the board can’t be read'
          : 'another host sets it otherwise, or the storage does not answer',
      remedy: 'Look at the storage and at bellwether-host status, then repeat it.',
      outcomeUnknown: true,
    });
  }
  const { alive, t } = situation(context);
  const others = alive.length === 0 ? 'no other host is alive' : `${names(alive)} will see it`;
  return [
    `global maintenance is ${on ? 'on' : 'off'}: read back from the board after ${seconds(asked)}`,
    `${others} within ${Math.ceil((2 * t.beatMs) / 1000)} s (a reference agent within 20 s)`,
  ];
}

async function setLocal(context: CommandContext, on: boolean): Promise<string[]> {
  const { agent, haConf, hostname, poke } = context;
  writeLocalMaintenance(haConf, on);
  poke();
  const seen = await until(CONFIRM_MS, () => agent.last()?.observation.localMaintenance === on);
  if (!seen || readLocalMaintenance(haConf).on !== on) {
    throw refused(
      haConf,
      'local maintenance was not confirmed',
      'the file does not say so when read again',
      'Look whether VDSM or another program writes it, then repeat it.',
    );
  }
  const s = situation(context);
  const lines = [`local maintenance of ${hostname} is ${on ? 'on' : 'off'} (${haConf}, read back)`];
  if (on && s.hosting) {
    const target = s.candidates.find(({ id }) => id !== s.me);
    const name = target === undefined ? undefined : s.m.peers.get(target.id)?.report.hostname;
    lines.push(
      name === undefined
        ? 'the engine VM is here and stays: no other host could run it now (bellwether-host what-if "capacity")'
        : `the engine VM is here and will be handed to ${name}`,
    );
  }
  return lines;
}

async function maintenance(context: CommandContext, command: Command<'maintenance'>): Promise<string[]> {
  const { globalEnd } = context;
  if (command.until !== undefined && command.mode !== 'global')
    throw refused('--until', 'it was not taken', 'only global maintenance ends by itself', 'Leave it out.');
  if (command.mode === 'local') return setLocal(context, true);
  if (command.mode === 'global') {
    const lines = await setGlobal(context, true);
    globalEnd.set({ until: command.until, reason: command.reason, by: command.by });
    if (command.reason !== undefined) lines.push(`reason: ${command.reason}`);
    lines.push(
      command.until === undefined
        ? 'it stays until somebody clears it (bellwether-host maintenance none); nothing restarts the engine meanwhile'
        : `this host clears it at ${command.until}`,
    );
    return lines;
  }
  globalEnd.clear();
  const lines = readLocalMaintenance(context.haConf).on ? await setLocal(context, false) : [];
  return [...lines, ...(await setGlobal(context, false))];
}

function refuseSecondVm(s: Situation): void {
  const where = s.elsewhere ?? s.claimant;
  if (where !== undefined)
    throw refused(
      'engine VM',
      'it is not started here',
      `${where.report.hostname} runs it, or is about to`,
      'Look at bellwether-host status.',
    );
  const owner = s.lease?.owner;
  if (owner !== undefined && owner !== s.me) {
    const name = s.m.peers.get(owner)?.report.hostname ?? `host ${owner}`;
    const silent = Math.round((s.lease?.ownerSilentMs ?? 0) / 1000);
    throw refused(
      'engine VM',
      'it is not started here',
      `${name} holds its lease (renewed ${silent} s ago)`,
      `Stop it there, or wait until its lease runs out (${Math.round(s.t.hostDeadMs / 1000)} s after the last renewal).`,
    );
  }
}

async function vm(context: CommandContext, { action, force, by }: Command<'vm'>): Promise<string[]> {
  const s = situation(context);
  const { perform, hostname } = context;
  if (action === 'start') {
    if (s.hosting)
      throw refused('engine VM', 'it is not started', `it is here already (${s.m.vmState})`, 'Nothing is to be done.');
    refuseSecondVm(s);
    if (s.cannotRun !== '' && !force)
      throw refused(
        'engine VM',
        'it is not started here',
        `${hostname}: ${s.cannotRun}`,
        'Mend that, start it on another host, or say --force.',
      );
    await perform({ kind: 'start' }, AbortSignal.timeout(ORDER_MS));
    return [
      `VDSM took the order of ${by} to start the engine VM on ${hostname}; its lease decides. See bellwether-host why.`,
    ];
  }
  if (!s.hosting) {
    const where =
      s.elsewhere === undefined ? 'no living host says that it has it' : `${s.elsewhere.report.hostname} has it`;
    throw refused('engine VM', `there is none on ${hostname}`, where, 'Give the order on that host.');
  }
  if (!s.m.global && !force)
    throw refused(
      'engine VM',
      'it is not stopped',
      'without global maintenance the workers start it again within seconds',
      'bellwether-host maintenance global first, or say --force.',
    );
  await perform({ kind: action === 'shutdown' ? 'shutdown' : 'destroy' }, AbortSignal.timeout(ORDER_MS));
  const how = action === 'shutdown' ? 'to shut its guest down' : 'to cut its power';
  return [
    `VDSM took the order of ${by} ${how}${s.m.global ? '; global maintenance keeps it down' : '; it will be started again'}`,
  ];
}

async function cleanSlot(context: CommandContext, { hostId, force }: Command<'slot-clean'>): Promise<string[]> {
  const s = situation(context);
  const { board } = context;
  const subject = `slot ${hostId}`;
  if (hostId === s.me)
    throw refused(
      subject,
      'it is not cleaned',
      'it is this host’s own, and the worker would write it again',
      'Stop the worker and clean it from another host.',
    );
  const peer = s.m.peers.get(hostId);
  if (peer !== undefined && isAlive(peer, s.now, s.t))
    throw refused(
      subject,
      'it is not cleaned',
      `${peer.report.hostname} lives and writes it`,
      'Stop its worker or agent first.',
    );
  if (s.lease?.owner === hostId && !force)
    throw refused(
      subject,
      'it is not cleaned',
      'that host holds the lease of the engine VM',
      'Make sure that it is dead, then say --force.',
    );
  await board.write(hostId, Buffer.alloc(BLOCK_BYTES));
  const { slots } = await board.read([hostId]);
  const bytes = slots.get(hostId);
  if (bytes === undefined || bytes.some((byte) => byte !== 0))
    throw refused(subject, 'it was written but is not empty', 'somebody writes it', 'Look which host has this id.');
  return [
    `${subject} is empty: read back from the board${peer === undefined ? '' : ` (it was ${peer.report.hostname})`}`,
  ];
}

async function reinitLockspace(context: CommandContext, { force }: Command<'lockspace-reinit'>): Promise<string[]> {
  const s = situation(context);
  const subject = 'lockspace hosted-engine';
  if (!s.m.global)
    throw refused(
      subject,
      'it is not written anew',
      'global maintenance is off',
      'bellwether-host maintenance global first.',
    );
  if (s.hosting || s.elsewhere !== undefined)
    throw refused(
      subject,
      'it is not written anew',
      `the engine VM runs on ${s.elsewhere?.report.hostname ?? context.hostname}`,
      'Stop it first: bellwether-host vm shutdown.',
    );
  if (s.alive.length > 0 && !force)
    throw refused(
      subject,
      'it is not written anew',
      `${names(s.alive)} may be using it`,
      'Stop the workers and agents of all other hosts, or say --force.',
    );
  await context.sanlock.reinitialiseBoard();
  return [
    `${subject} was written anew and joined by this host; start the other hosts’ workers, then leave global maintenance`,
  ];
}

/** Moves the healthy engine VM to the host that a failure would bring it to, and says how long that took. */
async function drill(context: CommandContext): Promise<string[]> {
  const s = situation(context);
  const subject = 'drill';
  if (s.m.global) throw refused(subject, 'it is not held', 'global maintenance is on', 'Leave it first.');
  if (!s.hosting || s.o.health?.engine !== 'good')
    throw refused(
      subject,
      'it is not held',
      s.hosting ? 'the engine is not healthy' : 'the engine VM is not on this host',
      'Hold it where the healthy engine is.',
    );
  const target = s.candidates.find(({ id }) => id !== s.me);
  const name = target === undefined ? undefined : s.m.peers.get(target.id)?.report.hostname;
  if (target === undefined || name === undefined) {
    const why = s.alive
      .map((peer) => `${peer.report.hostname}: ${peer.report.said?.cannotRun || `score ${peer.report.score}`}`)
      .join('; ');
    throw refused(
      subject,
      'it is not held',
      `no other host could run the engine now (${why || 'none is alive'})`,
      'Mend that first: a failure of this host would stop the engine.',
    );
  }
  const began = performance.now();
  await context.perform({ kind: 'migrate', to: target.id }, AbortSignal.timeout(ORDER_MS));
  const there = () => {
    const last = context.agent.last();
    const report = last?.decision.memory.peers.get(target.id)?.report;
    return (
      last !== undefined && !isHere(last.decision.memory.vmState) && report?.vm === 'up' && report.health === 'good'
    );
  };
  if (!(await until(DRILL_MS, there)))
    throw refused(
      subject,
      `the engine VM did not come up well on ${name}`,
      `not seen within ${DRILL_MS / 1000} s`,
      'See bellwether-host why, here and there.',
    );
  return [`the engine VM was migrated to ${name}; that host reported it healthy after ${seconds(began)}`];
}

/** Carries out one command; lines for people. @throws CounterpartError for what is refused or not confirmed */
export async function performCommand(context: CommandContext, command: ControlCommand): Promise<readonly string[]> {
  switch (command.command) {
    case 'maintenance':
      return maintenance(context, command);
    case 'priority':
      context.keepPriority(command.value);
      context.agent.change({ priority: command.value });
      context.poke();
      return [`this host’s priority is ${command.value}; the others read it with its next block`];
    case 'vm':
      return vm(context, command);
    case 'slot-clean':
      return cleanSlot(context, command);
    case 'lockspace-reinit':
      return reinitLockspace(context, command);
    case 'drill':
      return drill(context);
  }
}
