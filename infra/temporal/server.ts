/**
 * An embedded Temporal: the official server and web UI as child processes on loopback, on a SQLite file.
 *
 * Order of choice (temporal.md 5): `TEMPORAL_ADDRESS`, a `temporal` on PATH, this project's cache, the SDK's own
 * download, building the released Go modules.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { accepts, freePorts, startProcess, until, type RunningProcess } from '../processes.ts';
import { TOOLS, cacheDir, ensureTool, findTool, onPath } from '../setup/tools.mjs';
import { DYNAMIC_CONFIG, dynamicConfigFile, serverConfig, uiConfig, type TemporalPorts } from './config.ts';
import { ensureNamespace } from './namespace.ts';

export interface EmbeddedTemporal {
  readonly address: string;
  readonly namespace: string;
  /** Absent when the server came without a UI. */
  readonly uiUrl?: string;
  /** Where the binary came from, in words for the terminal. */
  readonly origin: string;
  /** SIGKILL and start again on the same file and ports: what a crash looks like. Not offered by a downloaded server. */
  readonly crash?: () => Promise<() => Promise<void>>;
  stop(): Promise<void>;
}

export interface EmbeddedTemporalOptions {
  /** Folder of the database and the configuration files; kept, so that nothing is lost at a restart. */
  readonly dir: string;
  readonly namespace: string;
  readonly ui?: boolean;
  readonly say?: (line: string) => void;
  readonly ports?: { readonly frontend: number; readonly ui: number };
}

async function choosePorts(given: EmbeddedTemporalOptions['ports']): Promise<TemporalPorts> {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0, i = 0, j = 0, k = 0] = await freePorts(11);
  return { frontend: given?.frontend ?? a, http: b, ui: given?.ui ?? c, internal: [d, e, f, g, h, i, j, k] };
}

async function serving(address: string): Promise<boolean> {
  const [host = '', port = ''] = address.split(':');
  if (!(await accepts(host, Number(port)))) return false;
  try {
    const connection = await Connection.connect({ address, connectTimeout: '2s' });
    await connection.workflowService.getSystemInfo({});
    await connection.close();
    return true;
  } catch {
    return false;
  }
}

async function waitServing(address: string, server: RunningProcess, log: string): Promise<void> {
  const ready = async () => {
    if (!server.alive()) throw new Error(`the Temporal server ended while starting; its log: ${log}`);
    return serving(address);
  };
  await until(`Temporal server on ${address} (log: ${log})`, ready, 60_000);
}

async function prepareNamespace(address: string, namespace: string): Promise<void> {
  const connection = await Connection.connect({ address, connectTimeout: '5s' });
  await ensureNamespace(connection, namespace);
  await connection.close();
}

function startUi(binary: string, dir: string, namespace: string, ports: TemporalPorts): RunningProcess {
  writeFileSync(join(dir, 'ui.yaml'), uiConfig(namespace, ports));
  return startProcess(binary, ['--root', dir, '--config', '.', '--env', 'ui', 'start'], {
    cwd: dir,
    logFile: join(dir, 'ui.log'),
  });
}

/** The official binaries: from the cache, or built now. */
async function startOfficial(options: EmbeddedTemporalOptions, origin: string): Promise<EmbeddedTemporal> {
  const { dir, namespace } = options;
  const binary = await ensureTool(TOOLS.temporalServer, options.say);
  const uiBinary = options.ui === false ? undefined : await ensureTool(TOOLS.temporalUi, options.say);
  const ports = await choosePorts(options.ports);
  const log = join(dir, 'server.log');
  const config = join(dir, 'server.yaml');
  writeFileSync(join(dir, 'dynamic.yaml'), dynamicConfigFile());
  writeFileSync(config, serverConfig(join(dir, 'temporal.db'), join(dir, 'dynamic.yaml'), ports));
  const address = `127.0.0.1:${ports.frontend}`;
  const launch = async () => {
    const started = startProcess(binary, ['--config-file', config, '--allow-no-auth', 'start'], {
      cwd: dir,
      logFile: log,
    });
    await waitServing(address, started, log);
    return started;
  };
  let server = await launch();
  await prepareNamespace(address, namespace);
  const ui = uiBinary === undefined ? undefined : startUi(uiBinary, dir, namespace, ports);
  if (ui !== undefined) await until(`Temporal UI on port ${ports.ui}`, () => accepts('127.0.0.1', ports.ui), 30_000);
  return {
    address,
    namespace,
    origin,
    ...(ui === undefined ? {} : { uiUrl: `http://127.0.0.1:${ports.ui}` }),
    async crash() {
      server.kill('SIGKILL');
      await server.exited;
      return async () => {
        server = await launch();
      };
    },
    async stop() {
      await Promise.all([ui?.stop(2000), server.stop(8000)]);
    },
  };
}

const PORT_TRIES = 3;

/** Ports that were free a moment ago may be taken by somebody else's start: other ones are tried then. */
async function withFreshPorts(
  options: EmbeddedTemporalOptions,
  start: () => Promise<EmbeddedTemporal>,
): Promise<EmbeddedTemporal> {
  for (let left = PORT_TRIES - 1; ; left -= 1) {
    try {
      return await start();
    } catch (error) {
      const log = join(options.dir, 'server.log');
      const taken = existsSync(log) && readFileSync(log, 'utf8').includes('address already in use');
      if (!taken || left === 0 || options.ports !== undefined) throw error;
      renameSync(log, `${log}.${left}`);
    }
  }
}

/** A `temporal` CLI's own development server, with the same tuning. */
async function startCli(binary: string, options: EmbeddedTemporalOptions): Promise<EmbeddedTemporal> {
  const ports = await choosePorts(options.ports);
  const address = `127.0.0.1:${ports.frontend}`;
  const log = join(options.dir, 'server.log');
  const tuning = Object.entries(DYNAMIC_CONFIG).flatMap(([k, v]) => [
    '--dynamic-config-value',
    `${k}=${JSON.stringify(v)}`,
  ]);
  const flags = [
    '--ip',
    '127.0.0.1',
    '--port',
    String(ports.frontend),
    '--db-filename',
    join(options.dir, 'temporal.db'),
  ];
  const ui = options.ui === false ? ['--headless'] : ['--ui-port', String(ports.ui)];
  const pragmas = ['--sqlite-pragma', 'journal_mode=WAL', '--sqlite-pragma', 'synchronous=FULL', '--log-level', 'warn'];
  const args = ['server', 'start-dev', ...flags, ...ui, ...pragmas, ...tuning];
  const launch = async () => {
    const started = startProcess(binary, args, { cwd: options.dir, logFile: log });
    await waitServing(address, started, log);
    return started;
  };
  let server = await launch();
  await prepareNamespace(address, options.namespace);
  return {
    address,
    namespace: options.namespace,
    origin: `${binary} (PATH)`,
    ...(options.ui === false ? {} : { uiUrl: `http://127.0.0.1:${ports.ui}` }),
    async crash() {
      server.kill('SIGKILL');
      await server.exited;
      return async () => {
        server = await launch();
      };
    },
    stop: () => server.stop(8000),
  };
}

/** The SDK's own download of a development server: works where the internet is reachable, fails at once elsewhere. */
async function startDownloaded(options: EmbeddedTemporalOptions): Promise<EmbeddedTemporal> {
  const ports = await choosePorts(options.ports);
  const tuning = Object.entries(DYNAMIC_CONFIG).flatMap(([k, v]) => [
    '--dynamic-config-value',
    `${k}=${JSON.stringify(v)}`,
  ]);
  const environment = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'cached-download', downloadDir: cacheDir() },
      ip: '127.0.0.1',
      port: ports.frontend,
      dbFilename: join(options.dir, 'temporal.db'),
      namespace: options.namespace,
      ui: options.ui !== false,
      uiPort: ports.ui,
      extraArgs: tuning,
    },
  });
  const address = `127.0.0.1:${ports.frontend}`;
  await prepareNamespace(address, options.namespace);
  return {
    address,
    namespace: options.namespace,
    origin: 'downloaded by the Temporal SDK',
    ...(options.ui === false ? {} : { uiUrl: `http://127.0.0.1:${ports.ui}` }),
    stop: () => environment.teardown(),
  };
}

/**
 * Starts a Temporal server of our own.
 * @throws Error that names what was tried and what to install, when no way works.
 */
export async function startTemporal(options: EmbeddedTemporalOptions): Promise<EmbeddedTemporal> {
  mkdirSync(options.dir, { recursive: true });
  const cli = onPath('temporal');
  if (cli !== undefined) return withFreshPorts(options, () => startCli(cli, options));
  if (findTool(TOOLS.temporalServer) !== undefined) {
    return withFreshPorts(options, () => startOfficial(options, 'this project’s cache'));
  }
  try {
    return await startDownloaded(options);
  } catch {
    options.say?.('no Temporal server can be downloaded here; building it from its released Go modules');
    return startOfficial(options, 'built with Go');
  }
}
