/** A host as we find it over SSH: what the worker needs there, its files, its services. Reads only, but for `must`. */
import { CounterpartError } from '../errors.ts';
import type { SshSession } from '../ssh/client.ts';
import { commandFailed } from '../ssh/errors.ts';
import type { HostFile } from './files.ts';
import { OURS, parseUnits, servicesOf, THEIRS, type Services } from './systemd.ts';

const NODE_MIN = 20;
/** The bundle twice; the journal's eight files of 16 MiB and room beside them. */
const NEEDED_MIB = { '/usr/lib': 16, '/var/lib': 192 } as const;

/** Runs a command that must succeed. @throws CounterpartError retryable with its last words */
export async function must(ssh: SshSession, command: string): Promise<string> {
  const { code, stdout, stderr } = await ssh.run(command);
  if (code === 0) return stdout;
  throw commandFailed(ssh.subject, command, `exit code ${code}: ${(stderr.trim() || stdout.trim()).slice(-600)}`);
}

export async function services(ssh: SshSession): Promise<Services> {
  const names = [OURS, ...THEIRS].join(' ');
  return servicesOf(parseUnits(await must(ssh, `systemctl show -p Id,LoadState,ActiveState,UnitFileState ${names}`)));
}

/** Checksums of those that are there, by path. */
export async function checksums(ssh: SshSession, paths: readonly string[]): Promise<ReadonlyMap<string, string>> {
  // It exits with 1 when one of them is missing; the others are told all the same.
  const { stdout } = await ssh.run(`sha256sum ${paths.join(' ')}`);
  const lines = stdout.split('\n').map((line) => /^([\da-f]{64}) [ *](.+)$/.exec(line));
  return new Map(lines.flatMap((found): [string, string][] => (found?.[1] && found[2] ? [[found[2], found[1]]] : [])));
}

/** Files that are not there as they must be. */
export async function filesToPut(ssh: SshSession, files: readonly HostFile[]): Promise<readonly HostFile[]> {
  const there = await checksums(
    ssh,
    files.map(({ path }) => path),
  );
  return files.filter(({ path, sha256, keptIfThere }) => {
    const found = there.get(path);
    return found !== sha256 && !(keptIfThere && found !== undefined);
  });
}

/** Free MiB by mount of what `df -Pk` says, in its order. */
export function freeMiB(df: string): readonly number[] {
  const rows = df.trim().split('\n').slice(1);
  return rows.map((row) => Math.floor(Number(/\s(\d+)\s+\d+%\s/.exec(row)?.[1] ?? Number.NaN) / 1024));
}

async function nodeProblem(ssh: SshSession): Promise<string | undefined> {
  const { code, stdout, stderr } = await ssh.run('/usr/bin/node --version');
  const major = Number(/^v(\d+)\./.exec(stdout.trim())?.[1] ?? 0);
  if (code === 0 && major >= NODE_MIN) return undefined;
  const found = code === 0 ? `it is ${stdout.trim().slice(0, 40)}` : stderr.trim().slice(0, 120) || `exit code ${code}`;
  return `/usr/bin/node must be Node ${NODE_MIN} or later (${found}): dnf module install nodejs:20`;
}

async function spaceProblems(ssh: SshSession): Promise<string[]> {
  const paths = Object.keys(NEEDED_MIB).join(' ');
  const free = freeMiB(await must(ssh, `df -Pk ${paths}`));
  return Object.entries(NEEDED_MIB).flatMap(([path, needed], at) => {
    const has = free[at];
    if (has !== undefined && has >= needed) return [];
    return [
      `${path} needs ${needed} MiB free (it has ${has === undefined || Number.isNaN(has) ? 'nobody knows what' : has}): make room`,
    ];
  });
}

/** @throws CounterpartError needs-operator that names everything that is missing at once */
export async function requireMachine(ssh: SshSession): Promise<void> {
  const systemd = await ssh.run('test -d /run/systemd/system');
  const node = await nodeProblem(ssh);
  const problems = [
    ...(node === undefined ? [] : [node]),
    ...(systemd.code === 0 ? [] : ['systemd must run there (no /run/systemd/system)']),
    ...(await spaceProblems(ssh)),
  ];
  if (problems.length === 0) return;
  throw new CounterpartError({
    type: 'host/not-fit-for-worker',
    kind: 'needs-operator',
    subject: ssh.subject,
    what: 'it lacks something that Bellwether’s host worker needs',
    why: problems.join('; '),
    remedy: 'Put that right on the host, then retry; or start anew with agent reference.',
  });
}
