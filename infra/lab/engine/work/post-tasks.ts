/**
 * The tasks that an administrator adds to the engine's host deployment
 * (`/etc/ovirt-engine/ansible/ovirt-host-deploy-post-tasks.yml`), as far as the lab knows Ansible: files, services and the
 * command that initialises the lockspace. What it does not know fails the deployment, as a module that is not there would.
 */
import { appendFileSync, existsSync, mkdirSync, openSync, closeSync, writeFileSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';

const task = z.looseObject({
  name: z.string(),
  when: z.array(z.string()).default([]),
  register: z.string().optional(),
});
const copy = z.object({ dest: z.string(), content: z.string() });
const service = z.object({ name: z.string(), state: z.literal('started') });
const command = z.object({ cmd: z.string() });
const stat = z.object({ path: z.string() });

export type PostTask = z.infer<typeof task>;

/** JSON is YAML: the lab reads no more of it. */
export function parsePostTasks(text: string): readonly PostTask[] {
  if (text.trim() === '') return [];
  return z.array(task).parse(JSON.parse(text.replace(/^---\n/, '').replaceAll(/^#.*$/gm, '')));
}

/** One host's disk, and the lockspace that its broker would reach. */
export interface Target {
  readonly address: string;
  /** The host's folder: its `/`, in which the lab keeps the HA configuration at the top. */
  readonly dir: string;
  /** Path of the lockspace volume; undefined while the host has no hosted-engine.conf that tells. */
  readonly lockspace: () => string | undefined;
}

/** hosted-engine.conf lies at the top of a lab host's folder, everything else by its path. */
function local(target: Target, path: string): string {
  return path === '/etc/ovirt-hosted-engine/hosted-engine.conf'
    ? join(target.dir, 'hosted-engine.conf')
    : join(target.dir, 'root', path);
}

function holds(condition: string, target: Target, known: ReadonlyMap<string, boolean>): boolean {
  const host = /^inventory_hostname == "(.+)"$/.exec(condition)?.[1];
  if (host !== undefined) return host === target.address;
  const absent = /^not (\w+)\.stat\.exists$/.exec(condition)?.[1];
  if (absent !== undefined) return known.get(absent) === false;
  const until = /^now\(utc=true\)\.timestamp\(\) < (\d+)$/.exec(condition)?.[1];
  if (until !== undefined) return Date.now() / 1000 < Number(until);
  throw new Error(`the condition "${condition}" is not known`);
}

function initialiseLockspace(target: Target): void {
  const path = target.lockspace();
  if (path === undefined || !existsSync(path)) throw new Error('the broker could not reach the lockspace volume');
  const file = openSync(path, 'r+');
  writeSync(file, 'hosted-engine', 0);
  closeSync(file);
}

function act(one: PostTask, target: Target): void {
  const write = (path: string, content: string) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  };
  if ('ansible.builtin.copy' in one) {
    const { dest, content } = copy.parse(one['ansible.builtin.copy']);
    write(local(target, dest), content);
  } else if ('ansible.builtin.systemd' in one) {
    const { name } = service.parse(one['ansible.builtin.systemd']);
    appendFileSync(join(target.dir, 'services-started'), `${name}\n`);
  } else if ('ansible.builtin.command' in one) {
    const { cmd } = command.parse(one['ansible.builtin.command']);
    if (cmd !== 'hosted-engine --reinitialize-lockspace --force') throw new Error(`${cmd}: command not found`);
    initialiseLockspace(target);
  } else if (!('ansible.builtin.package' in one)) throw new Error(`no module of "${one.name}" is known`);
}

/** @throws Error of the first task that fails */
export function runPostTasks(tasks: readonly PostTask[], target: Target): void {
  const known = new Map<string, boolean>();
  for (const one of tasks) {
    if ('ansible.builtin.stat' in one) {
      const { path } = stat.parse(one['ansible.builtin.stat']);
      known.set(one.register ?? '', existsSync(local(target, path)));
    } else if (one.when.every((condition) => holds(condition, target, known))) act(one, target);
  }
}
