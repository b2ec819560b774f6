/** Calls over one connection: requests out, answers matched by id in whatever order they come (vdsm.md 3, 4). */
import type { CounterpartError } from '../errors.ts';
import { abortReason, systemClock, type Clock } from './clock.ts';
import type { VdsmPeer } from './dial.ts';
import { codeError, unknownOutcome } from './errors.ts';
import { encodeRequest, parseAnswers, type Answer } from './json-rpc.ts';
import { lostError } from './link-errors.ts';
import { silent, type Logger } from './logger.ts';
import { Wire, type WireOptions } from './wire.ts';

const REQUESTS = 'jms.topic.vdsm_requests';

export interface Ask {
  readonly verb: string;
  readonly params: object;
  readonly timeoutMs: number;
  readonly correlationId?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Asked {
  /** Result as sent. Rejects with the error for VDSM's code, with an unknown outcome, or with the signal's reason. */
  readonly answer: Promise<unknown>;
  /**
   * Resolves when the host can be taken to be done with the call: a call we gave up on still runs there, and occupies
   * one of its workers until its late answer comes, the connection ends, or its time-out has passed once more.
   */
  readonly idle: Promise<void>;
}

interface Pending {
  readonly verb: string;
  settle(answer: Answer['outcome']): void;
  lost(error: CounterpartError): void;
}

export interface ExchangeOptions extends WireOptions {
  readonly onEvent?: (body: Buffer) => void;
}

export class Exchange {
  readonly #peer: VdsmPeer;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #pending = new Map<string, Pending>();
  #wire: Wire | undefined;
  #end: () => void = () => {};
  /** Resolves when the connection has ended, for whatever reason. */
  readonly ended: Promise<void> = new Promise((resolve) => {
    this.#end = resolve;
  });

  private constructor(peer: VdsmPeer, options: ExchangeOptions) {
    this.#peer = peer;
    this.#clock = options.clock ?? systemClock;
    this.#log = options.logger ?? silent;
  }

  /** @throws as `Wire.open` */
  static async open(peer: VdsmPeer, options: ExchangeOptions = {}): Promise<Exchange> {
    const exchange = new Exchange(peer, options);
    const handlers = {
      onAnswer: (body: Buffer) => exchange.#take(body),
      onEvent: (body: Buffer) => options.onEvent?.(body),
      onLost: (error: CounterpartError) => exchange.#lose(error),
    };
    exchange.#wire = await Wire.open(peer, handlers, options);
    return exchange;
  }

  get isOpen(): boolean {
    return this.#wire?.isOpen === true;
  }

  subscribeEvents(): void {
    this.#wire?.subscribeEvents();
  }

  /** Sends one request. undefined: the connection is gone and nothing was sent. */
  ask(ask: Ask): Asked | undefined {
    const wire = this.#wire;
    const request = encodeRequest(ask.verb, ask.params);
    const headers = {
      ...(wire === undefined ? {} : { 'reply-to': wire.replyQueue }),
      ...(ask.correlationId === undefined ? {} : { ovirtCorrelationId: ask.correlationId }),
    };
    if (wire?.send(REQUESTS, headers, request.text) !== true) return undefined;
    return this.#await(request.id, ask);
  }

  /** Ends the connection; calls without an answer end with an unknown outcome. */
  async close(): Promise<void> {
    this.#lose(lostError(this.#peer.name, 'closed', 'we closed the connection', 'Repeat with a new client'));
    await this.#wire?.close();
  }

  #await(id: string, ask: Ask): Asked {
    const { verb, timeoutMs, signal } = ask;
    const host = this.#peer.name;
    let resolveIdle: () => void = () => {};
    const idle = new Promise<void>((resolve) => {
      resolveIdle = resolve;
    });
    const answer = new Promise<unknown>((resolve, reject) => {
      let cancel = () => {};
      const forget = () => {
        cancel();
        signal?.removeEventListener('abort', onAbort);
        this.#pending.delete(id);
        resolveIdle();
      };
      /** We stop waiting, the host does not stop working: the entry stays to catch the late answer. */
      const giveUp = (error: Error) => {
        signal?.removeEventListener('abort', onAbort);
        cancel();
        cancel = this.#clock.after(timeoutMs, forget);
        const late = () => {
          this.#log.debug({ host, verb, id }, 'late answer dropped');
          forget();
        };
        this.#pending.set(id, { verb, settle: late, lost: forget });
        reject(error);
      };
      const onAbort = () => {
        if (signal !== undefined) giveUp(abortReason(signal));
      };
      cancel = this.#clock.after(timeoutMs, () =>
        giveUp(unknownOutcome(host, verb, 'call-timeout', `nothing came within ${Math.round(timeoutMs)} ms`)),
      );
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#pending.set(id, {
        verb,
        settle: (outcome) => {
          forget();
          if (outcome.kind === 'result') resolve(outcome.result);
          else reject(codeError(host, verb, outcome.code, outcome.message));
        },
        lost: (error) => {
          forget();
          reject(unknownOutcome(host, verb, 'answer-lost', error.facts.why, error));
        },
      });
    });
    return { answer, idle };
  }

  #take(body: Buffer): void {
    const answers = parseAnswers(body);
    if (answers === undefined) this.#log.warn({ host: this.#peer.name }, 'message on our reply queue is no answer');
    for (const { id, outcome } of answers ?? []) {
      const pending = id === null ? undefined : this.#pending.get(id);
      if (pending === undefined) this.#log.debug({ host: this.#peer.name, id }, 'answer to no call of ours dropped');
      else pending.settle(outcome);
    }
  }

  #lose(error: CounterpartError): void {
    for (const pending of this.#pending.values()) pending.lost(error);
    this.#end();
  }
}
