/** The few commands of a machine that SSH runs. Its files lie below `root`. No shell of this machine ever sees them. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, statfsSync } from 'node:fs';
import { join, normalize } from 'node:path';
import type { Units } from './units.ts';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Shell {
  /** Path on this machine of a machine's path. */
  path(name: string): string;
  run(command: string): Promise<Ran>;
}

const good = (out = ''): Ran => ({ code: 0, out, err: '' });
const bad = (err: string, code = 1): Ran => ({ code, out: '', err: `${err}\n` });

/** @param log what `journalctl` of our worker shows */
export function machineShell(root: string, units: Units, log: string): Shell {
  const path = (name: string) => join(root, normalize(`/${name}`));
  const sums = (files: readonly string[]): Ran => {
    const missing = files.filter((file) => !existsSync(path(file)));
    const lines = files
      .filter((file) => !missing.includes(file))
      .map(
        (file) =>
          `${createHash('sha256')
            .update(readFileSync(path(file)))
            .digest('hex')}  ${file}\n`,
      );
    const err = missing.map((file) => `sha256sum: ${file}: No such file or directory\n`).join('');
    return { code: missing.length === 0 ? 0 : 1, out: lines.join(''), err };
  };
  const df = (paths: readonly string[]): Ran => {
    const { bavail, bsize, blocks } = statfsSync(root);
    const row = `/dev/lab ${Math.floor((blocks * bsize) / 1024)} 0 ${Math.floor((bavail * bsize) / 1024)} 1% /\n`;
    return good(`Filesystem 1024-blocks Used Available Capacity Mounted on\n${paths.map(() => row).join('')}`);
  };
  const commands: Readonly<Record<string, (words: readonly string[]) => Ran | Promise<Ran>>> = {
    '/usr/bin/node': () => good(`${process.version}\n`),
    test: ([flag, name]) => (flag === '-d' && name === '/run/systemd/system' ? good() : bad('')),
    df: ([, ...paths]) => df(paths),
    sha256sum: sums,
    systemctl: (words) => units.systemctl(words),
    mkdir: ([, name = '']) => {
      mkdirSync(path(name), { recursive: true });
      return good();
    },
    mv: ([, from = '', to = '']) => {
      renameSync(path(from), path(to));
      return good();
    },
    rm: ([, ...names]) => {
      for (const name of names) rmSync(path(name), { force: true });
      return good();
    },
    rmdir: ([name = '']) => {
      rmdirSync(path(name));
      return good();
    },
    journalctl: () => good(existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(-15).join('\n') : ''),
  };
  return {
    path,
    async run(command) {
      const [program = '', ...words] = command.split(/\s+/).filter((word) => word !== '' && !/^[A-Z_]+=/.test(word));
      const found = commands[program];
      if (found === undefined) return bad(`bash: ${program}: command not found`, 127);
      try {
        return await found(words);
      } catch (error) {
        return bad(`${program}: ${error instanceof Error ? error.message : String(error)}`);
      }
    },
  };
}
