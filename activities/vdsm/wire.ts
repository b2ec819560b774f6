/**
 * One STOMP connection to VDSM: handshake, subscriptions, heart-beats, orderly end (vdsm.md 2, 3, 17).
 *
 * Knows nothing of JSON-RPC. A wire is used once: when it is lost, a new one is opened.
 */
import { randomUUID } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { CounterpartError } from '../errors.ts';
import { abortReason, systemClock, type Clock } from './clock.ts';
import { CONNECT_TIMEOUT_MS, dialTls, reset, type VdsmPeer } from './dial.ts';
import { HeartBeats } from './heart-beats.ts';
import { linkError, lostError, protocolError } from './link-errors.ts';
import { silent, type Logger } from './logger.ts';
import { encodeFrame, HEART_BEAT, StompParser, StompProtocolError, type StompFrame, type StompItem } from './stomp.ts';

export interface WireHandlers {
  /** A message on our own reply queue. */
  onAnswer(body: Buffer): void;
  /** A message on `jms.queue.events`; other clients may have sent it (vdsm.md 5). */
  onEvent(body: Buffer): void;
  /** The wire ended without `close()`; told once, and only after `open` had succeeded. */
  onLost(error: CounterpartError): void;
}

export interface WireOptions {
  /** Subscribe to events in the opening bytes. */
  readonly events?: boolean;
  /** Offered in both directions. */
  readonly heartBeatMs?: number;
  /** Limit for the dial, and again for CONNECTED. */
  readonly connectTimeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

const HEART_BEAT_MS = 10_000;
/** VDSM answers RECEIPT at once when it answers at all. */
const RECEIPT_TIMEOUT_MS = 1_000;
const EVENTS = 'jms.queue.events';

export class Wire {
  /** Destination for answers, this connection's own: VDSM sends an answer to *every* subscriber of it (vdsm.md 3). */
  readonly replyQueue: string = randomUUID();
  readonly #peer: VdsmPeer;
  readonly #socket: TLSSocket;
  readonly #handlers: WireHandlers;
  readonly #options: WireOptions;
  readonly #clock: Clock;
  readonly #parser = new StompParser();
  readonly #beats: HeartBeats;
  #state: 'opening' | 'open' | 'closing' | 'ended' = 'opening';
  #eventsWanted = false;
  #receiptCame = false;
  #onConnected: ((error?: CounterpartError) => void) | undefined;
  #onEnded: (() => void) | undefined;

  private constructor(peer: VdsmPeer, socket: TLSSocket, handlers: WireHandlers, options: WireOptions) {
    this.#peer = peer;
    this.#socket = socket;
    this.#handlers = handlers;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#beats = new HeartBeats(this.#clock, {
      beat: () => this.#write(HEART_BEAT),
      dead: (silentMs) =>
        this.#fail(
          lostError(
            peer.name,
            'heart-beat-lost',
            `nothing heard for ${Math.round(silentMs)} ms`,
            'Check that the host is up and its network works',
          ),
        ),
    });
  }

  /**
   * Dials, sends CONNECT and the subscriptions back to back, and waits for CONNECTED.
   * @throws CounterpartError of the dial; `vdsm/protocol` for an ERROR or another protocol; the signal's reason
   */
  static async open(peer: VdsmPeer, handlers: WireHandlers, options: WireOptions = {}): Promise<Wire> {
    const timeoutMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
    const clock = options.clock ?? systemClock;
    const socket = await dialTls(peer, { timeoutMs, signal: options.signal, clock });
    const wire = new Wire(peer, socket, handlers, options);
    await wire.#handshake(timeoutMs);
    return wire;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** One frame, one write. False when the wire is not open: then nothing of it has left us. */
  send(destination: string, headers: Readonly<Record<string, string>>, body: string): boolean {
    if (!this.isOpen) return false;
    this.#write(encodeFrame('SEND', { destination, 'content-type': 'application/json', ...headers }, body));
    return true;
  }

  /** From now on events come; at the latest with the answer to the next call. */
  subscribeEvents(): void {
    if (this.#eventsWanted || !this.isOpen) return;
    this.#eventsWanted = true;
    this.#write(this.#subscribe(EVENTS));
  }

  /** DISCONNECT with a receipt (VDSM wants one), then the end. Never throws; takes a second at most. */
  async close(): Promise<void> {
    if (this.#state === 'open') {
      this.#state = 'closing';
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(RECEIPT_TIMEOUT_MS, resolve);
        this.#onEnded = () => {
          cancel();
          resolve();
        };
        this.#write(encodeFrame('DISCONNECT', { receipt: randomUUID() }));
      });
    }
    this.#end(true);
  }

  #handshake(timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const { signal } = this.#options;
      const onAbort = () => {
        this.#onConnected = undefined;
        this.#end();
        if (signal !== undefined) reject(abortReason(signal));
      };
      if (signal?.aborted === true) {
        onAbort();
        return;
      }
      signal?.addEventListener('abort', onAbort, { once: true });
      const cancel = this.#clock.after(timeoutMs, () =>
        this.#fail(protocolError(this.#peer.name, `no CONNECTED within ${timeoutMs} ms`)),
      );
      this.#onConnected = (error) => {
        this.#onConnected = undefined;
        cancel();
        signal?.removeEventListener('abort', onAbort);
        if (error === undefined) resolve();
        else reject(error);
      };
      this.#listen();
      this.#greet();
    });
  }

  #listen(): void {
    const cut = () => this.#fail(linkError(this.#peer.name, reset()));
    this.#socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#socket.on('error', (cause) => this.#fail(linkError(this.#peer.name, cause)));
    this.#socket.on('end', cut);
    this.#socket.on('close', cut);
    // Small frames, each complete: waiting to fill a packet only adds delay.
    this.#socket.setNoDelay(true);
  }

  /** Over TLS: CONNECT first, subscriptions right behind it, as VDSM's own client does. */
  #greet(): void {
    const beat = this.#options.heartBeatMs ?? HEART_BEAT_MS;
    this.#write(
      encodeFrame('CONNECT', { 'accept-version': '1.2', 'heart-beat': `${beat},${beat}`, host: this.#peer.address }),
    );
    this.#write(this.#subscribe(this.replyQueue));
    this.#eventsWanted = this.#options.events === true;
    if (this.#eventsWanted) this.#write(this.#subscribe(EVENTS));
  }

  #subscribe(destination: string): Buffer {
    return encodeFrame('SUBSCRIBE', { id: randomUUID(), destination, ack: 'auto' });
  }

  #write(bytes: Buffer): void {
    if (this.#state !== 'ended') this.#socket.write(bytes);
  }

  #receive(chunk: Buffer): void {
    this.#beats.heard();
    try {
      this.#take(this.#parser.push(chunk));
    } catch (error) {
      if (!(error instanceof StompProtocolError)) throw error;
      this.#take(error.itemsBefore);
      this.#fail(protocolError(this.#peer.name, error.message, error));
    }
  }

  #take(items: readonly StompItem[]): void {
    for (const item of items) {
      if (this.#state === 'ended') return;
      if (item.kind === 'frame') this.#frame(item.frame);
    }
  }

  #frame(frame: StompFrame): void {
    if (frame.command === 'MESSAGE') {
      if (frame.headers['destination'] === this.replyQueue) this.#handlers.onAnswer(frame.body);
      else if (frame.headers['destination'] === EVENTS) this.#handlers.onEvent(frame.body);
      else this.#log().warn({ host: this.#peer.name }, 'message for a destination nobody asked for');
    } else if (frame.command === 'CONNECTED') this.#connected(frame);
    else if (frame.command === 'RECEIPT') {
      this.#receiptCame = true;
      this.#onEnded?.();
    }
    // An ERROR names no call, so which one failed can't be known: end loudly instead of letting all of them time out.
    else this.#fail(protocolError(this.#peer.name, `${frame.command}: ${frame.body.toString('utf8').slice(0, 200)}`));
  }

  #connected(frame: StompFrame): void {
    if (this.#state !== 'opening') return;
    if (frame.headers['version'] !== '1.2') {
      this.#fail(protocolError(this.#peer.name, `STOMP version ${frame.headers['version'] ?? 'missing'}, not 1.2`));
      return;
    }
    this.#state = 'open';
    this.#beats.start(this.#options.heartBeatMs ?? HEART_BEAT_MS, frame.headers['heart-beat']);
    this.#onConnected?.();
  }

  #fail(error: CounterpartError): void {
    const before = this.#state;
    this.#end();
    if (before === 'opening') this.#onConnected?.(error);
    if (before === 'open') this.#handlers.onLost(error);
  }

  #end(orderly = false): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#beats.stop();
    // A dead peer takes no more bytes: flushing is only for the orderly end, whose receipt proves that it still reads.
    if (orderly && this.#receiptCame) this.#socket.destroySoon();
    else this.#socket.destroy();
    this.#onEnded?.();
  }

  #log(): Logger {
    return this.#options.logger ?? silent;
  }
}
