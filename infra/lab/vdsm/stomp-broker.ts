/**
 * The STOMP 1.2 half of a VDSM host: connections, subscriptions, heart-beats, in VDSM's dialect (vdsm.md 2 and 3).
 *
 * Heart-beats run on the wall clock: a real peer measures them.
 */
import type { Duplex } from 'node:stream';
import { encodeFrame, HEART_BEAT, type StompFrame, StompParser } from '../../../activities/vdsm/stomp.ts';

/** Dotted children of these are request queues too. */
const REQUEST_QUEUES = ['jms.topic.vdsm_requests', 'jms.topic.vdsm_irs_requests'];
export const DEFAULT_RESPONSES = 'jms.topic.vdsm_responses';
export const EVENTS = 'jms.queue.events';
const MIN_BEAT_MS = 1000;
/** Nothing tells VDSM of a silent client at once: it looks when its loop wakes up. */
const BEAT_CHECK_MS = 200;

/** `replyTo` is undefined when the sender gave none: the answer is dropped then. */
export type RequestHandler = (body: Buffer, connection: StompConnection, replyTo: string | undefined) => void;

interface Subscription {
  readonly id: string;
  readonly destination: string;
  readonly connection: StompConnection;
}

export class StompBroker {
  readonly #subscriptions = new Map<string, Subscription[]>();
  readonly #connections = new Set<StompConnection>();
  readonly onRequest: RequestHandler;

  constructor(onRequest: RequestHandler) {
    this.onRequest = onRequest;
  }

  /** Takes over a socket whose first bytes were read already. */
  accept(socket: Duplex, first: Buffer): void {
    const connection = new StompConnection(this, socket);
    this.#connections.add(connection);
    socket.once('close', () => {
      this.#connections.delete(connection);
      connection.ended();
    });
    connection.receive(first);
    socket.on('data', (chunk: Buffer) => connection.receive(chunk));
  }

  /** What the server itself says (answers, events) goes to subscribers of exactly this name. */
  publish(destination: string, body: string): void {
    for (const { id, connection } of this.#subscriptions.get(destination) ?? []) {
      connection.send('MESSAGE', { destination, 'content-type': 'application/json', subscription: id }, body);
    }
  }

  /** Subscribers of the destination and of its dotted parents. */
  subscribers(destination: string): Subscription[] {
    const parts = destination.split('.');
    return parts.flatMap((_, index) => this.#subscriptions.get(parts.slice(0, index + 1).join('.')) ?? []);
  }

  subscribe(subscription: Subscription): void {
    const list = this.#subscriptions.get(subscription.destination) ?? [];
    this.#subscriptions.set(subscription.destination, [...list, subscription]);
  }

  unsubscribe(subscription: Subscription): void {
    const list = (this.#subscriptions.get(subscription.destination) ?? []).filter((one) => one !== subscription);
    if (list.length === 0) this.#subscriptions.delete(subscription.destination);
    else this.#subscriptions.set(subscription.destination, list);
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Drops every connection without a word, as when the daemon dies. */
  kick(): void {
    for (const connection of this.#connections) connection.kill();
  }
}

/** An interval as Python's `int` reads it; what is no number counts as 0, and each half by itself. */
function beat(text: string): number {
  const value = /^\s*[+-]?\d+(_\d+)*\s*$/.test(text) ? Number(text.replaceAll('_', '')) : 0;
  return value === 0 ? 0 : Math.max(value, MIN_BEAT_MS);
}

/** @returns what the client promises to send, and what it wants to receive */
function parseBeats(header = '0,0'): [fromClient: number, toClient: number] {
  const comma = header.indexOf(',');
  return comma < 0 ? [0, 0] : [beat(header.slice(0, comma)), beat(header.slice(comma + 1))];
}

export class StompConnection {
  readonly #broker: StompBroker;
  readonly #socket: Duplex;
  readonly #parser = new StompParser();
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #outbox: Buffer[] = [];
  #writing = false;
  #beatTimer: NodeJS.Timeout | undefined;
  #lastIn = 0;
  #lastOut = 0;

  constructor(broker: StompBroker, socket: Duplex) {
    this.#broker = broker;
    this.#socket = socket;
  }

  /** Queues one frame. */
  send(command: string, headers: Record<string, string>, body: Buffer | string = ''): void {
    this.#write(encodeFrame(command, headers, body));
  }

  /**
   * One TLS record per frame, as VDSM writes them. Node would put what waits behind a slow write into one record, and
   * the engine's client takes no notice of a second frame in a record until more bytes come (vdsm.md 6.3, 6.4).
   */
  #write(bytes: Buffer): void {
    if (this.#socket.destroyed) return;
    this.#lastOut = Date.now();
    this.#outbox.push(bytes);
    if (!this.#writing) this.#flush();
  }

  #flush(): void {
    const next = this.#outbox.shift();
    this.#writing = next !== undefined;
    if (next !== undefined) this.#socket.write(next, () => this.#flush());
  }

  kill(): void {
    this.#socket.destroy();
  }

  ended(): void {
    this.#outbox.splice(0);
    clearInterval(this.#beatTimer);
    for (const subscription of this.#subscriptions.values()) this.#broker.unsubscribe(subscription);
    this.#subscriptions.clear();
  }

  receive(chunk: Buffer): void {
    this.#lastIn = Date.now();
    try {
      for (const item of this.#parser.push(chunk)) if (item.kind === 'frame') this.#handle(item.frame);
    } catch {
      // Bytes that are no STOMP end the connection without an answer, as do commands the server does not know.
      this.kill();
    }
  }

  #handle(frame: StompFrame): void {
    const { headers } = frame;
    switch (frame.command) {
      case 'CONNECT':
        this.#connect(headers);
        return;
      case 'SUBSCRIBE':
        this.#subscribe(headers['id'], headers['destination']);
        return;
      case 'UNSUBSCRIBE':
        this.#unsubscribe(headers['id']);
        return;
      case 'SEND':
        this.#forward(frame);
        return;
      case 'DISCONNECT':
        if (headers['receipt'] === undefined) this.kill();
        else if (headers['receipt'] !== '') this.send('RECEIPT', { 'receipt-id': headers['receipt'] });
        return;
      default:
        this.kill();
    }
  }

  #error(text: string): void {
    this.send('ERROR', {}, text);
  }

  #connect(headers: StompFrame['headers']): void {
    if (headers['accept-version'] !== '1.2') {
      this.#error('Version unsupported');
      return;
    }
    const [fromClient, toClient] = parseBeats(headers['heart-beat']);
    this.send('CONNECTED', { version: '1.2', 'heart-beat': `${toClient},${fromClient}` });
    clearInterval(this.#beatTimer);
    if (fromClient === 0 && toClient === 0) return;
    this.#beatTimer = setInterval(() => this.#beat(fromClient, toClient), BEAT_CHECK_MS);
    this.#beatTimer.unref();
  }

  #beat(fromClient: number, toClient: number): void {
    const now = Date.now();
    if (fromClient > 0 && now - this.#lastIn > fromClient) {
      this.kill();
    } else if (toClient > 0 && now - this.#lastOut >= toClient - BEAT_CHECK_MS) {
      this.#write(HEART_BEAT);
    }
  }

  #subscribe(id: string | undefined, destination: string | undefined): void {
    if (id === undefined || id === '' || destination === undefined || destination === '') {
      this.#error('Missing destination or subscription id header');
    } else if (this.#subscriptions.has(id)) {
      this.#error('Subscription id already exists');
    } else {
      const subscription = { id, destination, connection: this };
      this.#subscriptions.set(id, subscription);
      this.#broker.subscribe(subscription);
    }
  }

  #unsubscribe(id: string | undefined): void {
    if (id === undefined || id === '') {
      this.#error('Missing id header');
      return;
    }
    const subscription = this.#subscriptions.get(id);
    if (subscription === undefined) return;
    this.#subscriptions.delete(id);
    this.#broker.unsubscribe(subscription);
  }

  #forward(frame: StompFrame): void {
    const destination = frame.headers['destination'];
    if (destination === undefined) {
      this.kill();
      return;
    }
    const subscribers = this.#broker.subscribers(destination);
    for (const { id, connection } of subscribers) {
      connection.send('MESSAGE', { subscription: id, ...frame.headers }, frame.body);
    }
    if (REQUEST_QUEUES.some((queue) => destination === queue || destination.startsWith(`${queue}.`))) {
      this.#broker.onRequest(frame.body, this, frame.headers['reply-to']);
    } else if (subscribers.length === 0) {
      this.#error('Subscription not available');
    }
  }
}
