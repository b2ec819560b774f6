/** `bellwether vm edit`: options of the command line to the change that the request carries. */
import { CliError, EXIT, failure } from './exit.ts';
import type { SubmitOptions } from './submit.ts';

export interface EditOptions extends SubmitOptions {
  readonly description?: string;
  readonly comment?: string;
  readonly memory?: string;
  readonly maxMemory?: string;
  readonly guaranteedMemory?: string;
  readonly cpu?: string;
  readonly disk?: readonly string[];
  readonly nic?: readonly string[];
}

function wrong(option: string, given: string, meant: string): CliError {
  return new CliError(
    EXIT.usage,
    failure(`reading ${option} ${given}`, `${meant} is meant`, 'npx bellwether vm edit --help'),
  );
}

function whole(option: string, given: string): number {
  const value = Number(given);
  if (!/^\d+$/.test(given) || !Number.isSafeInteger(value)) throw wrong(option, given, 'a whole number');
  return value;
}

function cpuOf(given: string): { sockets: number; cores: number; threads: number } {
  const [sockets, cores = '1', threads = '1', ...more] = given.split(':');
  if (sockets === undefined || more.length > 0) throw wrong('--cpu', given, 'SOCKETS:CORES:THREADS, e.g. 4:1:1');
  return { sockets: whole('--cpu', sockets), cores: whole('--cpu', cores), threads: whole('--cpu', threads) };
}

function pair(option: string, given: string, meant: string): [string, string] {
  const at = given.lastIndexOf('=');
  if (at < 1 || at === given.length - 1) throw wrong(option, given, meant);
  return [given.slice(0, at), given.slice(at + 1)];
}

/** @throws CliError usage that names the option. */
export function changeOf(options: EditOptions): Readonly<Record<string, unknown>> {
  const { description, comment, memory, maxMemory, guaranteedMemory, cpu, disk, nic } = options;
  return {
    ...(description === undefined ? {} : { description }),
    ...(comment === undefined ? {} : { comment }),
    ...(memory === undefined ? {} : { memoryMiB: whole('--memory', memory) }),
    ...(maxMemory === undefined ? {} : { maxMemoryMiB: whole('--max-memory', maxMemory) }),
    ...(guaranteedMemory === undefined ? {} : { guaranteedMemoryMiB: whole('--guaranteed-memory', guaranteedMemory) }),
    ...(cpu === undefined ? {} : { cpu: cpuOf(cpu) }),
    ...(disk === undefined
      ? {}
      : {
          disks: disk.map((given) => {
            const [name, size] = pair('--disk', given, 'NAME=GIB');
            return { disk: name, sizeGiB: whole('--disk', size) };
          }),
        }),
    ...(nic === undefined
      ? {}
      : {
          nics: nic.map((given) => {
            const [name, profile] = pair('--nic', given, 'NAME=PROFILE, NAME=link-up or NAME=link-down');
            if (profile === 'link-up' || profile === 'link-down') return { nic: name, linked: profile === 'link-up' };
            return { nic: name, profile };
          }),
        }),
  };
}
