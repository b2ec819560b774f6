import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { silent } from '../../../activities/vdsm/logger.ts';
import { createRig } from '../explain/testing.ts';
import { writeMetrics } from './file.ts';
import { metricsText, type HostMetrics } from './text.ts';

const parts: NonNullable<HostMetrics['parts']> = {
  journal: { appended: 12, failures: 2, missed: 0, lastMs: 3, worstMs: 9, failing: undefined },
  board: {
    readAgeMs: 400,
    writeAgeMs: 500,
    readTookMs: 25,
    writeTookMs: 12,
    access: undefined,
    stuck: 0,
    pid: 1,
  },
};

/** HELP and TYPE once and first, then samples; nothing else. */
const GRAMMAR =
  /^(# HELP [a-z_]+ .+|# TYPE [a-z_]+ (gauge|counter)|[a-z_]+(\{[a-z_]+="([^"\\\n]|\\["\\n])*"(,[a-z_]+="([^"\\\n]|\\["\\n])*")*\})? -?[\d.e+-]+)$/;

const samples = (text: string) =>
  new Map(text.split('\n').map((line) => [line.replace(/ \S+$/, ''), line.replace(/^.* /, '')]));

test('before VDSM has answered it says so, and invents nothing', () => {
  const text = metricsText({
    version: '1',
    nowMs: 9000,
    startedMs: 2000,
    round: undefined,
    storage: undefined,
    parts: undefined,
    loopLagMs: 5,
  });
  const seen = samples(text);
  expect(seen.get('bellwether_host_ready')).toBe('0');
  expect(seen.get('bellwether_host_uptime_seconds')).toBe('7');
  expect(text).not.toContain('bellwether_host_score');
});

test('a running worker: score, penalties, heart-beats, engine, lease, journal', () => {
  const rig = createRig(['ours', 'ours', 'reference']);
  rig.run(30);
  rig.host(1).network = 0.5;
  rig.run(30);
  const text = metricsText({ ...rig.snapshot(1), parts, loopLagMs: 12 });
  const seen = samples(text);
  const round = rig.snapshot(1).round;
  expect(seen.get('bellwether_host_score')).toBe(String(round?.decision.score.value));
  const penalties = [...seen].filter(([name]) => name.startsWith('bellwether_host_score_penalty{'));
  expect(penalties).toHaveLength(round?.decision.score.penalties.length ?? -1);
  expect(penalties.length).toBeGreaterThan(0);
  const beats = [...seen].filter(([name]) => name.startsWith('bellwether_host_heartbeat_age_seconds{'));
  expect(beats.length).toBe(round?.decision.memory.peers.size);
  expect(beats.every(([, age]) => Number(age) >= 0 && Number(age) < 60)).toBe(true);
  expect(seen.get('bellwether_host_journal_failures_total')).toBe('2');
  expect(seen.get('bellwether_host_storage_latency_seconds{access="read"}')).toBe('0.025');
  expect(seen.get('bellwether_host_local_maintenance')).toBe('0');
});

test('whatever a host calls itself, the format holds', () => {
  const rig = createRig(['ours', 'ours', 'reference']);
  rig.run(10);
  const { round, ...rest } = rig.snapshot(1);
  if (round === undefined) throw new Error('no round');
  fc.assert(
    fc.property(fc.string(), (hostname) => {
      const peers = new Map(
        [...round.decision.memory.peers].map(([id, peer]) => [id, { ...peer, report: { ...peer.report, hostname } }]),
      );
      const decision = { ...round.decision, memory: { ...round.decision.memory, peers } };
      const text = metricsText({ ...rest, round: { ...round, decision }, parts, loopLagMs: 0 });
      for (const line of text.trimEnd().split('\n')) expect(line).toMatch(GRAMMAR);
    }),
    { numRuns: 50 },
  );
});

test('the file is replaced as a whole, kept up to date, and taken away at the end', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'bellwether-metrics-'));
  const file = join(dir, 'bellwether_host.prom');
  let nowMs = 1000;
  const facts = () => ({ version: '1', nowMs, startedMs: 0, round: undefined, storage: undefined, parts });
  const metrics = writeMetrics({ file, facts, log: silent, everyMs: 20 });
  await vi.waitFor(() => expect(readFileSync(file, 'utf8')).toContain('bellwether_host_uptime_seconds 1\n'));
  nowMs = 2000;
  await vi.waitFor(() => expect(readFileSync(file, 'utf8')).toContain('bellwether_host_uptime_seconds 2\n'));
  await metrics.stop();
  expect(existsSync(file)).toBe(false);
  expect(readdirSync(dir).filter((name) => name !== 'bellwether_host.prom.new')).toEqual([]);
  rmSync(dir, { recursive: true });
});
