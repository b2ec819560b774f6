/** An engine in this process, hosts in memory, and a plain TLS client: for the tests of this folder. */
import { randomUUID } from 'node:crypto';
import { request } from 'node:https';
import type { IncomingHttpHeaders } from 'node:http';

import type { LabFixture } from '../fixture.ts';
import { createAuthority } from '../pki.ts';
import { testFixture } from '../vdsm/lab-for-tests.ts';
import type { EngineClock } from './context.ts';
import type { EngineOptions, RunningEngine } from './engine.ts';
import { startEngine } from './engine.ts';
import { MemoryGateway } from './gateway-memory.ts';
import type { VolumeFacts } from './gateway.ts';

export const PASSWORD = 'admin-password';
export const LAB_KEY = 'lab-key';
/** Lab seconds per second: a two second transition takes ten milliseconds. */
const SPEED = 200;

const VM_CONF = `vmId=x
vmName=HostedEngine
memSize=4096
smp=2
maxVCpus=8
cpuType=Cascadelake-Server
emulatedMachine=pc-q35-rhel8.6.0
display=vnc
devices={nicModel:pv,macAddr:00:16:3e:7f:10:aa,linkActive:true,network:ovirtmgmt,deviceId:5a8a4e3b-1d6c-4c7a-9f3a-2b6e8c0d1f23,device:bridge,type:interface}
`;

const pki = createAuthority();
const leaf = pki.issue(['engine.example.test', '127.0.0.1']);

export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The body as JSON; `{}` when it is none. */
  readonly json: Json;
}

/** Loose on purpose: a test says what it expects. */
export interface Json {
  readonly [member: string]: unknown;
}

/** A fast clock that a test can stop, to look at what lasts only a moment. */
export class TestClock implements EngineClock {
  readonly speed = SPEED;
  #lab = 0;
  #since = performance.now();
  #held = false;

  now(): number {
    return this.#held ? this.#lab : this.#lab + (performance.now() - this.#since) * SPEED;
  }

  hold(): void {
    this.#lab = this.now();
    this.#held = true;
  }

  go(): void {
    this.#since = performance.now();
    this.#held = false;
  }

  async sleep(labMs: number, signal?: AbortSignal): Promise<void> {
    const due = this.now() + labMs;
    for (;;) {
      if (this.now() >= due || signal?.aborted === true) return;
      await new Promise((resolve) => setTimeout(resolve, Math.min(10, (due - this.now()) / SPEED)));
    }
  }
}

export interface TestEngine {
  readonly clock: TestClock;
  readonly fixture: LabFixture;
  readonly gateway: MemoryGateway;
  readonly engine: RunningEngine;
  token: string;
  /** A request below the API root as JSON, with the token. @throws Error when the connection is lost */
  api(method: string, path: string, body?: object, headers?: Record<string, string>): Promise<Answered>;
  /** Any request, nothing added. */
  raw(method: string, path: string, headers?: Record<string, string>, body?: string): Promise<Answered>;
  login(): Promise<string>;
  close(): Promise<void>;
}

export function heVolume(fixture: LabFixture): VolumeFacts {
  const { image, volume, sizeBytes } = fixture.heDisks.vm;
  return {
    image,
    volume,
    capacity: sizeBytes,
    actualSize: 0,
    format: 'raw',
    sparse: true,
    diskType: 'HEVD',
    description: 'he_virtio_disk',
    legal: true,
  };
}

function memoryLab(fixture: LabFixture): MemoryGateway {
  const gateway = new MemoryGateway();
  for (const host of fixture.hosts) {
    gateway.hosts.set(host.name, {
      reachable: true,
      memoryBytes: 32 * 1024 ** 3,
      ha: { configured: true, active: true, score: 3400, globalMaintenance: false, localMaintenance: false },
      vms: host.spmId === 1 ? [{ id: fixture.vm.id, status: 'Up' }] : [],
    });
  }
  for (const [domain, volumes] of [
    [fixture.masterDomain, []],
    [fixture.heDomain, [heVolume(fixture)]],
    [fixture.importDomain, []],
  ] as const) {
    const at = `${domain.server}:${domain.path}`;
    gateway.domains.set(domain.id, {
      id: domain.id,
      name: domain.name,
      format: 'v5',
      at,
      pools: [],
      volumes: [...volumes],
      stores: [],
    });
  }
  return gateway;
}

/** Puts OVFs into the two OVF_STORE copies of a domain. */
export function storeOvfs(gateway: MemoryGateway, domainId: string, ovfs: Readonly<Record<string, string>>): void {
  const domain = gateway.domains.get(domainId);
  if (domain === undefined) throw new Error(`no domain ${domainId}`);
  const entries = Object.entries(ovfs).map(([id, text]) => ({ name: `${id}.ovf`, text }));
  domain.stores = [1, 2].map((age) => ({
    image: randomUUID(),
    volume: randomUUID(),
    updated: true,
    lastUpdated: age,
    entries,
  }));
}

export async function startTestEngine(
  change: Partial<LabFixture> = {},
  options: Partial<EngineOptions> & { readonly memory?: MemoryGateway } = {},
): Promise<TestEngine> {
  const base = testFixture('/nonexistent', { vmConf: VM_CONF, speed: SPEED, ...change });
  // Real hosts differ in address or port; the test fixture leaves both to the system.
  const fixture: LabFixture = {
    ...base,
    hosts: base.hosts.map((host) => ({ ...host, vdsmPort: 54_000 + host.spmId })),
  };
  const gateway = options.memory ?? memoryLab(fixture);
  const clock = new TestClock();
  const engine = await startEngine({
    fixture,
    gateway,
    tls: { ca: pki.ca, cert: leaf.cert, key: leaf.key },
    password: PASSWORD,
    labKey: LAB_KEY,
    clock,
    port: 0,
    ...options,
  });
  const raw: TestEngine['raw'] = async (method, path, headers = {}, body) =>
    await call(engine.port, method, path, headers, body);
  const lab: TestEngine = {
    clock,
    fixture,
    gateway,
    engine,
    token: '',
    raw,
    api: async (method, path, body, headers) =>
      await raw(
        method,
        `/ovirt-engine/api${path}`,
        {
          authorization: `Bearer ${lab.token}`,
          accept: 'application/json',
          ...(body && { 'content-type': 'application/json' }),
          ...headers,
        },
        body && JSON.stringify(body),
      ),
    login: async () => {
      const form = new URLSearchParams({
        grant_type: 'password',
        scope: 'ovirt-app-api',
        username: 'admin@internal',
        password: PASSWORD,
      });
      const { json } = await raw('POST', '/ovirt-engine/sso/oauth/token', FORM, form.toString());
      lab.token = String(json['access_token']);
      return lab.token;
    },
    close: async () => await engine.close(),
  };
  await lab.login();
  return lab;
}

export const FORM = { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' } as const;

function call(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string>,
  body: string | undefined,
): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, headers, ca: pki.ca, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8');
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text, json: parse(text) });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

function parse(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return {};
  }
}

/** Members of a list answer. */
export function many(answer: Answered, item: string): readonly Json[] {
  const list = answer.json[item];
  return Array.isArray(list) ? (list as Json[]) : [];
}

/** Text at a path of an answer or an object. */
export function at(json: Json, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (typeof value === 'object' && value !== null ? (value as Json)[key] : undefined),
    json,
  );
}

/** Waits for a condition. @throws Error after `limitMs` */
export async function until(what: string, probe: () => Promise<boolean> | boolean, limitMs = 5000): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await probe())) {
    if (Date.now() > end) throw new Error(`waited ${limitMs} ms in vain for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
