/** Keeps one good connection to a host: dial, recovery, back-off, shared by all calls (vdsm.md 13). */
import { CounterpartError } from '../errors.ts';
import { abortReason, pause, type Clock } from './clock.ts';
import { needsOperator, type VdsmPeer } from './dial.ts';
import { isCode } from './errors.ts';
import { Exchange } from './exchange.ts';
import { lostError } from './link-errors.ts';
import type { Logger } from './logger.ts';

export interface LinkOptions {
  readonly heartBeatMs: number;
  readonly connectTimeoutMs: number;
  /** After a connect, hold calls back until ping2 no longer answers 99. */
  readonly awaitRecovery: boolean;
  readonly recoveryTimeoutMs: number;
  readonly recoveryPollMs: number;
  /** First and largest pause between dials; doubled in between, then a random half is taken off. */
  readonly backOffMs: { readonly first: number; readonly max: number };
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface LinkEvents {
  onEvent(body: Buffer): void;
  /** Subscribed to events on a new connection. */
  onSubscribed(): void;
}

/** vdsm.md 13: a longer ping means that the workers are stuck, which heart-beats don't show. */
const PING_TIMEOUT_MS = 5_000;

/** Jittered, so that clients cut off together do not come back together: VDSM's backlog is 5 connections. */
export function backOff(limits: LinkOptions['backOffMs'], failures: number): number {
  if (failures === 0) return 0;
  const full = Math.min(limits.max, limits.first * 2 ** Math.min(failures - 1, 20));
  return full / 2 + (Math.random() * full) / 2;
}

export class Link {
  readonly #peer: VdsmPeer;
  readonly #options: LinkOptions;
  readonly #events: LinkEvents;
  readonly #closing = new AbortController();
  #current: Exchange | undefined;
  #attempt: Promise<Exchange> | undefined;
  #failures = 0;
  #trouble: CounterpartError | undefined;
  #eventsWanted = false;
  #watching = false;

  constructor(peer: VdsmPeer, options: LinkOptions, events: LinkEvents) {
    this.#peer = peer;
    this.#options = options;
    this.#events = events;
  }

  /** Why there is no connection right now. */
  get trouble(): CounterpartError | undefined {
    return this.#trouble;
  }

  /**
   * The connection, dialled if need be; failed dials are repeated until `signal` ends the wait.
   * @throws CounterpartError at once when only an operator can help (certificates); the signal's reason
   */
  async ready(signal: AbortSignal): Promise<Exchange> {
    for (;;) {
      if (signal.aborted) throw abortReason(signal);
      if (this.#closing.signal.aborted) throw abortReason(this.#closing.signal);
      if (this.#current?.isOpen === true) return this.#current;
      try {
        return await unlessAborted(this.#dial(), signal);
      } catch (error) {
        if (signal.aborted || this.#closing.signal.aborted || needsOperator(error)) throw error;
        if (!(error instanceof CounterpartError)) throw error;
      }
    }
  }

  /** From now on the link keeps itself up, for the events' sake; `false` ends that. */
  wantEvents(wanted: boolean): void {
    this.#eventsWanted = wanted;
    if (!wanted || this.#closing.signal.aborted) return;
    if (this.#current?.isOpen === true) {
      this.#current.subscribeEvents();
      queueMicrotask(() => this.#events.onSubscribed());
    }
    if (!this.#watching) void this.#watch();
  }

  async close(): Promise<void> {
    this.#eventsWanted = false;
    this.#closing.abort(lostError(this.#peer.name, 'closed', 'this client was closed', 'Make a new client'));
    const exchange = this.#current ?? (await this.#attempt?.catch(() => undefined));
    await exchange?.close();
  }

  async #watch(): Promise<void> {
    this.#watching = true;
    while (this.#eventsWanted) {
      try {
        const exchange = this.#current?.isOpen === true ? this.#current : await this.#dial();
        await exchange.ended;
      } catch {
        // #connect has noted and logged it, and its back-off paces this loop.
      }
    }
    this.#watching = false;
  }

  /** One attempt at a time, whoever waits for it. */
  #dial(): Promise<Exchange> {
    this.#attempt ??= this.#connect().finally(() => {
      this.#attempt = undefined;
    });
    return this.#attempt;
  }

  async #connect(): Promise<Exchange> {
    const { clock, logger } = this.#options;
    const { signal } = this.#closing;
    const host = this.#peer.name;
    await pause(clock, backOff(this.#options.backOffMs, this.#failures), signal);
    let exchange: Exchange | undefined;
    try {
      const events = this.#eventsWanted;
      const onEvent = (body: Buffer) => this.#events.onEvent(body);
      exchange = await Exchange.open(this.#peer, { ...this.#options, events, signal, onEvent });
      if (this.#options.awaitRecovery) await this.#recover(exchange);
      if (!exchange.isOpen) throw lostError(host, 'connection-lost', 'closed while it was set up', 'It is tried again');
      signal.throwIfAborted();
    } catch (error) {
      this.#failures += 1;
      if (error instanceof CounterpartError) this.#trouble = error;
      logger.warn({ host, failures: this.#failures, error: String(error) }, 'no connection to VDSM');
      await exchange?.close();
      throw error;
    }
    this.#adopt(exchange);
    return exchange;
  }

  #adopt(exchange: Exchange): void {
    this.#failures = 0;
    this.#trouble = undefined;
    this.#current = exchange;
    this.#options.logger.info({ host: this.#peer.name }, 'connected to VDSM');
    void exchange.ended.then(() => {
      // A peer that takes each connection and drops it must not be dialled without a pause.
      this.#failures = Math.max(this.#failures, 1);
      if (this.#current === exchange) this.#current = undefined;
    });
    if (!this.#eventsWanted) return;
    // Wanted only since the dial began: does nothing if the opening bytes had it.
    exchange.subscribeEvents();
    this.#events.onSubscribed();
  }

  /** VDSM answers 99 to everything for seconds to minutes after its start: that is no failure (vdsm.md 4). */
  async #recover(exchange: Exchange): Promise<void> {
    const { clock, recoveryTimeoutMs, recoveryPollMs } = this.#options;
    const { signal } = this.#closing;
    const deadline = clock.now() + recoveryTimeoutMs;
    for (;;) {
      try {
        const asked = exchange.ask({ verb: 'Host.ping2', params: {}, timeoutMs: PING_TIMEOUT_MS, signal });
        await asked?.answer;
        return;
      } catch (error) {
        const wait = (isCode(error, 99) || isCode(error, 1100)) && clock.now() < deadline;
        if (!wait) throw error;
        this.#trouble = error;
      }
      await pause(clock, recoveryPollMs, signal);
    }
  }
}

/** The promise goes on without us when the signal comes first. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(abortReason(signal));
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
