/** The commands that start operations: their words and options. */
import { Argument, Option, type Command } from 'commander';
import { changeOf, type EditOptions } from './engine-vm.ts';
import type { ExitCode } from './exit.ts';
import type { CliRun } from './run.ts';
import { submit, submitOptions, type SubmitOptions } from './submit.ts';
import { upgrade, type UpgradeOptions } from './upgrade.ts';

export type Done = (code: ExitCode) => void;

export function upgradeCommand(program: Command, run: CliRun, done: Done): void {
  submitOptions(program.command('upgrade').description('make an unmanaged hosted engine a managed one'))
    .option('--vm-conf <file>', 'vm.conf of the engine VM')
    .addOption(
      new Option(
        '--source <source>',
        'where the definition comes from (default: request with --vm-conf, else auto)',
      ).choices(['auto', 'request', 'configuration-volume', 'engine']),
    )
    .action(async (options: UpgradeOptions) => done(await upgrade(run, options)));
}

export function maintenanceCommands(program: Command, run: CliRun, done: Done): void {
  const maintenance = program.command('maintenance').description('global maintenance of the hosted engine');
  submitOptions(
    maintenance
      .command('global')
      .description('switch it on or off; seen in the HA metadata and by every host before it is said to be')
      .addArgument(new Argument('<mode>').choices(['on', 'off'])),
  )
    .option('--until <time>', 'with on: it ends by itself then (ISO time, e.g. 2026-11-22T04:00:00Z)')
    .action(async (mode: string, options: SubmitOptions & { until?: string }) => {
      const until = options.until === undefined ? {} : { until: options.until };
      done(await submit(run, options, { operation: 'global-maintenance', mode, ...until }));
    });
}

interface AddOptions extends SubmitOptions {
  readonly address: string;
  readonly vdsmPort?: string;
  readonly passwordSecret?: string;
  readonly agent: string;
  readonly sshPort?: string;
  readonly sshKeySecret?: string;
  readonly sshFingerprint?: string;
}

interface RemoveOptions extends SubmitOptions {
  readonly fromEngine?: boolean;
  readonly dead?: boolean;
  readonly sshKeySecret?: string;
  readonly passwordSecret?: string;
}

export function hostCommands(program: Command, run: CliRun, done: Done): void {
  const host = program.command('host').description('hosted-engine hosts');
  submitOptions(host.command('add').description('make a machine a hosted-engine host, and prove it').argument('<name>'))
    .requiredOption('--address <address>', 'name or address under which the engine reaches it')
    .option('--vdsm-port <port>', 'of its VDSM (default: 54321)')
    .option('--password-secret <name>', 'name of the secret with root’s password (default: the engine’s own key)')
    .addOption(
      new Option('--agent <agent>', 'whose HA services').choices(['reference', 'bellwether']).default('reference'),
    )
    .option('--ssh-port <port>', 'of its SSH server (default: 22)')
    .option('--ssh-key-secret <name>', 'with --agent bellwether: name of the secret with root’s private SSH key')
    .option(
      '--ssh-fingerprint <SHA256:...>',
      'with --agent bellwether: of its SSH host key, to look before anything is touched',
    )
    .action(async (name: string, options: AddOptions) => {
      const { address, vdsmPort, passwordSecret, agent, sshPort, sshKeySecret, sshFingerprint } = options;
      const access = passwordSecret === undefined ? { kind: 'public-key' } : { kind: 'password', passwordSecret };
      const port = vdsmPort === undefined ? {} : { vdsmPort: Number(vdsmPort) };
      const ssh = {
        ...(sshPort === undefined ? {} : { sshPort: Number(sshPort) }),
        ...(sshKeySecret === undefined ? {} : { sshKeySecret }),
        ...(sshFingerprint === undefined ? {} : { sshFingerprint }),
      };
      const body = { operation: 'add-host', host: name, address, access, agent, ...port, ...ssh };
      done(await submit(run, options, body));
    });
  submitOptions(host.command('remove').description('undeploy hosted engine from a host').argument('<name>'))
    .option('--from-engine', 'remove the host from the engine too')
    .option('--dead', 'it is gone for good and without power: you vouch for that (needs --from-engine)')
    .option('--ssh-key-secret <name>', 'where Bellwether’s worker serves it: secret with root’s private SSH key')
    .option('--password-secret <name>', 'the same by root’s password')
    .action(async (name: string, options: RemoveOptions) => {
      const { sshKeySecret, passwordSecret } = options;
      const ways = {
        ...(options.dead === true ? { dead: true } : {}),
        ...(sshKeySecret === undefined ? {} : { sshKeySecret }),
        ...(passwordSecret === undefined ? {} : { passwordSecret }),
      };
      const fromEngine = options.fromEngine === true;
      done(await submit(run, options, { operation: 'remove-host', host: name, fromEngine, ...ways }));
    });
  const moods = {
    maintenance: ['enter-host-maintenance', 'engine and HA maintenance as one; the engine VM moves off first'],
    activate: ['leave-host-maintenance', 'out of both, and waits until the host could run the engine VM'],
  } as const;
  for (const [verb, [operation, words]] of Object.entries(moods)) {
    submitOptions(host.command(verb).description(words).argument('<name>')).action(
      async (name: string, options: SubmitOptions) => done(await submit(run, options, { operation, host: name })),
    );
  }
  submitOptions(
    host
      .command('update')
      .description('update hosts one by one')
      .argument('[names...]', 'in this order (default: all)'),
  ).action(async (names: string[], options: SubmitOptions) =>
    done(
      await submit(run, options, { operation: 'rolling-host-update', ...(names.length === 0 ? {} : { hosts: names }) }),
    ),
  );
}

export function engineVmCommands(program: Command, run: CliRun, done: Done): void {
  const vm = program.command('vm').description('the engine VM');
  submitOptions(vm.command('edit').description('change it; done only when the OVF on storage has the change'))
    .option('--description <text>')
    .option('--comment <text>')
    .option('--memory <mib>')
    .option('--max-memory <mib>')
    .option('--guaranteed-memory <mib>')
    .option('--cpu <sockets:cores:threads>')
    .option('--disk <name=gib...>', 'grow a disk')
    .option('--nic <name=profile...>', 'another profile, or link-up, link-down')
    .action(async (options: EditOptions) =>
      done(await submit(run, options, { operation: 'edit-engine-vm', change: changeOf(options) })),
    );
}

export function archiveCommands(program: Command, run: CliRun, done: Done): void {
  submitOptions(program.command('backup').description('back the hosted engine’s configuration up to S3'))
    .option('--keep <number>', 'keep so many backups of this kind; older ones are removed')
    .action(async (options: SubmitOptions & { keep?: string }) => {
      const keep = options.keep === undefined ? {} : { keep: Number(options.keep) };
      done(await submit(run, options, { operation: 'backup', ...keep }));
    });
  submitOptions(
    program
      .command('restore')
      .description('show what a backup would change, and with --apply change it')
      .argument('<backup>', 'key of its manifest in S3'),
  )
    .requiredOption('--item <item...>', 'ovf, vm.conf, hosted-engine.conf, configuration-archive, ha-slots')
    .option('--apply', 'change it')
    .action(async (backup: string, options: SubmitOptions & { item: string[]; apply?: boolean }) => {
      const { item: items, apply = false } = options;
      done(await submit(run, options, { operation: 'restore', backup, items, apply }));
    });
  submitOptions(program.command('reconcile').description('engine, hosts, HA metadata and OVF_STORE side by side'))
    .option('--repair <name...>', 'kinds of difference to repair, or safe for all that are safe')
    .action(async (options: SubmitOptions & { repair?: string[] }) =>
      done(await submit(run, options, { operation: 'reconcile', repair: options.repair ?? [] })),
    );
}
