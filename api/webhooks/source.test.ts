import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readFrontDoorConfig } from '../config.ts';
import { recipes } from './verify/testing.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'bellwether-sources-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function read(content: unknown) {
  const file = join(dir, 'sources.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return readFrontDoorConfig({ BELLWETHER_WEBHOOKS_FILE: file, BELLWETHER_DELIVERY_LOG: '/var/log/x' });
}

function problems(content: unknown): string[] {
  const result = read(content);
  if (result.ok) return [];
  expect(result.problems.every(({ variable }) => variable === 'BELLWETHER_WEBHOOKS_FILE')).toBe(true);
  return result.problems.map(({ problem }) => problem.replace(join(dir, 'sources.json: '), ''));
}

const hmac = (recipe: object) => [
  { name: 'desk', scheme: 'hmac', secretFiles: ['f'], hmac: { header: 'X-Signature', ...recipe } },
];
const BASE = { name: 'a', scheme: 'standard', secretFiles: ['f'] };

describe('BELLWETHER_WEBHOOKS_FILE', () => {
  it('takes each recipe of the README', () => {
    expect(recipes().length).toBeGreaterThanOrEqual(6);
    const result = read(recipes());
    expect(result.ok && result.config.sources.map(({ name }) => name)).toEqual(recipes().map(({ name }) => name));
    expect(result.ok && result.config.deliveryLog).toBe('/var/log/x');
  });

  it('names every mistake by its place', () => {
    expect(problems([{ ...BASE, scheme: 'gitbub' }])[0]).toMatch(/^0\.scheme: .*"github"/);
    expect(problems([{ ...BASE, schema: 'x' }])[0]).toContain('"schema"');
    expect(problems([BASE, BASE])).toEqual(['1.name: "a" is there twice']);
    expect(problems([{ ...BASE, scheme: 'hmac' }])).toEqual(['0.hmac: needed with scheme hmac']);
    expect(problems(hmac({}).map((one) => ({ ...one, scheme: 'github' })))).toEqual([
      '0.hmac: only with scheme hmac, not github',
    ]);
    const mapping = { request: { operation: 'upgrade', cluster: 'Default', ticket: { path: 'key' } } };
    expect(problems([{ ...BASE, mapping }])).toEqual([
      expect.stringMatching(/^0\.mapping\.request\.ticket\.path: "key" is no JSON/),
    ]);
    expect(
      problems([{ ...BASE, alertsOf: 'Default', mapping: { request: { ...mapping.request, ticket: 'T' } } }]),
    ).toEqual(['0.mapping: not with alertsOf: what host workers tell has one form']);
    expect(problems('[{')).toEqual([expect.stringContaining('JSON')]);
  });

  it('refuses an hmac recipe that would protect from nothing', () => {
    expect(problems(hmac({}))).toEqual([]);
    expect(problems(hmac({ timestamp: { header: 'X-Time' } }))).toEqual([expect.stringContaining('not signed')]);
    expect(problems(hmac({ signed: '{timestamp}.{body}' }))).toEqual([
      expect.stringMatching(/hmac\.timestamp: needed/),
    ]);
    expect(problems(hmac({ signed: '{id}.{body}', id: { path: '/id' } }))).toEqual([
      expect.stringMatching(/hmac\.id: needed with its header/),
    ]);
    expect(problems(hmac({ signed: '{id}{body}', id: { header: 'X-Id' } }))).toEqual([
      expect.stringMatching(/^0\.hmac\.signed/),
    ]);
    expect(problems(hmac({ signed: '{timestamp}' })).join()).toContain('hmac.signed: e.g.');
    expect(problems(hmac({ id: { headr: 'X' } }))[0]).toContain('needs either "header" or "path"');
  });
});
