/** A cluster in a world: hosts of either kind, each with the shipping worker (or the model of the reference's). */
import { readSlot, type SlotReport } from '../../workers/host/announce.ts';
import { createAgent } from '../../workers/host/agent.ts';
import type { decide } from '../../workers/host/core/decide.ts';
import { PROFILES, timingOf, type Timing } from '../../workers/host/core/timing.ts';
import type { Settings } from '../../workers/host/core/types.ts';
import { Invariants } from './invariants.ts';
import type { Random } from './random.ts';
import { createReference } from './reference.ts';
import { createSimEnv } from './sim-env.ts';
import { Machines } from './world/machine.ts';
import type { HostKind } from './world/new-host.ts';
import { World, type SimHost, type Worker } from './world/world.ts';

/** A deliberate mistake, put in from outside: the shipping code stays as it is. */
export interface Mutant {
  readonly name: string;
  readonly what: string;
  readonly decide?: (original: typeof decide) => typeof decide;
  readonly timing?: (timing: Timing) => Timing;
  /** A mistake of the world's other parts (sanlock, storage), to show that the checker sees it. */
  readonly world?: (world: World) => void;
}

export interface ClusterOptions {
  readonly random: Random;
  readonly profile: keyof typeof PROFILES;
  readonly kinds: readonly HostKind[];
  readonly story?: ((text: string) => void) | undefined;
  readonly mutant?: Mutant | undefined;
  readonly settings?: Partial<Settings>;
  readonly timing?: Partial<Timing>;
}

export interface Cluster {
  readonly world: World;
  readonly machines: Machines;
  readonly invariants: Invariants;
}

/** The shipping parser, once for each block that lies on the board: it is pure, and N hosts read the same bytes. */
function rememberingReader(): typeof readSlot {
  const known = new WeakMap<Buffer, SlotReport>();
  return (id, bytes) => {
    const before = known.get(bytes);
    if (before !== undefined && (before.kind !== 'host' || before.report.id === id)) return before;
    const report = readSlot(id, bytes);
    known.set(bytes, report);
    return report;
  };
}

export function createCluster(options: ClusterOptions, originalDecide: typeof decide): Cluster {
  const timing = { ...timingOf(PROFILES[options.profile]), ...options.timing };
  const mutated = options.mutant?.timing?.(timing) ?? timing;
  const world = new World(options.random, timing);
  world.story = options.story;
  const reader = rememberingReader();
  const decider = options.mutant?.decide?.(originalDecide) ?? originalDecide;
  const make = (_: World, host: SimHost): Worker => {
    let rule = '';
    const env = createSimEnv({
      world,
      machines,
      host,
      ruleNow: () => rule,
      onWrite: (writer, bytes) => invariants.wrote(writer, bytes),
    });
    if (host.kind === 'reference') {
      const onRule = (name: string) => {
        rule = name;
      };
      return createReference({ env, hostId: host.id, vmMemoryMb: world.vmMemoryMb, readSlot: reader, onRule });
    }
    const journal = env.journal.bind(env);
    const noting = {
      ...env,
      journal: (entry: Parameters<typeof journal>[0]) => {
        rule = entry.reasons[0]?.rule ?? '';
        invariants.journalled(host, entry);
        return journal(entry);
      },
    };
    const settings: Settings = {
      hostId: host.id,
      timing: mutated,
      vmMemoryMb: world.vmMemoryMb,
      priority: 0,
      canMigrate: true,
      ...options.settings,
    };
    const agent = createAgent({ env: noting, settings, hostname: `host${host.id}`, decide: decider, readSlot: reader });
    return { ...agent, agent };
  };
  const machines = new Machines(world, make);
  const invariants = new Invariants(world, machines);
  world.watcher = invariants;
  for (const [index, kind] of options.kinds.entries()) {
    const host = machines.add(index + 1, kind);
    host.sanlock.watchdogSeconds = timing.profile.watchdogSeconds;
  }
  options.mutant?.world?.(world);
  return { world, machines, invariants };
}
