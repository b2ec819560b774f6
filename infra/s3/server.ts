/** An embedded S3 server (versitygw over a folder) for whoever names no endpoint; loopback only, keys of its own. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { accepts, freePorts, startProcess, until } from '../processes.ts';
import { TOOLS, ensureTool } from '../setup/tools.mjs';

export interface EmbeddedS3 {
  readonly endpoint: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Ends the server and returns how to start it again on the same folder and port. */
  crash(): Promise<() => Promise<void>>;
  stop(): Promise<void>;
}

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** Made once and kept with the data (mode 0600), so that a restart opens the same store. */
function keysOf(dir: string): Keys {
  const file = join(dir, 'keys.json');
  if (existsSync(file)) {
    const [accessKeyId = '', secretAccessKey = ''] = readFileSync(file, 'utf8').split('\n');
    return { accessKeyId, secretAccessKey };
  }
  const keys = { accessKeyId: randomBytes(10).toString('hex'), secretAccessKey: randomBytes(20).toString('hex') };
  writeFileSync(file, `${keys.accessKeyId}\n${keys.secretAccessKey}\n`, { mode: 0o600 });
  return keys;
}

export async function startS3(options: { dir: string; say?: (line: string) => void }): Promise<EmbeddedS3> {
  const binary = await ensureTool(TOOLS.versitygw, options.say);
  const data = join(options.dir, 'data');
  const versions = join(options.dir, 'versions');
  mkdirSync(data, { recursive: true });
  mkdirSync(versions, { recursive: true });
  const keys = keysOf(options.dir);
  const [port = 0] = await freePorts(1);
  const launch = async () => {
    const started = startProcess(binary, ['--port', `127.0.0.1:${port}`, 'posix', '--versioning-dir', versions, data], {
      cwd: options.dir,
      env: { ...process.env, ROOT_ACCESS_KEY: keys.accessKeyId, ROOT_SECRET_KEY: keys.secretAccessKey },
      logFile: join(options.dir, 'versitygw.log'),
    });
    await until(`S3 server on port ${port}`, () => accepts('127.0.0.1', port), 30_000);
    return started;
  };
  let server = await launch();
  return {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'us-east-1',
    ...keys,
    async crash() {
      server.kill('SIGKILL');
      await server.exited;
      return async () => {
        server = await launch();
      };
    },
    stop: () => server.stop(),
  };
}
