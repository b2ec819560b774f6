/** A small lab and a raw STOMP client for the tests of this folder. */
import { once } from 'node:events';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { encodeFrame, type StompFrame, StompParser } from '../../../activities/vdsm/stomp.ts';
import { LabClock } from '../clock.ts';
import { LabFaultBoard } from '../faults.ts';
import { type LabDomain, type LabFixture, labPaths } from '../fixture.ts';
import { makePki } from '../pki.ts';
import { createLabStorage, type LabStorage, uuidFrom } from '../storage/index.ts';
import { type HostHandle, startHost } from './host.ts';
import type { JsonObject } from './python.ts';
import { type LabTimings, LabWorld } from './world.ts';

const MIB = 1024 * 1024;
/** The engine VM's process in tests: obeys SIGTERM, ends with its parent. */
const PROGRAM = `process.on('SIGTERM',()=>process.exit(0));process.stdin.resume().on('end',()=>process.exit(0))`;

export function testFixture(dir: string, change: Partial<LabFixture> = {}): LabFixture {
  const domain = (name: string, path: string): LabDomain => ({
    id: uuidFrom('domain', name),
    name,
    server: 'storage.example.test',
    path,
  });
  const image = (name: string, sizeBytes: number) => ({
    image: uuidFrom('image', name),
    volume: uuidFrom('volume', name),
    sizeBytes,
  });
  return {
    version: 1,
    dir,
    speed: 50,
    engine: {
      address: '127.0.0.1',
      port: 0,
      user: 'admin@internal',
      passwordFile: `${dir}/engine/admin-password`,
      fqdn: 'engine.example.test',
    },
    dataCenter: { id: uuidFrom('data center'), name: 'Default' },
    cluster: {
      id: uuidFrom('cluster'),
      name: 'Default',
      cpuType: 'Intel Nehalem Family',
      version: { major: 4, minor: 7 },
    },
    hosts: [1, 2, 3].map((n) => ({
      id: uuidFrom('host', String(n)),
      name: `host${n}`,
      address: '127.0.0.1',
      vdsmPort: 0,
      spmId: n,
      hardwareUuid: uuidFrom('hardware', String(n)),
    })),
    hostRootPassword: 'host-root-password',
    masterDomain: domain('data1', '/exports/data_1'),
    heDomain: domain('hosted_storage', '/exports/he'),
    importDomain: domain('import1', '/exports/import1'),
    heDisks: {
      vm: image('vm', 50 * 1024 * MIB),
      lockspace: image('lockspace', 1024 * MIB),
      metadata: image('metadata', 128 * MIB),
      configuration: image('configuration', 1024 * MIB),
    },
    vm: { id: uuidFrom('engine vm'), name: 'HostedEngine', memoryMb: 4096 },
    vmConf: 'vmId=x\nvmName=HostedEngine\nmemSize=4096\n',
    managed: false,
    ...change,
  };
}

export interface TestLab {
  readonly fixture: LabFixture;
  readonly storage: LabStorage;
  readonly world: LabWorld;
  readonly faults: LabFaultBoard;
  readonly hosts: readonly HostHandle[];
  /** n counts from 1. */
  host(n: number): HostHandle;
  close(): Promise<void>;
}

/** Three hosts, or fewer; the engine VM is not started. */
export async function startTestLab(
  count = 3,
  change: Partial<LabFixture> = {},
  timings: Partial<LabTimings> = {},
): Promise<TestLab> {
  const fixture = testFixture(mkdtempSync(join(tmpdir(), 'lab-vdsm-')), change);
  makePki(fixture.dir, { engine: [fixture.engine.fqdn], hosts: fixture.hosts });
  const storage = await createLabStorage(fixture, { managedOvf: '<ovf/>' });
  const clock = new LabClock(fixture.speed);
  const faults = new LabFaultBoard();
  const engineProgram = { command: process.execPath, args: ['-e', PROGRAM] };
  const world = new LabWorld({ fixture, storage, clock, faults, engineProgram, timings });
  const hosts: HostHandle[] = [];
  for (const host of fixture.hosts.slice(0, count)) {
    hosts.push(await startHost({ fixture, host, storage, world, clock, faults }));
  }
  return {
    fixture,
    storage,
    world,
    faults,
    hosts,
    host: (n) => {
      const found = hosts[n - 1];
      if (found === undefined) throw new Error(`no host ${n}`);
      return found;
    },
    close: async () => {
      await Promise.all(hosts.map((host) => host.close()));
      world.close();
      rmSync(fixture.dir, { recursive: true, force: true });
    },
  };
}

export function tlsOptions(fixture: LabFixture) {
  const paths = labPaths(fixture.dir);
  return { ca: readFileSync(paths.ca), cert: readFileSync(paths.clientCert), key: readFileSync(paths.clientKey) };
}

export async function dial(fixture: LabFixture, port: number): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, ...tlsOptions(fixture) });
  await once(socket, 'secureConnect');
  socket.on('error', () => undefined);
  return socket;
}

/** Waits until `probe` gives something, asking every few milliseconds. @throws Error after `limitMs` */
export async function until<T>(
  what: string,
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  limitMs = 5000,
): Promise<T> {
  const end = Date.now() + limitMs;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > end) throw new Error(`waited ${limitMs} ms in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Frames as they come; nothing is interpreted. */
export class RawStomp {
  readonly socket: TLSSocket;
  readonly frames: StompFrame[] = [];
  beats = 0;
  closed = false;
  readonly replies = randomUUID();

  constructor(socket: TLSSocket) {
    this.socket = socket;
    const parser = new StompParser();
    socket.on('data', (chunk: Buffer) => {
      for (const item of parser.push(chunk)) {
        if (item.kind === 'frame') this.frames.push(item.frame);
        else this.beats += 1;
      }
    });
    socket.on('close', () => (this.closed = true));
  }

  static async open(lab: TestLab, host: HostHandle): Promise<RawStomp> {
    const client = new RawStomp(await dial(lab.fixture, host.port));
    client.send('CONNECT', { 'accept-version': '1.2', host: 'x' });
    client.send('SUBSCRIBE', { id: client.replies, destination: client.replies });
    await client.frame('CONNECTED');
    return client;
  }

  send(command: string, headers: Record<string, string> = {}, body = ''): void {
    this.socket.write(encodeFrame(command, headers, body));
  }

  /** The next unread frame of that command. */
  frame(command: string): Promise<StompFrame> {
    return until(`frame ${command}`, () => {
      const index = this.frames.findIndex((one) => one.command === command);
      return index < 0 ? undefined : this.frames.splice(index, 1)[0];
    });
  }

  request(body: string, more: Record<string, string> = {}): void {
    this.send('SEND', { destination: 'jms.topic.vdsm_requests', 'reply-to': this.replies, ...more }, body);
  }

  /** The next JSON body that came as a MESSAGE. */
  async json(): Promise<Record<string, unknown>> {
    return JSON.parse((await this.frame('MESSAGE')).body.toString()) as Record<string, unknown>;
  }

  /** Result of a call. @throws CallError */
  async call(method: string, params: JsonObject = {}): Promise<unknown> {
    const id = randomUUID();
    this.request(JSON.stringify({ jsonrpc: '2.0', method, params, id }));
    const frame = await until(`answer to ${method}`, () => {
      if (this.closed) throw new Error('connection lost');
      const index = this.frames.findIndex((one) => one.body.includes(id));
      return index < 0 ? undefined : this.frames.splice(index, 1)[0];
    });
    const answer = JSON.parse(frame.body.toString()) as { result?: unknown; error?: { code: number; message: string } };
    if (answer.error !== undefined) throw new CallError(answer.error.code, answer.error.message);
    return answer.result;
  }

  /** Polls a task to its end. */
  task(id: unknown): Promise<{ taskResult: string; code: number; message: string }> {
    return until('end of task', async () => {
      const status = (await this.call('Task.getStatus', { taskID: String(id) })) as Record<string, unknown>;
      return status['taskState'] === 'finished' && (status as { taskResult: string; code: number; message: string });
    });
  }

  close(): void {
    this.socket.destroy();
  }
}

export class CallError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

export interface StreamAnswer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
}

/** One request to a host's data stream. @throws Error when the connection is lost */
export function stream(
  lab: TestLab,
  host: HostHandle,
  method: 'GET' | 'PUT',
  headers: Record<string, string>,
  body?: Buffer,
): Promise<StreamAnswer> {
  return new Promise((resolve, reject) => {
    const options = {
      host: '127.0.0.1',
      port: host.port,
      method,
      path: '/',
      agent: false,
      headers,
      ...tlsOptions(lab.fixture),
    };
    const request = httpsRequest(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}
