import { expect, test } from 'vitest';
import { fileOfRun, runAlone } from './run-alone.ts';

test('only what the unit says is run without commander', () => {
  expect(fileOfRun(['run', '--config', '/etc/bellwether-host.conf'])).toBe('/etc/bellwether-host.conf');
  for (const argv of [['run'], ['run', '--config'], ['run', '--config', '--help'], ['run', '--config', 'x', 'y']]) {
    expect(fileOfRun(argv)).toBeUndefined();
  }
  expect(fileOfRun(['status', '--config', 'x'])).toBeUndefined();
});

test('a configuration that can’t be read is told as by the other commands', async () => {
  let said = '';
  const io = { stdout: () => undefined, stderr: (text: string) => void (said += text) };
  expect(await runAlone('/nonexistent/bellwether-host.conf', io)).toBe(1);
  expect(said).toMatch(/^failed: .*\/nonexistent\/bellwether-host\.conf.*\nwhy: .*\ndo: /);
});
