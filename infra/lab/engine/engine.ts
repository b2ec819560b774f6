/** Puts the engine together: database, REST API over HTTPS, monitoring, faults. */
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer as createPlainServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

import { LabClock } from '../clock.ts';
import type { LabFixture } from '../fixture.ts';
import { activityRoutes } from './api/activity.ts';
import { attachedDomainRoutes } from './api/attached-domains.ts';
import { dataCenterRoutes } from './api/data-centers.ts';
import { diskRoutes } from './api/disks.ts';
import { hostRoutes } from './api/hosts.ts';
import { rootRoutes } from './api/root.ts';
import { storageDomainRoutes } from './api/storage-domains.ts';
import { unregisteredVmRoutes } from './api/unregistered-vms.ts';
import { vmDeviceRoutes } from './api/vm-devices.ts';
import { vmRoutes } from './api/vms.ts';
import type { EngineClock } from './context.ts';
import { Context } from './context.ts';
import { EngineFaults } from './faults.ts';
import type { HostGateway } from './gateway.ts';
import type { Answer } from './http/answer.ts';
import { htmlError, textAnswer } from './http/answer.ts';
import { apiRequest, RestApi } from './http/api.ts';
import type { Incoming } from './http/incoming.ts';
import { readIncoming } from './http/incoming.ts';
import { labFaults } from './http/lab-faults.ts';
import { Router } from './http/router.ts';
import { health, HEALTH_PATH, services } from './http/services.ts';
import type { Pki } from './http/services.ts';
import { Sessions } from './http/sessions.ts';
import { sso } from './http/sso.ts';
import { autoImport } from './work/auto-import.ts';
import { Monitor, runTimers } from './work/monitor.ts';
import { recover } from './state/recover.ts';
import { seed } from './state/seed.ts';
import { adoptStoredOvf } from './state/stored-ovf.ts';
import { Store } from './state/store.ts';

/**
 * Host statistics are asked for this often, timers are looked at more often; lab milliseconds. A real engine asks for
 * states every 3 s and for statistics every 15 s (engine.md); the lab asks for both at once.
 */
const POLL_MS = 6_000;
const TICK_MS = 250;

export interface EngineOptions {
  readonly fixture: LabFixture;
  readonly gateway: HostGateway;
  /** PEM of the authority, and the engine's own certificate and key. */
  readonly tls: Pki & { readonly key: string };
  /** Password of `fixture.engine.user`. */
  readonly password: string;
  /** Key of `/lab/faults`. */
  readonly labKey: string;
  /** Database file; absent: kept in memory only. */
  readonly database?: string;
  readonly clock?: EngineClock;
  readonly log?: (line: string) => void;
  /** Overrides the fixture's; 0 = any free port. */
  readonly port?: number;
  /** Serves the health page over plain HTTP too. */
  readonly healthPort?: number;
  /** Import the hosted engine's domain and VM without being asked, as `AutoImportHostedEngine` does. Default false. */
  readonly autoImport?: boolean;
}

export interface RunningEngine {
  /** `https://address:port/ovirt-engine/api` */
  readonly url: string;
  readonly port: number;
  readonly faults: EngineFaults;
  /** Ends the server and its work; the database is written. */
  close(): Promise<void>;
}

/** Starts the engine; resolves once it listens. Rejects when the port is taken or the database is not ours. */
export async function startEngine(options: EngineOptions): Promise<RunningEngine> {
  const { fixture } = options;
  const clock = options.clock ?? new LabClock(fixture.speed);
  const log = options.log ?? (() => {});
  const sessions = new Sessions({ user: fixture.engine.user, password: options.password }, () => clock.now());
  const faults = new EngineFaults(() => sessions.revokeAll());
  const store = Store.open(options.database, () => seed(fixture));
  const context = new Context({ fixture, gateway: options.gateway, faults, clock, store, log });
  recover(context);
  const api = new RestApi(context, new Router(allRoutes()), sessions);
  const handle = requestHandler({ context, api, sessions, pki: options.tls, labKey: options.labKey });
  const server = createServer({ cert: options.tls.cert, key: options.tls.key, keepAlive: true }, handle);
  // Installers keep connections for minutes between two requests.
  server.keepAliveTimeout = 120_000;
  await listen(server, options.port ?? fixture.engine.port, fixture.engine.address);
  const plain =
    options.healthPort === undefined ? undefined : await plainHealth(options.healthPort, fixture.engine.address);
  const loops = [ticking(context), monitoring(context, options.autoImport ?? false)];
  const { port } = server.address() as AddressInfo;
  return {
    url: `https://${fixture.engine.address}:${port}/ovirt-engine/api`,
    port,
    faults,
    close: async () => {
      await Promise.all([stop(server), plain && stop(plain)]);
      await context.end();
      await Promise.all(loops);
      await options.gateway.close();
    },
  };
}

function allRoutes() {
  return [
    ...rootRoutes,
    ...dataCenterRoutes,
    ...hostRoutes,
    ...storageDomainRoutes,
    ...attachedDomainRoutes,
    ...diskRoutes,
    ...unregisteredVmRoutes,
    ...vmRoutes,
    ...vmDeviceRoutes,
    ...activityRoutes,
  ];
}

interface Parts {
  readonly context: Context;
  readonly api: RestApi;
  readonly sessions: Sessions;
  readonly pki: Pki;
  readonly labKey: string;
}

function requestHandler(parts: Parts): (request: IncomingMessage, response: ServerResponse) => void {
  return (request, response) => {
    serve(parts, request, response).catch((error: unknown) => {
      parts.context.log(`${request.method} ${request.url}: ${error instanceof Error ? error.message : String(error)}`);
      response.destroy();
    });
  };
}

async function serve(parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const incoming = await readIncoming(request);
  if (incoming === undefined) return send(request, response, htmlError(413, 'Request Entity Too Large'));
  const control = labFaults(incoming, parts.context.faults, parts.labKey);
  if (control !== undefined) return send(request, response, control);
  const { faults } = parts.context;
  const target = apiRequest(incoming);
  const path = target === undefined ? (incoming.target.split('?')[0] ?? '') : `/${target.segments.join('/')}`;
  const delay = faults.delay(incoming.method, path);
  if (delay > 0) await parts.context.sleep(delay);
  const reply = target === undefined ? beside(parts, incoming, path) : await parts.api.answer(incoming, target);
  parts.context.flush();
  if (faults.dropAnswer(incoming.method, path)) {
    request.socket.destroy();
    return;
  }
  send(request, response, reply);
}

/** Everything next to the API. An injected error here has no fault document: its detail is the page. */
function beside(parts: Parts, incoming: Incoming, path: string): Answer {
  const error = parts.context.faults.error(incoming.method, path);
  if (error !== undefined) return textAnswer(error.status, error.detail);
  return sso(incoming, parts.sessions) ?? services(incoming, parts.pki) ?? htmlError(404, 'Not Found');
}

function send(request: IncomingMessage, response: ServerResponse, reply: Answer): void {
  const body = Buffer.from(reply.body);
  response.writeHead(reply.status, { ...reply.headers, 'content-length': String(body.length) });
  response.end(request.method === 'HEAD' ? undefined : body);
}

async function plainHealth(port: number, address: string): Promise<Server> {
  const server = createPlainServer((request, response) => {
    request.resume();
    send(request, response, request.url?.split('?')[0] === HEALTH_PATH ? health() : htmlError(404, 'Not Found'));
  });
  await listen(server, port, address);
  return server;
}

async function listen(server: Server | ReturnType<typeof createServer>, port: number, address: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

async function stop(server: Server | ReturnType<typeof createServer>): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function ticking(context: Context): Promise<void> {
  while (!context.ending) {
    await runTimers(context);
    context.dropOldJobs();
    context.flush();
    await context.sleep(TICK_MS);
  }
}

async function monitoring(context: Context, importAlone: boolean): Promise<void> {
  const monitor = new Monitor(context);
  while (!context.ending) {
    // Not awaited: one silent host must not hold up the others' next round.
    context.inBackground('monitoring', async () => {
      await monitor.round();
      await adoptStoredOvf(context);
      if (importAlone) await autoImport(context);
    });
    await context.sleep(POLL_MS);
  }
}

/** Reads the key of `/lab/faults`, making it at the first start. */
export function labKey(file: string, dir: string): string {
  if (!existsSync(file)) {
    mkdirSync(dir, { recursive: true });
    writeFileSync(file, randomBytes(24).toString('base64url'), { mode: 0o600 });
    chmodSync(file, 0o600);
  }
  return readFileSync(file, 'utf8').trim();
}
