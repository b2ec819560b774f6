/** A whole lab: storage, three hosts, and the engine VM running on the first of them. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { dirname, join } from 'node:path';
import { until } from '../processes.ts';
import { LabClock } from './clock.ts';
import { engineProgram } from './engine-program.ts';
import { LabFaultBoard, type LabFault } from './faults.ts';
import { labMachines, labPaths, type LabFixture } from './fixture.ts';
import { makeFixture, type LabOptions } from './make-fixture.ts';
import { managedOvf } from './managed-ovf.ts';
import { makeSshKeys } from './machine/keys.ts';
import { makePki } from './pki.ts';
import { createLabStorage, type LabStorage } from './storage/index.ts';
import { LabWorld, startHost, type HostHandle, type LabWorldOptions } from './vdsm/index.ts';

/** What `npm run lab` prints once it is ready. */
export interface LabReady {
  readonly engine: {
    readonly url: string;
    readonly ca: string;
    readonly user: string;
    readonly passwordFile: string;
    /** No name server knows a lab's engine. */
    readonly resolvesTo: readonly string[];
  };
  readonly hosts: readonly {
    readonly name: string;
    readonly address: string;
    readonly vdsmPort: number;
    readonly ca: string;
    readonly cert: string;
    readonly key: string;
  }[];
  readonly storage: {
    readonly root: string;
    readonly domain: string;
    readonly metadata: string;
    readonly lockspace: string;
  };
}

export interface Lab {
  readonly fixture: LabFixture;
  readonly storage: LabStorage;
  readonly world: LabWorld;
  readonly hosts: readonly HostHandle[];
  readonly ready: LabReady;
  /** Faults of hosts and storage act here, those of the engine in the engine VM's process. */
  inject(fault: LabFault): Promise<void>;
  clear(kind?: LabFault['kind']): Promise<void>;
  /** Faults with a count that have struck less often than they were to: a test of them would prove nothing. */
  unspentFaults(): Promise<string[]>;
  engineAnswers(): Promise<boolean>;
  close(): Promise<void>;
}

/** Not a whole number of blocks, as real images rarely are of anything. */
const APPLIANCE_BYTES = 1_500_000;

/** The appliance of a bare lab: small, and like no other disk. */
function applianceImage(): Buffer {
  const image = Buffer.alloc(APPLIANCE_BYTES);
  for (let at = 0; at < APPLIANCE_BYTES; at += 4) image.writeUInt32BE((at * 2_654_435_761) % 2 ** 32, at);
  image.write('BELLWETHER-LAB-APPLIANCE\n', 0);
  return image;
}

/** One HTTPS call to the engine; undefined when it does not answer. */
function callEngine(
  fixture: LabFixture,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string,
): Promise<{ status: number; text: string } | undefined> {
  return new Promise((resolve) => {
    const { address, port } = fixture.engine;
    const ca = readFileSync(labPaths(fixture.dir).ca);
    const call = request(
      { host: address, port, method, path, headers, ca, agent: false, timeout: 5000 },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        response.on('error', () => resolve(undefined));
      },
    );
    call.on('timeout', () => call.destroy());
    call.on('error', () => resolve(undefined));
    call.end(body);
  });
}

async function engineHealthy(fixture: LabFixture): Promise<boolean> {
  const answer = await callEngine(fixture, 'GET', '/ovirt-engine/services/health');
  return answer?.text.includes('DB Up!Welcome to Health Status!') === true;
}

function isEngineFault(kind: LabFault['kind']): boolean {
  return kind.startsWith('engine-') || kind === 'data-center-status' || kind === 'host-install';
}

function labKey(dir: string): string {
  return readFileSync(join(dir, 'engine', 'lab-key'), 'utf8').trim();
}

async function engineFault(fixture: LabFixture, method: string, query: string, body?: string): Promise<string> {
  const headers = { 'x-lab-key': labKey(fixture.dir), 'content-type': 'application/json' };
  const answer = await callEngine(fixture, method, `/lab/faults${query}`, headers, body);
  if (answer === undefined || answer.status >= 300) {
    throw new Error(`the lab's engine did not take the fault: ${answer === undefined ? 'no answer' : answer.text}`);
  }
  return answer.text;
}

function writeSecrets(fixture: LabFixture): void {
  const paths = labPaths(fixture.dir);
  mkdirSync(dirname(paths.enginePassword), { recursive: true });
  writeFileSync(paths.enginePassword, randomBytes(12).toString('base64url'), { mode: 0o600 });
  writeFileSync(join(fixture.dir, 'engine', 'lab-key'), randomBytes(16).toString('hex'), { mode: 0o600 });
}

function readyLine(fixture: LabFixture, storage: LabStorage): LabReady {
  const paths = labPaths(fixture.dir);
  const { address, port, user, passwordFile } = fixture.engine;
  return {
    engine: {
      url: `https://${address}:${port}/ovirt-engine/api`,
      ca: paths.ca,
      user,
      passwordFile,
      resolvesTo: [address],
    },
    hosts: fixture.hosts.map((host) => ({
      name: host.name,
      address: host.address,
      vdsmPort: host.vdsmPort,
      ca: paths.ca,
      cert: paths.clientCert,
      key: paths.clientKey,
    })),
    storage: {
      root: paths.storageRoot,
      domain: fixture.heDomain.id,
      metadata: storage.metadataPath,
      lockspace: storage.lockspacePath,
    },
  };
}

/** Storage and hosts of a lab that nothing runs on yet. */
export interface LabHosts {
  readonly fixture: LabFixture;
  readonly storage: LabStorage;
  readonly world: LabWorld;
  readonly faults: LabFaultBoard;
  readonly hosts: readonly HostHandle[];
  close(): Promise<void>;
}

/** What runs as the engine VM, and how the hosts go about it. */
export type LabKind = Pick<LabWorldOptions, 'engineProgram' | 'engineHealthy' | 'leases' | 'agents'>;

/**
 * Stands up storage and hosts in `options.dir`, which is emptied of an earlier lab.
 * @param kindOf told the fixture, before any host starts
 * @throws Error when the vm.conf can't be read.
 */
export async function startHosts(
  options: LabOptions,
  kindOf: (fixture: LabFixture, storage: LabStorage) => LabKind | Promise<LabKind>,
): Promise<LabHosts> {
  for (const part of ['hosts', 'engine', 'rhev', 'pki']) {
    if (existsSync(join(options.dir, 'lab.json'))) rmSync(join(options.dir, part), { recursive: true, force: true });
  }
  const fixture = await makeFixture(options);
  const paths = labPaths(fixture.dir);
  mkdirSync(fixture.dir, { recursive: true });
  const machines = labMachines(fixture);
  makePki(fixture.dir, { engine: [fixture.engine.fqdn, fixture.engine.address, 'localhost'], hosts: machines });
  makeSshKeys(fixture);
  writeSecrets(fixture);
  writeFileSync(paths.fixture, JSON.stringify(fixture, null, 2));
  if (fixture.bare === true) writeFileSync(paths.appliance, applianceImage());
  const storage = await createLabStorage(fixture, fixture.managed ? { managedOvf: managedOvf(fixture) } : {});
  const clock = new LabClock(fixture.speed);
  const faults = new LabFaultBoard();
  const world = new LabWorld({ fixture, storage, clock, faults, ...(await kindOf(fixture, storage)) });
  const hosts: HostHandle[] = [];
  for (const host of machines) hosts.push(await startHost({ fixture, host, storage, world, clock, faults }));
  return {
    fixture,
    storage,
    world,
    faults,
    hosts,
    async close() {
      await Promise.all(hosts.map((host) => host.close()));
      world.close();
    },
  };
}

/**
 * Starts a lab in `options.dir`, which is emptied of an earlier lab; resolves when the engine answers.
 * @throws Error when the vm.conf can't be read or the engine does not come up.
 */
export async function startLab(options: LabOptions): Promise<Lab> {
  const stood = await startHosts(options, async (fixture) => ({
    engineProgram: await engineProgram(fixture.dir),
    engineHealthy: () => engineHealthy(fixture),
  }));
  const { fixture, storage, world, faults, hosts, close } = stood;
  const paths = labPaths(fixture.dir);
  const lab: Lab = {
    fixture,
    storage,
    world,
    hosts,
    ready: readyLine(fixture, storage),
    async inject(fault) {
      if (isEngineFault(fault.kind)) await engineFault(fixture, 'POST', '', JSON.stringify(fault));
      else faults.inject(fault);
    },
    async clear(kind) {
      if (kind === undefined || !isEngineFault(kind)) faults.clear(kind);
      if (kind === undefined || isEngineFault(kind))
        await engineFault(fixture, 'DELETE', kind === undefined ? '' : `?kind=${kind}`);
    },
    async unspentFaults() {
      const engine: unknown = JSON.parse(await engineFault(fixture, 'GET', ''));
      const all: unknown[] = [...faults.active(), ...(Array.isArray(engine) ? engine : [engine])];
      return all.map((fault) => JSON.stringify(fault)).filter((text) => /"(times|calls)":/.test(text));
    },
    engineAnswers: () => engineHealthy(fixture),
    close,
  };
  if (fixture.bare === true) return lab;
  world.startEngineVm(fixture.hosts[0]?.name ?? '');
  try {
    await until(`the lab's engine (log: ${paths.engineLog})`, () => engineHealthy(fixture), 60_000);
  } catch (error) {
    await lab.close();
    throw error;
  }
  return lab;
}
