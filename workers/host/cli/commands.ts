/** The commands of `bellwether-host`. Each loads what it needs: `status` must not wait for the worker's parts. */
import { Option, type Command } from 'commander';
import { integer, order, parseUntil, whoAmI, wrongWord } from './control.ts';
import type { CliIo } from './io.ts';
import type { LiveOptions } from './live.ts';
import type { StatusOptions } from './status.ts';

const STATUS_HELP = `
Without --metadata the running worker of this host is asked. The file is the hosted-engine domain's he_metadata volume, or
a copy of it. On a host:
  /rhev/data-center/mnt/<server>/<domain>/ha_agent/hosted-engine.metadata
It is only read. How old a heartbeat is can't be seen in one reading of a file.`;

const WHAT_IF_HELP = `
Events: "host2 lost", "network of host1 cut", "network of all cut", "storage hangs", "engine vm dies",
"host3 into maintenance", "global maintenance", and "capacity" for how many host failures can be taken now.`;

const MAINTENANCE_HELP = `
global  nobody starts, stops or moves the engine VM (for all hosts)
local   this host takes no part; an engine VM that is here is handed over
none    both off
Each is confirmed by reading it back.`;

const DEFAULT_SOCKET = '/run/bellwether-host/control.socket';

const socketOption = () =>
  new Option('--socket <path>', 'control socket of the worker').default(DEFAULT_SOCKET).env('BELLWETHER_HOST_SOCKET');

interface Socket {
  readonly socket: string;
}

function addRun(program: Command): void {
  program
    .command('run')
    .description('the worker itself, in the foreground')
    .requiredOption('--config <file>', 'its configuration; an empty file is valid')
    .action(async ({ config }: { config: string }) => {
      const { run } = await import('./run.ts');
      await run(config);
    });
}

function addQuestions(program: Command, io: CliIo): void {
  const print = async (text: Promise<string>) => io.stdout(await text);
  program
    .command('status')
    .description('all hosts: state, score, engine VM, lease, maintenance')
    .option('--metadata <file>', 'HA metadata file or device to read, offline')
    .option('--json', 'machine-readable output')
    .option('--timing', 'with all times that follow from the profile')
    .addOption(
      new Option('--compat', 'JSON in the shape of `hosted-engine --vm-status --json`').implies({ json: true }),
    )
    .addOption(socketOption())
    .addHelpText('after', STATUS_HELP)
    .action(async ({ metadata, ...options }: Partial<StatusOptions> & LiveOptions) => {
      if (metadata !== undefined) return print((await import('./status.ts')).status({ metadata, ...options }));
      return print((await import('./live.ts')).liveStatus(options));
    });
  program
    .command('why')
    .description('one screen: why is the engine here, why did it (not) fail over, what is waited for')
    .addOption(socketOption())
    .action(async (options: LiveOptions) => print((await import('./live.ts')).liveWhy(options)));
  program
    .command('what-if')
    .description('what the cluster would do now if something happened')
    .argument('<event...>', 'in words, e.g. host2 lost')
    .option('--json', 'machine-readable output')
    .addOption(socketOption())
    .addHelpText('after', WHAT_IF_HELP)
    .action(async (words: string[], options: LiveOptions) =>
      print((await import('./live.ts')).liveWhatIf(words.join(' '), options)),
    );
  program
    .command('journal')
    .description('what was decided, and why: show it, check its chain, decide it again')
    .argument('<what>', 'show, verify or replay')
    .option('--file <file>', 'journal to read', '/var/lib/bellwether-host/journal.jsonl')
    .option('--last <n>', 'how many lines to show', '50')
    .action(async (what: string, { file, last }: { file: string; last: string }) => {
      const { journal } = await import('./journal.ts');
      const { text, ok } = journal(what, file, integer('--last', last));
      io.stdout(text);
      if (!ok) process.exitCode = 1;
    });
}

function addOrders(program: Command, io: CliIo): void {
  const tell = async (text: Promise<string>) => io.stdout(await text);
  program
    .command('maintenance')
    .description('global, local, or none')
    .argument('<mode>', 'global, local or none')
    .option('--reason <text>', 'kept with it and shown')
    .option('--until <time>', 'global maintenance ends by itself: 03:00, +2h, or an ISO time')
    .addOption(socketOption())
    .addHelpText('after', MAINTENANCE_HELP)
    .action(async (mode: string, options: Socket & { reason?: string; until?: string }) => {
      if (mode !== 'global' && mode !== 'local' && mode !== 'none')
        throw wrongWord('maintenance', mode, 'global, local or none');
      const { socket, reason, until } = options;
      const wish = {
        ...(reason === undefined ? {} : { reason }),
        ...(until === undefined ? {} : { until: parseUntil(until, new Date()) }),
      };
      await tell(order(socket, { command: 'maintenance', mode, by: whoAmI(), ...wish }));
    });
  program
    .command('priority')
    .description('preference of this host at a start of the engine VM; higher is preferred')
    .argument('<n>', '-1000 to 1000')
    .addOption(socketOption())
    .action(async (n: string, { socket }: Socket) =>
      tell(order(socket, { command: 'priority', value: integer('priority', n) })),
    );
  program
    .command('vm')
    .description('start, shutdown or poweroff the engine VM on this host')
    .argument('<action>', 'start, shutdown or poweroff')
    .option('--force', 'in spite of a guard that allows it')
    .addOption(socketOption())
    .action(async (action: string, { socket, force = false }: Socket & { force?: boolean }) => {
      if (action !== 'start' && action !== 'shutdown' && action !== 'poweroff')
        throw wrongWord('vm', action, 'start, shutdown or poweroff');
      await tell(order(socket, { command: 'vm', action, force, by: whoAmI() }));
    });
  program
    .command('lockspace')
    .description('write the board’s lockspace anew')
    .argument('<action>', 'reinit')
    .option('--force', 'in spite of a guard that allows it')
    .addOption(socketOption())
    .action(async (action: string, { socket, force = false }: Socket & { force?: boolean }) => {
      if (action !== 'reinit') throw wrongWord('lockspace', action, 'reinit');
      await tell(order(socket, { command: 'lockspace-reinit', force }));
    });
  program
    .command('slot')
    .description('empty the slot of a host that is gone')
    .argument('<action>', 'clean')
    .argument('<host-id>', 'its id')
    .option('--force', 'in spite of a guard that allows it')
    .addOption(socketOption())
    .action(async (action: string, id: string, { socket, force = false }: Socket & { force?: boolean }) => {
      if (action !== 'clean') throw wrongWord('slot', action, 'clean');
      await tell(order(socket, { command: 'slot-clean', hostId: integer('host id', id), force }));
    });
  program
    .command('drill')
    .description('move the healthy engine VM to the host that a failure would bring it to, and time it')
    .addOption(socketOption())
    .action(async ({ socket }: Socket) => tell(order(socket, { command: 'drill' })));
}

/** Adds all of them. */
export function addCommands(program: Command, io: CliIo): void {
  addRun(program);
  addQuestions(program, io);
  addOrders(program, io);
}
