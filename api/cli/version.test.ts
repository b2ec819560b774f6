import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { main } from './main.ts';

it('--version says that of package.json, offline, and is offered by the shell', async () => {
  const said = async (...argv: string[]) => {
    let out = '';
    const io = { stdout: (text: string) => (out += text), stderr: () => undefined, env: {} };
    return { code: await main(argv, io), out };
  };
  const file = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const { version } = z.object({ version: z.string() }).parse(JSON.parse(file));
  expect(await said('--version')).toEqual({ code: 0, out: `${version}\n` });
  expect((await said('completion', 'bash')).out).toMatch(/^ {4}''\) next='.*--version/m);
  expect((await said('completion', 'fish')).out).toContain("'__fish_use_subcommand' -l version");
});
