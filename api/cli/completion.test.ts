import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { main } from './main.ts';

async function script(shell: string): Promise<string> {
  let out = '';
  const code = await main(['completion', shell], { stdout: (text) => (out += text), stderr: () => undefined, env: {} });
  expect(code).toBe(0);
  return out;
}

/** What bash offers after these words. */
function offered(source: string, line: string): string[] {
  const words = line.split(' ');
  const set = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}`;
  const answer = execFileSync('bash', ['-c', `${source}\n${set}\n_bellwether\nprintf '%s\\n' "\${COMPREPLY[@]}"`]);
  return answer.toString().trim().split('\n');
}

it('bash completes commands, their choices and their options', async () => {
  const source = await script('bash');
  expect(offered(source, 'bellwether maint')).toEqual(['maintenance']);
  expect(offered(source, 'bellwether host ')).toEqual(
    expect.arrayContaining(['add', 'remove', 'maintenance', 'activate']),
  );
  expect(offered(source, 'bellwether maintenance global o')).toEqual(['on', 'off']);
  expect(offered(source, 'bellwether host add host4 --add')).toEqual(['--address']);
  expect(offered(source, 'bellwether --json operation re')).toEqual(['retry']);
});

it('zsh and fish get scripts of their own; another shell is named', async () => {
  expect(await script('zsh')).toContain('bashcompinit');
  expect(await script('fish')).toContain("complete -c bellwether -f -n '__fish_use_subcommand' -a upgrade");
  let err = '';
  expect(await main(['completion', 'csh'], { stdout: () => undefined, stderr: (text) => (err += text), env: {} })).toBe(
    2,
  );
  expect(err).toContain('bash, zsh, fish');
});
