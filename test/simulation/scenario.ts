/**
 * A scripted scenario: a text file that an administrator can read. Lines, times in seconds after the start state:
 *
 *     why       one line
 *     hosts     ours ours reference
 *     profile   default
 *     priority  0 5 0                   of each host
 *     start     running | off           (running: the engine is healthy on host 1 at time 0)
 *     seed      17 [variation]          (a shrunk seed, see shrink.ts: its hosts and its faults by their numbers)
 *     at 10     power-off 1
 *     at 200    runs on 2               also: runs nowhere, runs (on exactly one), score 2 is 0, state 2 is EngineUp
 *     at 30     fault 4 VDSM hangs      any of the simulation's faults, with its own random numbers
 *     0..15     order start on 1        once at least between these; `never order`, `alert KIND`, `never alert`
 *     end       900                     (`healed`: all is healed then, and the cluster must recover)
 */
import { decide } from '../../workers/host/core/decide.ts';
import type { PROFILES } from '../../workers/host/core/timing.ts';
import { createCluster, type Cluster } from './cluster.ts';
import { runsHealed } from './liveness.ts';
import { createRandom } from './random.ts';
import { openCluster, strike, type RunOptions } from './run.ts';
import { commands } from './scenario-commands.ts';
import type { HostKind } from './world/new-host.ts';

export interface ScenarioLine {
  readonly number: number;
  readonly text: string;
}

export interface Scenario {
  readonly why: string;
  readonly kinds: readonly HostKind[];
  readonly profile: keyof typeof PROFILES;
  readonly priorities: readonly number[];
  readonly start: 'running' | 'off';
  /** Of a shrunk one. */
  readonly seed: number | undefined;
  readonly variation: number;
  readonly endSeconds: number;
  readonly healed: boolean;
  readonly events: readonly { readonly at: number; readonly words: readonly string[]; readonly line: string }[];
  readonly windows: readonly {
    readonly from: number;
    readonly to: number;
    readonly words: readonly string[];
    readonly line: string;
  }[];
}

const HEAD = new Set(['why', 'hosts', 'profile', 'priority', 'start', 'seed', 'end']);

/** Throws on a line that cannot be understood: a scenario that says nothing must not pass. */
export function parseScenario(text: string): Scenario {
  const head = new Map<string, string>();
  const events: Scenario['events'][number][] = [];
  const windows: Scenario['windows'][number][] = [];
  for (const raw of text.split('\n')) {
    const line = raw.replace(/#.*/, '').trim();
    if (line === '') continue;
    const [first = '', ...rest] = line.split(/\s+/);
    const span = /^(\d+(?:\.\d+)?)\.\.(\d+(?:\.\d+)?)$/.exec(first);
    if (span !== null) windows.push({ from: Number(span[1]), to: Number(span[2]), words: rest, line });
    else if (first === 'at') events.push({ at: Number(rest[0]), words: rest.slice(1), line });
    else if (HEAD.has(first)) head.set(first, rest.join(' '));
    else throw new Error(`not understood: ${line}`);
  }
  const kinds = (head.get('hosts') ?? '').split(' ').map((word): HostKind => {
    if (word === 'ours') return 'bellwether';
    if (word === 'reference') return 'reference';
    throw new Error(`hosts: ${word}`);
  });
  const profile = head.get('profile') ?? 'default';
  const start = head.get('start') ?? 'running';
  if (profile !== 'default' && profile !== 'fast' && profile !== 'lab') throw new Error(`profile: ${profile}`);
  if (start !== 'running' && start !== 'off') throw new Error(`start: ${start}`);
  const [end, healed] = (head.get('end') ?? '').split(' ');
  const endSeconds = Number(end);
  if (healed !== undefined && healed !== 'healed') throw new Error(`end: ${healed}`);
  const [seed, variation] = head.has('seed') ? (head.get('seed') ?? '').split(' ').map(Number) : [];
  const priorities = (head.get('priority') ?? '').split(' ').map(Number);
  if (!(endSeconds > 0) || !head.has('why')) throw new Error('why and end are needed');
  return {
    why: head.get('why') ?? '',
    kinds,
    profile,
    priorities,
    start,
    seed,
    variation: variation ?? 0,
    endSeconds,
    healed: healed === 'healed',
    events,
    windows,
  };
}

/** What must be true at one moment; undefined when it is. */
function failedFact(cluster: Cluster, words: readonly string[]): string | undefined {
  const { world } = cluster;
  const [verb, a, b, c] = words;
  const running = world.executing().map((host) => host.id);
  if (verb === 'runs') {
    const wanted = a === 'on' ? `${b}` : a === 'nowhere' ? '' : running.length === 1 ? running.join() : 'one host';
    return running.join() === wanted ? undefined : `runs on [${running.join()}]`;
  }
  const last = world.host(Number(a))?.main.worker?.agent?.last()?.decision;
  if (verb === 'score' && b === 'is')
    return String(last?.score.value) === c ? undefined : `score is ${last?.score.value}`;
  if (verb === 'state' && b === 'is') return last?.memory.state === c ? undefined : `state is ${last?.memory.state}`;
  return 'not understood';
}

function isFact(words: readonly string[]): boolean {
  return words[0] === 'runs' || ((words[0] === 'score' || words[0] === 'state') && words[2] === 'is');
}

/** `order KIND [on N] [by RULE]`, `alert KIND`, either with `never` before it. */
function failedWindow(cluster: Cluster, window: Scenario['windows'][number], zeroMs: number): string | undefined {
  const words = [...window.words];
  const never = words[0] === 'never' && words.shift() !== undefined;
  const [what, kind] = words;
  const option = (name: string) => (words.includes(name) ? words[words.indexOf(name) + 1] : undefined);
  const on = option('on');
  const by = option('by');
  const inside = (atMs: number) => atMs >= zeroMs + window.from * 1000 && atMs <= zeroMs + window.to * 1000;
  const wantedKind = (name: string) => kind === undefined || kind === 'on' || kind === 'by' || kind === name;
  let seen: readonly string[];
  if (what === 'order') {
    seen = cluster.invariants.orders
      .filter(
        (o) =>
          inside(o.atMs) &&
          wantedKind(o.kind) &&
          (on === undefined || String(o.host) === on) &&
          (by === undefined || o.rule === by),
      )
      .map((o) => `${o.kind} on ${o.host} at ${((o.atMs - zeroMs) / 1000).toFixed(1)} (${o.rule})`);
  } else if (what === 'alert') {
    seen = cluster.invariants.alerts
      .filter((x) => inside(x.atMs) && wantedKind(x.kind))
      .map((x) => `${x.kind} from ${x.host}`);
  } else if (what === 'outage') {
    seen = cluster.invariants.outages.filter((x) => inside(x.at)).map((x) => `${x.ms} ms`);
  } else return 'not understood';
  if (never) return seen.length === 0 ? undefined : `but: ${seen.join(', ')}`;
  const all = cluster.invariants.orders.map(
    (o) => `${o.kind} on ${o.host} at ${((o.atMs - zeroMs) / 1000).toFixed(1)} (${o.rule})`,
  );
  return seen.length > 0 ? undefined : `not seen; orders: ${all.join(', ')}`;
}

/** The start state; what is wrong with it goes into `failures`. */
function opened(scenario: Scenario, options: RunOptions, failures: string[]): Cluster {
  const { seed = 7, variation, profile, kinds, priorities } = scenario;
  if (scenario.seed !== undefined) return openCluster({ seed, variation, profile, kinds, priorities }, options);
  const { mutant, story, leaps = 'none' } = options;
  const cluster = createCluster({ random: createRandom(seed), profile, kinds, mutant, story, leaps }, decide);
  const { world, machines, invariants } = cluster;
  for (const host of world.hosts) host.priority = priorities[host.id - 1] ?? 0;
  if (scenario.start === 'off') return cluster;
  for (const host of world.hosts) world.line.after(host.id === 1 ? 0 : 100_000, () => machines.powerOn(host, true));
  world.line.run(600_000, () => invariants.check());
  const running = world.executing().map((host) => host.id);
  if (running[0] !== 1) failures.push(`the start state was not reached: runs on [${running.join()}]`);
  return cluster;
}

/** Everything that went wrong; empty when the scenario went as written and no invariant broke. */
export function runScenario(scenario: Scenario, options: RunOptions = {}): readonly string[] {
  const failures: string[] = [];
  const cluster = opened(scenario, { leaps: 'none', ...options }, failures);
  const { world, invariants } = cluster;
  const zeroMs = world.now;
  for (const event of scenario.events) {
    // Whole milliseconds, as they were written.
    world.line.at(zeroMs + Math.round(event.at * 1000), () => {
      if (isFact(event.words)) {
        const why = failedFact(cluster, event.words);
        if (why !== undefined) failures.push(`${event.line}: ${why}`);
        return;
      }
      const [verb, ...rest] = event.words;
      if (verb === 'fault') {
        strike(cluster, scenario.seed ?? 7, Number(rest[0]), rest.slice(1).join(' '));
        return;
      }
      const command = commands[verb ?? ''];
      if (command === undefined) failures.push(`${event.line}: not understood`);
      else command(cluster, rest);
    });
  }
  const safe = world.line.run(zeroMs + Math.round(scenario.endSeconds * 1000), () => invariants.check());
  if (safe && scenario.healed) runsHealed(cluster);
  for (const window of scenario.windows) {
    const why = failedWindow(cluster, window, zeroMs);
    if (why !== undefined) failures.push(`${window.line}: ${why}`);
  }
  return [...failures, ...invariants.violations.map((violation) => `${violation.id}: ${violation.text}`)];
}
