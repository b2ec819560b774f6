import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sourcesFile } from '../../api/webhooks/source.ts';
import { readOrchestratorConfig } from './config.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'bellwether-trackers-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function read(content: string, more: Record<string, string> = {}) {
  const file = join(dir, 'trackers.json');
  writeFileSync(file, content);
  return readOrchestratorConfig({ BELLWETHER_TRACKERS_FILE: file, ...more });
}

function entries(readme: string, first: string): string {
  const text = readFileSync(fileURLToPath(new URL(readme, import.meta.url)), 'utf8');
  const blocks = [...text.matchAll(/```json\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
  return blocks.find((block) => block.includes(first)) ?? '';
}

test('the entries of the README are read as they stand', () => {
  const trackers = read(entries('../../activities/tickets/README.md', '"kind": "rt"'));
  expect(trackers).toMatchObject({
    ok: true,
    config: {
      trackers: [
        { name: 'rt', access: { tokenFile: '/etc/bellwether/secrets/rt-token' }, states: { parked: 'stalled' } },
        { name: 'jira', api: 3, access: { userFile: '/etc/bellwether/secrets/jira-user' } },
        { name: 'servicenow', table: 'change_request', answers: false },
        { name: 'desk', kind: 'standard' },
      ],
    },
  });
  const source = entries('../../api/webhooks/README.md', '"tracker": "rt"');
  expect(sourcesFile.safeParse([JSON.parse(source)]).error).toBeUndefined();
});

test('every problem is named with its place', () => {
  const rt = { kind: 'rt', url: 'https://rt.example.test', tokenFile: 't' };
  const list = [
    { ...rt, name: 'rt', userFile: 'u' },
    { ...rt, name: 'RT', url: 'file:///etc/passwd' },
    { name: 'x', kind: 'trac' },
    { ...rt, name: 'y', states: { paused: 'stalled' } },
    { ...rt, name: 'z', kind: 'jira', api: 4 },
  ];
  const answer = read(JSON.stringify(list), { BELLWETHER_PUBLIC_URL: 'here' });
  expect(answer.ok).toBe(false);
  if (answer.ok) return;
  const places = answer.problems.map(
    ({ problem }) => problem.replace(`${join(dir, 'trackers.json')}: `, '').split(':')[0],
  );
  expect(places).toEqual(['0', '1.name', '1.url', '2.kind', '3.states', '4.api', 'here is not a web address']);
});

test.each([
  '{',
  '{}',
  '[1]',
  '[{"name":"a","kind":"standard","url":"http://a","secretFile":"s"},{"name":"a","kind":"standard","url":"http://a","secretFile":"s"}]',
])('a file of %s is named, not thrown', (content) => {
  expect(read(content)).toMatchObject({ ok: false, problems: [{ variable: 'BELLWETHER_TRACKERS_FILE' }] });
});
