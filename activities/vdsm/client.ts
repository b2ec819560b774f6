/**
 * Client of one host's VDSM: typed verbs over JSON-RPC over STOMP over mutual TLS.
 *
 * Connects when first needed and again when the connection is lost. A call whose request has not left us yet is simply
 * carried over to the next connection; one that has left is never repeated: VDSM's verbs are not idempotent, so the
 * caller gets `outcomeUnknown` and looks first (vdsm.md 12, 13).
 */
import { CounterpartError } from '../errors.ts';
import { pause, systemClock, type Clock } from './clock.ts';
import { CONNECT_TIMEOUT_MS, type VdsmPeer } from './dial.ts';
import { isCode, notSent, unexpectedAnswer } from './errors.ts';
import { parseEvent, type EventListener, type VdsmEvent } from './events.ts';
import type { Asked } from './exchange.ts';
import { Gate } from './gate.ts';
import { REQUEST_BYTES_MAX } from './json-rpc.ts';
import { backOff, Link } from './link.ts';
import { observed, type CallObserver } from '../observe.ts';
import { silent, type Logger } from './logger.ts';
import { VERBS, type VdsmVerbs, type VerbName } from './verbs.ts';

export interface VdsmClientOptions extends VdsmPeer {
  /** Default 6. The host has 8 workers for all its clients, the engine among them: raise it only on a host of your own. */
  readonly callsInFlightMax?: number;
  /** Default 60 s: VDSM's own client's. Covers waiting for a place, connecting and the answer. */
  readonly callTimeoutMs?: number;
  /** Default 180 s, the engine's: for verbs that touch storage or boot something. */
  readonly slowCallTimeoutMs?: number;
  /**
   * Default true: an answer 99 (recovering) or 1100 (queue full) means that nothing ran, so the call waits and asks
   * again within its time-out; after a connect all calls wait until the host has recovered. False: both are errors.
   */
  readonly awaitRecovery?: boolean;
  /** Default 5 min: how long one connection may go on answering 99 before it is dropped and dialled anew. */
  readonly recoveryTimeoutMs?: number;
  /** Default 1 s. */
  readonly recoveryPollMs?: number;
  /** Default 10 s in both directions; VDSM raises less than 1 s to 1 s. A dead host is noticed after twice as long. */
  readonly heartBeatMs?: number;
  /** Default 10 s, VDSM's own limit. */
  readonly connectTimeoutMs?: number;
  /** Default 250 ms to 10 s. */
  readonly backOffMs?: { readonly first: number; readonly max: number };
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Is told of each call at its end. */
  readonly observe?: CallObserver;
}

export interface CallOptions {
  readonly timeoutMs?: number;
  /** The call rejects with its reason. What was sent still runs on the host. */
  readonly signal?: AbortSignal;
  /** Becomes `flow_id` in the host's vdsm.log: pass the operation's id. No `:` in it. */
  readonly correlationId?: string;
}

/** Of each time-out, this much (a quarter of short ones) is kept for the answer. */
const ANSWER_ROOM_MS = 1_000;

const errorType = (error: unknown) => (error instanceof CounterpartError ? error.facts.type : 'stopped');

interface Limit {
  /** Ends the time before sending: at `sendBy`, or with the caller's signal. */
  readonly signal: AbortSignal;
  readonly sendBy: number;
  readonly deadline: number;
}

export class VdsmClient {
  /** How to reach the host, for the data stream, which needs a connection of its own. */
  readonly peer: VdsmPeer;
  readonly #options: VdsmClientOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #gate: Gate;
  readonly #link: Link;
  readonly #listeners = new Set<EventListener>();
  readonly #recoveryPollMs: number;

  constructor(options: VdsmClientOptions) {
    this.peer = options;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.logger ?? silent;
    this.#gate = new Gate(options.callsInFlightMax ?? 6);
    this.#recoveryPollMs = options.recoveryPollMs ?? 1_000;
    this.#link = new Link(
      options,
      {
        heartBeatMs: options.heartBeatMs ?? 10_000,
        connectTimeoutMs: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
        awaitRecovery: options.awaitRecovery ?? true,
        recoveryTimeoutMs: options.recoveryTimeoutMs ?? 300_000,
        recoveryPollMs: this.#recoveryPollMs,
        backOffMs: options.backOffMs ?? { first: 250, max: 10_000 },
        clock: this.#clock,
        logger: this.#log,
      },
      { onEvent: (body) => this.#event(parseEvent(body)), onSubscribed: () => this.#event({ kind: 'connected' }) },
    );
  }

  /** The host's name. */
  get name(): string {
    return this.peer.name;
  }

  /**
   * Calls one verb.
   * @throws CounterpartError: VDSM's code (`vdsm/…`, see errors.ts); `vdsm/call-timeout` and `vdsm/answer-lost` with
   * `outcomeUnknown`; trouble with the connection when the request never left; `vdsm/unexpected-answer`. Or the
   * signal's reason.
   */
  async call<V extends VerbName>(
    verb: V,
    params: VdsmVerbs[V]['params'],
    options: CallOptions = {},
  ): Promise<VdsmVerbs[V]['result']> {
    const spec = VERBS[verb];
    const { callTimeoutMs = 60_000, slowCallTimeoutMs = 180_000 } = this.#options;
    const timeoutMs = options.timeoutMs ?? (spec.slow ? slowCallTimeoutMs : callTimeoutMs);
    const encoded = this.#encode(verb, spec.encode(params));
    const { correlationId } = options;
    const facts = { counterpart: 'vdsm', subject: this.name, call: verb } as const;
    const raw = await observed(
      this.#options.observe,
      { ...facts, ...(correlationId === undefined ? {} : { correlationId }) },
      errorType,
      () => this.#within(verb, timeoutMs, options.signal, (limit) => this.#attempt(verb, encoded, options, limit)),
    );
    try {
      return spec.decode(raw);
    } catch (cause) {
      throw unexpectedAnswer(this.name, verb, cause instanceof Error ? cause.message : String(cause), cause);
    }
  }

  /**
   * Events of the host, and `connected` after each (re)connect: poll the state then, for events in between are lost.
   * While there is a listener the connection is kept up without calls. Listeners must not throw.
   * @returns the function that ends it
   */
  onEvent(listener: EventListener): () => void {
    this.#listeners.add(listener);
    this.#link.wantEvents(true);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#link.wantEvents(false);
    };
  }

  /** Calls without an answer end with an unknown outcome, waiting ones unsent; then DISCONNECT. */
  async close(): Promise<void> {
    this.#listeners.clear();
    await this.#link.close();
  }

  #encode(verb: string, params: object): object {
    const bytes = Buffer.byteLength(JSON.stringify(params));
    if (bytes <= REQUEST_BYTES_MAX) return params;
    throw new CounterpartError({
      type: 'vdsm/request-too-large',
      kind: 'fatal',
      subject: this.name,
      what: `${verb} was not sent`,
      why: `its parameters take ${bytes} bytes, more than ${REQUEST_BYTES_MAX}`,
      remedy: 'Shorten them: such a request would block the host for seconds',
    });
  }

  /** Runs `work` with a signal that ends at the deadline or with the caller's; before anything is sent, that is all. */
  async #within<T>(
    verb: string,
    timeoutMs: number,
    signal: AbortSignal | undefined,
    work: (limit: Limit) => Promise<T>,
  ): Promise<T> {
    const late = new AbortController();
    const tooLate = notSent(
      this.name,
      verb,
      'queue-timeout',
      `no place or connection within ${timeoutMs} ms`,
      'Try again',
    );
    // What is sent so late that no answer can come in time only turns "nothing happened" into "unknown".
    const sendWithinMs = timeoutMs - Math.min(ANSWER_ROOM_MS, timeoutMs / 4);
    const cancel = this.#clock.after(sendWithinMs, () => late.abort(tooLate));
    const limit = signal === undefined ? late.signal : AbortSignal.any([late.signal, signal]);
    try {
      const now = this.#clock.now();
      return await work({ signal: limit, sendBy: now + sendWithinMs, deadline: now + timeoutMs });
    } catch (error) {
      // The link knows better than "too late" why there was no connection.
      throw error === tooLate && this.#link.trouble !== undefined ? this.#link.trouble : error;
    } finally {
      cancel();
    }
  }

  async #attempt(verb: string, params: object, { signal, correlationId }: CallOptions, limit: Limit): Promise<unknown> {
    const leave = await this.#gate.enter(limit.signal);
    let asked: Asked | undefined;
    try {
      for (let refusals = 0; ;) {
        const exchange = await this.#link.ready(limit.signal);
        const timeoutMs = Math.max(1, limit.deadline - this.#clock.now());
        asked = exchange.ask({ verb, params, timeoutMs, signal, correlationId });
        // Lost in the meantime, nothing was sent: the link dials again.
        if (asked === undefined) continue;
        try {
          return await asked.answer;
        } catch (error) {
          const waitMs = this.#refusalPause(error, refusals);
          if (waitMs === undefined || this.#clock.now() + waitMs >= limit.sendBy) throw error;
          refusals += 1;
          await pause(this.#clock, waitMs, limit.signal);
        }
      }
    } finally {
      // An answered call is idle already; one we gave up on keeps its place as long as the host may be busy with it.
      if (asked === undefined) leave();
      else void asked.idle.then(leave);
    }
  }

  /** Pause before asking again when VDSM refused without running anything; undefined for every other error. */
  #refusalPause(error: unknown, refusals: number): number | undefined {
    if (this.#options.awaitRecovery === false) return undefined;
    if (isCode(error, 99)) return this.#recoveryPollMs;
    if (isCode(error, 1100)) return backOff(this.#options.backOffMs ?? { first: 250, max: 10_000 }, refusals + 1);
    return undefined;
  }

  #event(event: VdsmEvent | undefined): void {
    if (event === undefined) {
      this.#log.warn({ host: this.name }, 'message on the event queue is no event');
      return;
    }
    for (const listener of this.#listeners) {
      try {
        listener(event);
      } catch (error) {
        this.#log.warn({ host: this.name, error: String(error) }, 'an event listener threw');
      }
    }
  }
}
