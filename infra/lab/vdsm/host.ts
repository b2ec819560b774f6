/** A simulated VDSM host: one port, TLS with client certificates, STOMP and HTTP told apart by the first bytes (vdsm.md 1). */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { labPaths } from '../fixture.ts';
import { Machine } from '../machine/machine.ts';
import { onReboot } from '../packages.ts';
import { fail } from './errors.ts';
import { FaultGate } from './fault-gate.ts';
import { HaAgent } from './ha-agent.ts';
import { HostState, type HostStateOptions } from './host-state.ts';
import { ImageioDaemon } from './imageio.ts';
import { createStreamServer } from './http-stream.ts';
import { type Execute, serve } from './json-rpc.ts';
import { Params } from './params.ts';
import { asciiJson } from './python.ts';
import { EVENTS, StompBroker } from './stomp-broker.ts';
import { findVerb } from './verbs/index.ts';
import { WorkerPool } from './worker-pool.ts';

/** As many bytes as VDSM peeks at before it chooses a protocol. */
const DETECT_BYTES = 11;
const STOMP = ['CONNECT', 'CONNECTED', 'SEND', 'SUBSCRIBE', 'UNSUBSCRIBE', 'MESSAGE', 'ERROR', 'RECEIPT', 'DISCONNECT'];
const HTTP = ['PUT /', 'GET /'];
/** Wall time: a real peer measures it. */
const PEER_TIMEOUT_MS = 10_000;
/** Lab time from the order to reboot to a listening VDSM; longer than the engine waits. */
const REBOOT_MS = 5_000;

export interface HostHandle {
  readonly name: string;
  readonly address: string;
  /** The port it listens on, also after a restart. */
  readonly port: number;
  readonly state: HostState;
  readonly agent: HaAgent;
  /** Open STOMP connections. */
  connections(): number;
  /** Drops all connections; the daemon goes on. */
  kickConnections(): void;
  /** Restart of the daemon: connections are lost, VMs and tasks stay, code 99 until it has recovered. */
  restart(): Promise<void>;
  /** Power loss: port closed, VMs and everything in memory gone, the agent silent. */
  crash(): Promise<void>;
  /** Power back after `crash`. */
  start(): Promise<void>;
  /** Ends it for good, its VMs included. */
  close(): Promise<void>;
}

class VdsmHost implements HostHandle {
  readonly state: HostState;
  readonly agent: HaAgent;
  readonly #imageio: ImageioDaemon;
  /** Undefined: others run the HA services of this host. */
  readonly #machine: Machine | undefined;
  readonly #broker: StompBroker;
  readonly #streams;
  readonly #workers = new WorkerPool();
  readonly #sockets = new Set<TLSSocket>();
  readonly #unsubscribe: () => void;
  readonly #endReboots: () => void;
  #server: Server | undefined;
  readonly #ending = new AbortController();
  #closed = false;
  #downByFault = false;
  /** It went down at a reboot and did not come back. */
  #unbooted = false;
  /** Power changes one after the other. */
  #queue: Promise<void> = Promise.resolve();

  constructor(options: HostStateOptions) {
    this.state = new HostState(options);
    this.agent = new HaAgent(this.state);
    this.#imageio = new ImageioDaemon(this.state);
    this.#machine = options.world.agents ? new Machine(this.state, this.agent) : undefined;
    this.#broker = new StompBroker((body, connection, replyTo) => {
      const peer = {
        reply: (destination: string | undefined, text: string) => {
          if (destination !== undefined) this.#broker.publish(destination, text);
        },
        cut: () => connection.kill(),
      };
      void serve(body, replyTo, peer, this.#execute);
    });
    this.#streams = createStreamServer(this.state);
    this.state.onEvent = (method, params) =>
      this.#broker.publish(EVENTS, asciiJson({ jsonrpc: '2.0', method, params }));
    this.#unsubscribe = options.faults.onChange(() => this.#followFaults());
    this.#endReboots = onReboot(this.state.dir, () => {
      this.#queue = this.#queue.then(() => this.#reboot()).catch(() => undefined);
    });
  }

  get name(): string {
    return this.state.name;
  }

  get address(): string {
    return this.state.config.address;
  }

  get port(): number {
    return this.state.port;
  }

  connections(): number {
    return this.#broker.connectionCount;
  }

  kickConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async start(): Promise<void> {
    if (this.#closed || this.state.alive) return;
    await this.#listen();
    await this.#imageio.listen();
    this.state.powerOn();
    await this.#machine?.powerOn();
  }

  async crash(): Promise<void> {
    await this.#machine?.powerOff();
    await this.#unlisten();
    await this.#imageio.close();
    await this.state.powerOff();
  }

  async restart(): Promise<void> {
    await this.#unlisten();
    this.state.recovering = true;
    this.state.daemonStarted = this.state.clock.now();
    await this.#listen();
    void this.state.clock.sleep(this.state.world.timings.recoveryMs, this.#ending.signal).then(() => {
      this.state.recovering = false;
    });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#ending.abort();
    this.#unsubscribe();
    this.#endReboots();
    await this.#queue;
    await this.crash();
    this.#streams.close();
  }

  readonly #execute: Execute = ({ method, params }) =>
    this.#workers.run(async () => {
      const gate = new FaultGate(this.state, method);
      gate.refuse();
      const verb = findVerb(method);
      if (verb === undefined) throw fail.noSuchMethod({ method });
      try {
        const result = await verb.run(this.state, Params.from(params, verb.params));
        return gate.cut() ? ('drop' as const) : { result };
      } finally {
        await gate.delay();
      }
    });

  async #listen(): Promise<void> {
    const paths = labPaths(this.state.fixture.dir);
    const server = createServer({
      key: readFileSync(paths.hostKey(this.name)),
      cert: readFileSync(paths.hostCert(this.name)),
      ca: readFileSync(paths.ca),
      requestCert: true,
      rejectUnauthorized: true,
      handshakeTimeout: PEER_TIMEOUT_MS,
    });
    server.on('tlsClientError', () => undefined);
    server.on('secureConnection', (socket) => this.#detect(socket));
    server.listen({ port: this.state.port, host: this.address });
    await once(server, 'listening');
    const bound = server.address();
    if (bound !== null && typeof bound !== 'string') this.state.port = bound.port;
    this.#server = server;
  }

  async #unlisten(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.kickConnections();
    if (server === undefined) return;
    await new Promise<void>((resolve) => {
      server.close(() => resolve());
    });
  }

  #detect(socket: TLSSocket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
    const timer = setTimeout(() => socket.destroy(), PEER_TIMEOUT_MS);
    socket.once('close', () => clearTimeout(timer));
    let first = Buffer.alloc(0);
    const look = (chunk: Buffer) => {
      first = Buffer.concat([first, chunk]);
      if (first.length < DETECT_BYTES) return;
      clearTimeout(timer);
      socket.off('data', look);
      const text = first.toString('latin1', 0, DETECT_BYTES);
      if (STOMP.some((command) => text.startsWith(command))) {
        this.#broker.accept(socket, first);
      } else if (HTTP.some((verb) => text.startsWith(verb))) {
        socket.pause();
        socket.unshift(first);
        this.#streams.emit('connection', socket);
        socket.resume();
      } else {
        socket.destroy();
      }
    };
    socket.on('data', look);
  }

  async #reboot(): Promise<void> {
    await this.crash();
    await this.state.clock.sleep(REBOOT_MS, this.#ending.signal);
    this.#unbooted = this.#staysDown();
    if (this.#unbooted) this.#downByFault = true;
    else await this.start();
  }

  #staysDown(): boolean {
    return this.state.faults.peek('host-no-boot', (fault) => fault.host === this.name) !== undefined;
  }

  #followFaults(): void {
    const lost = this.state.faults.peek('host-down', (fault) => fault.host === this.name) !== undefined;
    const down = lost || (this.#unbooted && this.#staysDown());
    if (down === this.#downByFault || this.#closed) return;
    this.#downByFault = down;
    this.#queue = this.#queue.then(() => (down ? this.crash() : this.start())).catch(() => undefined);
  }
}

/**
 * Starts a host: registers it with the world, connects it to pool and storage, listens, and starts its HA agent.
 * The certificates are read from the lab's `pki` folder at each start.
 */
export async function startHost(options: HostStateOptions): Promise<HostHandle> {
  const host = new VdsmHost(options);
  options.world.hosts.set(host.name, host.state);
  await host.start();
  return host;
}
