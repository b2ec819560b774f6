/**
 * A world in memory that the upgrade's activities change: it records who was called, fails or blocks where it is told
 * to, and knows in the end what is left of the operation. The border to Temporal is the product's own.
 */
import { asActivity } from '../../activities/border.activities.ts';
import { CounterpartError, type ErrorKind } from '../../activities/errors.ts';
import type { StepContext } from '../../activities/step-context.ts';
import { until } from '../../infra/processes.ts';
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { OvfStoreDisk, UpgradeActivities, UpgradeFacts } from '../../workflows/model/upgrade.ts';

type Name = keyof UpgradeActivities;
/** `backUp` is called twice and counts as two. */
type Call = Exclude<Name, 'backUp'> | 'backUp:before' | 'backUp:after';

/** What stays in the outside world until somebody takes it back. */
type Effect = 'global-maintenance' | 'ovf-store-disks' | 'ovf' | 'domain' | 'managed-vm';

interface Trouble {
  readonly kind: ErrorKind | 'unforeseen';
  left: number;
  /** The act happens, its answer is lost. */
  readonly afterEffect: boolean;
}

const LIMIT_MS = 90_000;
const BEAT_MS = 50;

/** Holds an activity until it is opened. */
export class Gate {
  /** Whether the activity has come to it. */
  entered = false;
  /** Whether the activity was told to stop while it waited. */
  sawCancellation = false;
  readonly #deaf: boolean;
  readonly #from: number;
  #open = false;

  constructor(deaf: boolean, from: number) {
    this.#deaf = deaf;
    this.#from = from;
  }

  open(): void {
    this.#open = true;
  }

  /** Resolves when an activity waits at the gate. */
  reached(): Promise<void> {
    return until('the activity to reach the gate', () => this.entered, LIMIT_MS);
  }

  async pass(context: StepContext): Promise<void> {
    if (context.attempt < this.#from) return;
    this.entered = true;
    while (!this.#open) {
      // Cancellation comes with heart-beats only.
      context.waitsFor('the gate');
      this.sawCancellation ||= context.signal.aborted;
      if (context.signal.aborted && !this.#deaf) throw context.signal.reason;
      await new Promise((resolve) => setTimeout(resolve, BEAT_MS));
    }
  }
}

/** The facts of a cluster that can be upgraded. */
function someFacts(world: FakeWorld): UpgradeFacts {
  return {
    dataCenter: { id: 'dc', name: 'Default' },
    cluster: { id: 'cluster', name: world.cluster, compatibility: '4.8' },
    engineVersion: '4.5.7',
    vm: { id: 'vm', name: 'HostedEngine', origin: 'external' },
    alreadyManaged: world.alreadyManaged,
    domain: {
      id: 'domain',
      type: 'nfs',
      address: 'storage.example',
      path: '/he',
      metadata: { image: 'image-1', volume: 'volume-1' },
      configuration: { image: 'image-2', volume: 'volume-2' },
    },
    globalMaintenanceBefore: world.maintenanceBefore,
    domainKnownBefore: false,
  };
}

const DISKS: readonly OvfStoreDisk[] = [1, 2].map((index) => ({
  image: `ovf-image-${index}`,
  volume: `ovf-volume-${index}`,
  createdByUs: true,
}));

const said = <T>(summary: string, value: T): StepOutcome<T> => ({ done: 'now', summary, value });

export class FakeWorld {
  readonly cluster: string;
  /** Every attempt, in the order in which it began. */
  readonly calls: Call[] = [];
  readonly effects = new Set<Effect>();
  /** What was told to the ticket: the operation's state. */
  readonly reported: string[] = [];
  alreadyManaged = false;
  maintenanceBefore = false;
  readonly #troubles = new Map<Call, Trouble>();
  readonly #gates = new Map<Call, Gate>();

  constructor(cluster: string) {
    this.cluster = cluster;
  }

  /** The next attempts of the call fail: `times` of them, or all until `heal`. */
  fail(call: Call, kind: Trouble['kind'], options: { times?: number; afterEffect?: boolean } = {}): void {
    const { times = Number.POSITIVE_INFINITY, afterEffect = false } = options;
    this.#troubles.set(call, { kind, left: times, afterEffect });
  }

  heal(call: Call): void {
    this.#troubles.delete(call);
  }

  /** The call's attempts wait at the gate, the first ones before `from` excepted; `deaf` ones can't be cancelled. */
  block(call: Call, options: { deaf?: boolean; from?: number } = {}): Gate {
    const gate = new Gate(options.deaf === true, options.from ?? 1);
    this.#gates.set(call, gate);
    return gate;
  }

  count(call: Call): number {
    return this.calls.filter((one) => one === call).length;
  }

  #trouble(call: Call, attempt: number): Error | undefined {
    const trouble = this.#troubles.get(call);
    if (trouble === undefined || trouble.left <= 0) return undefined;
    trouble.left -= 1;
    if (trouble.kind === 'unforeseen') return new TypeError('nobody thought of this');
    return new CounterpartError({
      type: `fake/${trouble.kind}`,
      kind: trouble.kind,
      subject: `host ${this.cluster}`,
      what: `${call} failed`,
      why: `it was told to (attempt ${attempt})`,
      remedy: 'Tell it not to.',
      code: 42,
    });
  }

  async run<T>(context: StepContext, call: Call, act: () => StepOutcome<T>): Promise<StepOutcome<T>> {
    this.calls.push(call);
    await this.#gates.get(call)?.pass(context);
    const afterEffect = this.#troubles.get(call)?.afterEffect === true;
    const error = this.#trouble(call, context.attempt);
    if (error !== undefined && !afterEffect) throw error;
    const outcome = act();
    if (error !== undefined) throw error;
    return outcome;
  }

  #has(effect: Effect, summary: string): StepOutcome<null> {
    const before = this.effects.has(effect);
    this.effects.add(effect);
    return { done: before ? 'before' : 'now', summary, value: null };
  }

  #lose(effect: Effect, summary: string): StepOutcome<null> {
    this.effects.delete(effect);
    return said(summary, null);
  }

  /** What each call does; an undo tolerates that there is nothing to take back. */
  act = {
    inspectUpgrade: () => said('engine 4.5.7, 2 hosts', someFacts(this)),
    enterGlobalMaintenance: () => this.#has('global-maintenance', 'set and seen on storage'),
    leaveGlobalMaintenance: () =>
      this.maintenanceBefore ? said('it was on before', null) : this.#lose('global-maintenance', 'off again'),
    backUp: (phase: string) =>
      said(`backup ${phase}`, { bucket: 'b', manifestKey: `${phase}.json`, manifestSha256: 'ab', objects: 3 }),
    convertDefinition: () =>
      said('converted', { source: 'configuration-volume' as const, ovf: '<ovf/>', sha256: 'cd' }),
    ensureOvfStoreDisks: () => ({ ...this.#has('ovf-store-disks', 'two disks'), value: DISKS }),
    removeOvfStoreDisks: () => this.#lose('ovf-store-disks', 'disks removed'),
    writeOvf: () => this.#has('ovf', 'written and read back'),
    restoreOvfStores: () => this.#lose('ovf', 'former content is back'),
    importDomain: () => this.#has('domain', 'imported'),
    removeDomain: () => this.#lose('domain', 'detached'),
    awaitDomainActive: () => said('active', null),
    importVm: () => this.#has('managed-vm', 'imported'),
    verifyUpgrade: () => said('all is well', ['The engine answers.']),
    reportToTicket: (state: string) => {
      this.reported.push(state);
      return said('told', null);
    },
  };
}

type WorldOf = (cluster: string) => FakeWorld;

/** The upgrade's activities on worlds of their own per cluster. */
export function fakeUpgradeActivities(worldOf: WorldOf): UpgradeActivities {
  const plain = <T>(call: Call, act: (world: FakeWorld) => StepOutcome<T>) =>
    asActivity((context, { cluster }: StepCall) => {
      const world = worldOf(cluster);
      return world.run(context, call, () => act(world));
    });
  return {
    inspectUpgrade: plain('inspectUpgrade', (world) => world.act.inspectUpgrade()),
    enterGlobalMaintenance: plain('enterGlobalMaintenance', (world) => world.act.enterGlobalMaintenance()),
    leaveGlobalMaintenance: plain('leaveGlobalMaintenance', (world) => world.act.leaveGlobalMaintenance()),
    backUp: asActivity((context, { cluster, phase }: Parameters<UpgradeActivities['backUp']>[0]) => {
      const world = worldOf(cluster);
      return world.run(context, `backUp:${phase}`, () => world.act.backUp(phase));
    }),
    convertDefinition: plain('convertDefinition', (world) => world.act.convertDefinition()),
    ensureOvfStoreDisks: plain('ensureOvfStoreDisks', (world) => world.act.ensureOvfStoreDisks()),
    removeOvfStoreDisks: plain('removeOvfStoreDisks', (world) => world.act.removeOvfStoreDisks()),
    writeOvf: plain('writeOvf', (world) => world.act.writeOvf()),
    restoreOvfStores: plain('restoreOvfStores', (world) => world.act.restoreOvfStores()),
    importDomain: plain('importDomain', (world) => world.act.importDomain()),
    removeDomain: plain('removeDomain', (world) => world.act.removeDomain()),
    awaitDomainActive: plain('awaitDomainActive', (world) => world.act.awaitDomainActive()),
    importVm: plain('importVm', (world) => world.act.importVm()),
    verifyUpgrade: plain('verifyUpgrade', (world) => world.act.verifyUpgrade()),
    reportToTicket: asActivity((context, { cluster, state }: Parameters<UpgradeActivities['reportToTicket']>[0]) => {
      const world = worldOf(cluster);
      return world.run(context, 'reportToTicket', () => world.act.reportToTicket(state));
    }),
  };
}
