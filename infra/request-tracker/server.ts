/**
 * A real Request Tracker 5 (Debian's packages) with a database of its own in a folder, on loopback: queue, states, custom
 * fields, users with tokens, and the scrips that send signed webhooks. Root is not needed.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { accepts, freePorts, startProcess, until } from '../processes.ts';

const SERVER = '/usr/share/request-tracker5/libexec/rt-server';
const SETUP = '/usr/sbin/rt-setup-database-5';
const DATA = fileURLToPath(new URL('rt-data.pl', import.meta.url));
const START_LIMIT_MS = 60_000;

export const PACKAGES = 'request-tracker5 rt5-db-sqlite rt5-standalone';

/** Users that exist, each with a token. `bellwether` is the worker's; its comments send no webhook. */
export type RtUser = 'bellwether' | 'alice' | 'mallory';

export interface RequestTracker {
  readonly url: string;
  readonly pid: number;
  tokenFile(user: RtUser): string;
  /** Where the scrips send from now on. */
  sendTo(url: string, secret: string): void;
  /** A call of REST 2.0 as that user. @throws Error with RT's words when it refuses. */
  call(user: RtUser, method: string, path: string, body?: unknown): Promise<unknown>;
  stop(): Promise<void>;
}

/** Why RT can't be run here; undefined: it can. */
export function rtMissing(): string | undefined {
  const missing = [SERVER, SETUP].filter((file) => !existsSync(file));
  if (missing.length === 0) return undefined;
  return `Request Tracker 5 is not installed (${missing.join(', ')}): apt-get install --no-install-recommends ${PACKAGES}`;
}

/** A value in Perl's single quotes. */
function perl(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** `approved` starts an operation; the others are where Bellwether puts the ticket. */
function siteConfig(dir: string, port: number): string {
  const states = 'new approved open stalled resolved rejected';
  return `Set($rtname, 'rt.example.test');
Set($Organization, 'example.test');
Set($WebDomain, '127.0.0.1');
Set($WebPort, ${port});
Set($WebPath, '');
Set($DatabaseType, 'SQLite');
Set($DatabaseName, ${perl(join(dir, 'rt.sqlite'))});
# Mail goes nowhere.
Set($SendmailPath, '/bin/true');
Set($LogToSyslog, undef);
Set($LogToSTDERR, 'warning');
Set($Timezone, 'UTC');
Set(@LexiconLanguages, 'en');
Set(%Lifecycles, change => {
  initial => ['new'], active => ['approved', 'open', 'stalled'], inactive => ['resolved', 'rejected'],
  defaults => { on_create => 'new' },
  transitions => { '' => ['new'], map { $_ => [qw(${states})] } qw(${states}) },
  rights => { '* -> *' => 'ModifyTicket' },
});
$RT::MasonDataDir = ${perl(join(dir, 'mason'))};
$RT::MasonSessionDir = ${perl(join(dir, 'session'))};
1;
`;
}

async function setUp(env: NodeJS.ProcessEnv, dir: string, args: readonly string[]): Promise<void> {
  const logFile = join(dir, 'setup.log');
  const status = await startProcess(SETUP, args, { env, logFile }).exited;
  if (status !== 0) throw new Error(`${SETUP} ${args.join(' ')} failed (${status}): see ${logFile}`);
}

/** Makes the database unless the folder has one, and starts the server. @throws Error when RT is not installed. */
export async function startRequestTracker(dir: string): Promise<RequestTracker> {
  const missing = rtMissing();
  if (missing !== undefined) throw new Error(missing);
  for (const part of ['mason', 'session']) mkdirSync(join(dir, part), { recursive: true });
  const [port = 0] = await freePorts(1);
  const config = join(dir, 'RT_SiteConfig.pm');
  writeFileSync(config, siteConfig(dir, port));
  const env = { ...process.env, RT_SITE_CONFIG: config, RT_SITE_CONFIG_DIR: '/dev/null', BELLWETHER_RT_DIR: dir };
  if (!existsSync(join(dir, 'token-bellwether'))) {
    await setUp(env, dir, ['--action', 'init', '--skip-create']);
    await setUp(env, dir, ['--action', 'insert', '--datafile', DATA]);
  }
  const args = ['--host', '127.0.0.1', '--port', String(port), '--max-workers', '2'];
  const server = startProcess(SERVER, args, { env, logFile: join(dir, 'server.log') });
  const url = `http://127.0.0.1:${port}`;
  await until(`RT at ${url} (log: ${join(dir, 'server.log')})`, () => accepts('127.0.0.1', port), START_LIMIT_MS);
  const tokenFile = (user: RtUser) => join(dir, `token-${user}`);
  return {
    url,
    pid: server.pid,
    tokenFile,
    sendTo: (to, secret) =>
      writeFileSync(join(dir, 'webhook.json'), JSON.stringify({ url: to, secret }), { mode: 0o600 }),
    async call(user, method, path, body) {
      const response = await fetch(`${url}/REST/2.0${path}`, {
        method,
        headers: {
          authorization: `token ${readFileSync(tokenFile(user), 'utf8').trim()}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!response.ok) throw new Error(`RT answered ${response.status} to ${method} ${path}: ${text}`);
      return JSON.parse(text) as unknown;
    },
    // The prefork server passes SIGTERM on to its children.
    stop: () => server.stop(),
  };
}
