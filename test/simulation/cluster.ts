/** A cluster in a world: hosts of either kind, each with the shipping worker (or the model of the reference's). */
import { createAgent } from '../../workers/host/agent.ts';
import type { decide } from '../../workers/host/core/decide.ts';
import { hindranceOf } from '../../workers/host/core/situation.ts';
import { PROFILES, timingOf, type Timing } from '../../workers/host/core/timing.ts';
import type { Settings } from '../../workers/host/core/types.ts';
import type { Env } from '../../workers/host/env.ts';
import { blockWriter, readBlock } from './blocks.ts';
import { Invariants } from './invariants.ts';
import { leaptOver, withLeaps } from './leap.ts';
import type { Random } from './random.ts';
import { createReference } from './reference.ts';
import { createSimEnv } from './sim-env.ts';
import { Machines } from './world/machine.ts';
import type { HostKind } from './world/new-host.ts';
import { bootMsAt, wallMsAt, worldMsAt } from './world/clock.ts';
import { World, type Rest, type SimHost, type SimProcess, type Worker } from './world/world.ts';

/** A deliberate mistake, put in from outside: the shipping code stays as it is. */
export interface Mutant {
  readonly name: string;
  readonly what: string;
  readonly decide?: (original: typeof decide) => typeof decide;
  readonly timing?: (timing: Timing) => Timing;
  readonly env?: (env: Env, world: World, host: SimHost) => Env;
  /** A mistake of the world's other parts (sanlock, storage), to show that the checker sees it. */
  readonly world?: (world: World) => void;
}

export type Leaps = 'none' | 'made' | 'proved';

export interface ClusterOptions {
  readonly random: Random;
  readonly profile: keyof typeof PROFILES;
  readonly kinds: readonly HostKind[];
  readonly story?: ((text: string) => void) | undefined;
  readonly mutant?: Mutant | undefined;
  readonly settings?: Partial<Settings>;
  /** leap.ts; `none` runs every beat of every worker. */
  readonly leaps: Leaps;
  readonly timing?: Partial<Timing>;
}

export interface Cluster {
  readonly world: World;
  readonly machines: Machines;
  readonly invariants: Invariants;
}

export function createCluster(options: ClusterOptions, originalDecide: typeof decide): Cluster {
  const timing = { ...timingOf(PROFILES[options.profile]), ...options.timing };
  const mutated = options.mutant?.timing?.(timing) ?? timing;
  const world = new World(options.random, timing);
  world.story = options.story;
  const decider = options.mutant?.decide?.(originalDecide) ?? originalDecide;
  const make = (_: World, host: SimHost, process: SimProcess): Worker => {
    let rule = '';
    const env = createSimEnv({
      world,
      machines,
      host,
      process,
      ruleNow: () => rule,
      onWrite: (writer, bytes) => invariants.wrote(writer, bytes),
    });
    if (host.kind === 'reference') {
      const onRule = (name: string) => {
        rule = name;
      };
      return createReference({
        env,
        hostId: host.id,
        vmMemoryMb: world.vmMemoryMb,
        readSlot: readBlock,
        onRule,
        worldMs: (at) => worldMsAt(host, at),
      });
    }
    const noting: Env = {
      ...env,
      journal: (entry) => {
        rule = entry.reasons[0]?.rule ?? '';
        invariants.journalled(host, process, entry);
        return env.journal(entry);
      },
    };
    const settings: Settings = {
      hostId: host.id,
      timing: mutated,
      vmMemoryMb: world.vmMemoryMb,
      priority: host.priority,
      canMigrate: true,
      ...options.settings,
    };
    const writer = blockWriter();
    let leaptToMs = Number.NEGATIVE_INFINITY;
    const agent = createAgent({
      env: options.mutant?.env?.(noting, world, host) ?? noting,
      settings,
      hostname: `host${host.id}`,
      decide(memory, observation) {
        return decider(leaptOver(world, memory, leaptToMs), observation);
      },
      readSlot: readBlock,
      slotOf: writer.slotOf,
    });
    const rest: Rest = {
      periodMs: mutated.beatMs,
      untilMs: () => Number.POSITIVE_INFINITY,
      skip(_ms, lastMs) {
        const last = agent.last();
        if (last === undefined) return undefined;
        const nowMs = bootMsAt(host, lastMs);
        leaptToMs = nowMs;
        const movedMs = nowMs - last.observation.nowMs;
        const then = last.observation.host && {
          ...last.observation.host,
          networkAtMs: last.observation.host.networkAtMs + movedMs,
        };
        const cannotRun = hindranceOf(last.decision.memory, last.observation);
        return writer.again(
          { ...last.observation, nowMs, host: then },
          last.decision,
          wallMsAt(world, host),
          cannotRun,
        );
      },
    };
    const setGlobal = (on: boolean) => {
      process.wishedMs = world.now;
      agent.setGlobal(on);
    };
    return { ...agent, setGlobal, agent, rest };
  };
  const machines = new Machines(world, make);
  const invariants = new Invariants(world, machines);
  world.watcher = invariants;
  for (const [index, kind] of options.kinds.entries()) {
    const host = machines.add(index + 1, kind);
    host.sanlock.watchdogSeconds = timing.profile.watchdogSeconds;
  }
  options.mutant?.world?.(world);
  if (options.leaps !== 'none') withLeaps(world, { decide: decider, prove: options.leaps === 'proved' });
  return { world, machines, invariants };
}
