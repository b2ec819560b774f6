import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parsePostTasks, runPostTasks, type Target } from './post-tasks.ts';

let dir: string;
let target: Target;
let lockspace: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'bellwether-post-tasks-'));
  lockspace = join(dir, 'lockspace');
  writeFileSync(lockspace, Buffer.alloc(512));
  target = { address: 'host1.example.test', dir, lockspace: () => lockspace };
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const CONF = '/etc/ovirt-hosted-engine/hosted-engine.conf';
const copy = (dest: string, when: readonly string[] = []) => ({
  name: dest,
  'ansible.builtin.copy': { dest, content: 'x=1\n' },
  when,
});
const run = (tasks: readonly object[], on = target) =>
  runPostTasks(parsePostTasks(`---\n${JSON.stringify(tasks)}\n`), on);

test('files go where the host looks for them, the lockspace is written', () => {
  run([
    copy(CONF),
    { name: 'lockspace', 'ansible.builtin.command': { cmd: 'hosted-engine --reinitialize-lockspace --force' } },
    { name: 'agent', 'ansible.builtin.systemd': { name: 'ovirt-ha-agent', state: 'started' } },
  ]);
  expect(readFileSync(join(dir, 'hosted-engine.conf'), 'utf8')).toBe('x=1\n');
  expect(readFileSync(lockspace)[0]).not.toBe(0);
  expect(readFileSync(join(dir, 'services-started'), 'utf8')).toBe('ovirt-ha-agent\n');
});

test.each([
  ['for another host', 'inventory_hostname == "host2.example.test"'],
  ['when the time is over', 'now(utc=true).timestamp() < 1000'],
])('nothing %s', (_, condition) => {
  run([copy(CONF, [condition])]);
  expect(existsSync(join(dir, 'hosted-engine.conf'))).toBe(false);
});

test('a mark keeps them from running twice', () => {
  const mark = '/var/lib/mark';
  const tasks = [
    { name: 'look', 'ansible.builtin.stat': { path: mark }, register: 'mark' },
    copy(CONF, ['not mark.stat.exists']),
    copy(mark, ['not mark.stat.exists']),
  ];
  run(tasks);
  rmSync(join(dir, 'hosted-engine.conf'));
  run(tasks);
  expect(existsSync(join(dir, 'hosted-engine.conf'))).toBe(false);
});

test('what a host can’t do fails the deployment', () => {
  const reinitialise = {
    name: 'lockspace',
    'ansible.builtin.command': { cmd: 'hosted-engine --reinitialize-lockspace --force' },
  };
  expect(() => run([reinitialise], { ...target, lockspace: () => undefined })).toThrow('could not reach');
  expect(() => run([{ name: 'x', 'ansible.builtin.command': { cmd: 'reboot' } }])).toThrow('command not found');
  expect(() => run([{ name: 'x', 'community.thing': {} }])).toThrow('no module');
  expect(() => run([copy(CONF, ['ansible_facts.x'])])).toThrow('is not known');
});

test('no file is no task', () => {
  expect(parsePostTasks('')).toEqual([]);
});
