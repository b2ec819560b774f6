/**
 * One host's slot on the whiteboard, read and emptied from outside without touching the others: hosts that live go on
 * writing theirs meanwhile.
 */
import type { BoardFacts } from '../../workflows/model/hosted-engine.ts';
import type { StepCall } from '../../workflows/model/operation.ts';
import type { Cluster } from '../clusters.ts';
import { CounterpartError } from '../errors.ts';
import { poll, type StepContext } from '../step-context.ts';
import type { VdsmClient } from '../vdsm/client.ts';
import { readRange, writeRange } from '../vdsm/image-io.ts';
import { callOptions } from './volumes.ts';
import { BLOCK_BYTES, parseHostBlock, slotOffset } from './whiteboard.ts';

/** Two beats and a half: an agent that lives writes its slot every 10 s (ha-agent.md 1.6). */
const LIFE_WINDOW_MS = 25_000;
const LOOK_MS = 1000;

/** A host's slot, reached through a host that has the domain. */
export class Slot {
  readonly hostId: number;
  readonly #through: VdsmClient;
  readonly #board: BoardFacts;
  readonly #call: StepCall;
  readonly #context: StepContext;

  constructor(through: VdsmClient, board: BoardFacts, hostId: number, call: StepCall, context: StepContext) {
    this.#through = through;
    this.#board = board;
    this.hostId = hostId;
    this.#call = call;
    this.#context = context;
  }

  get #volume() {
    const { id, metadata } = this.#board.domain;
    return { domain: id, ...metadata };
  }

  read(): Promise<Buffer> {
    const range = { offset: slotOffset(this.hostId), length: BLOCK_BYTES };
    return readRange(this.#through, this.#volume, range, callOptions(this.#call, this.#context.signal));
  }

  /**
   * Watches whether somebody writes it. A row whose agent said good-bye is not waited for.
   * @returns the row's host name as soon as the row changes; undefined: nobody
   */
  async writer(): Promise<string | undefined> {
    const first = await this.read();
    if (saysGone(first)) return undefined;
    const what = `a sign of life in slot ${this.hostId} of the HA metadata`;
    const seen = await poll(this.#context, { what, everyMs: LOOK_MS, limitMs: LIFE_WINDOW_MS }, async () => {
      const now = await this.read();
      return now.equals(first) ? undefined : now;
    });
    // An agent's last write, its good-bye, may come while it is watched: that is no life.
    return seen === undefined || saysGone(seen) ? undefined : slotOwner(seen);
  }

  /**
   * Empties it and reads it back. @returns whose row it was; undefined when it was empty
   * @throws CounterpartError retryable when somebody wrote it at the same moment
   */
  async clear(): Promise<string | undefined> {
    const before = await this.read();
    if (isEmpty(before)) return undefined;
    const options = callOptions(this.#call, this.#context.signal);
    await writeRange(this.#through, this.#volume, slotOffset(this.hostId), Buffer.alloc(BLOCK_BYTES), options);
    if (isEmpty(await this.read())) return slotOwner(before);
    throw new CounterpartError({
      type: 'ha/slot-not-empty',
      kind: 'retryable',
      subject: `slot ${this.hostId} of the HA metadata`,
      what: 'it was emptied but is not empty',
      why: 'somebody wrote it at the same moment',
      remedy: 'It is tried again by itself; if it lasts, an HA agent with this host id runs somewhere.',
    });
  }
}

/** Nobody's, or its agent said good-bye. */
function saysGone(slot: Buffer): boolean {
  const reading = parseHostBlock(slot);
  return reading.kind === 'empty' || (reading.kind === 'host' && reading.block.stopped);
}

function isEmpty(slot: Buffer): boolean {
  return slot.every((byte) => byte === 0);
}

/** For people. */
function slotOwner(slot: Buffer): string {
  const reading = parseHostBlock(slot);
  return reading.kind === 'host' ? reading.block.hostname : `an unreadable row (${reading.kind})`;
}

/**
 * The slot through a host that sees the hosted-engine domain and is not the one concerned.
 * @throws CounterpartError retryable when there is none
 */
export async function slotOf(
  cluster: Cluster,
  { board, hostId, except }: { readonly board: BoardFacts; readonly hostId: number; readonly except: string },
  call: StepCall,
  context: StepContext,
): Promise<Slot> {
  const seen: string[] = [];
  for (const host of await cluster.hosts.reachable(context.signal)) {
    if (host.name === except) continue;
    const vitals = await host.call('Host.getStorageRepoStats', {}, { signal: context.signal });
    if (vitals[board.domain.id]?.valid === true) return new Slot(host, board, hostId, call, context);
    seen.push(`${host.name} does not see it`);
  }
  throw new CounterpartError({
    type: 'ha/no-host-for-slot',
    kind: 'retryable',
    subject: `storage domain ${board.domain.id}`,
    what: 'no host can reach the HA metadata on it',
    why: seen.join('; ') || `no host answers beside ${except}`,
    remedy: 'Bring up a hosted-engine host; it is tried again by itself.',
  });
}
