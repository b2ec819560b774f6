/** Drift: what the engine, the hosts' VDSM, the HA metadata and the storage say side by side, and what can be repaired. */
import type { BackupActivities, StorageFacts } from './backup.ts';
import { REPORT_STEP, type Step, type StepPlan } from './operation.ts';

const MINUTE = 60_000;

interface Kind {
  /** What it means, a sentence. */
  readonly meaning: string;
  /** What is to be done, by the repair or by a person. */
  readonly repair: string;
  /** True: the repair can't hurt, whatever the cause; it may be asked for. */
  readonly safe: boolean;
}

const named = (meaning: string, repair: string): Kind => ({ meaning, repair, safe: false });
const safe = (meaning: string, repair: string): Kind => ({ meaning, repair, safe: true });

/** Every kind of difference by its stable name. */
export const DIFFERENCES = {
  'engine-unreachable': named(
    'The engine does not answer, so its column is empty.',
    'See whether the engine VM and its ovirt-engine service run.',
  ),
  'host-unreachable': named(
    'VDSM of this host does not answer, so nothing is known of it first-hand.',
    'Bring up the host or its vdsmd service.',
  ),
  'engine-vm-on-several-hosts': named(
    'More than one host says that it runs the engine VM.',
    'Act at once: set global maintenance, see on the hosts which VM is the real one (its disk’s lease), destroy the other.',
  ),
  'engine-vm-host': named(
    'The sources do not agree on the host that runs the engine VM.',
    'Look again after a minute: it passes when the VM has just moved. If it stays, trust VDSM.',
  ),
  'engine-vm-status': named(
    'The sources do not agree on the engine VM’s status.',
    'Look again after a minute; if it stays, trust VDSM.',
  ),
  'host-id': named(
    'A host holds another host id than its slot in the HA metadata says: two hosts may share one.',
    'Put the host into maintenance and reinstall it with hosted-engine deployment, so that both come from the engine.',
  ),
  'host-deployed': named(
    'The sources do not agree on whether hosted engine is deployed on the host.',
    'Reinstall the host with deployment or undeployment, or add it with Bellwether.',
  ),
  'agent-not-active': named(
    'Hosted engine is deployed on the host, but its HA agent does not run: the host can’t take the engine VM.',
    'Start ovirt-ha-agent (and ovirt-ha-broker) on the host and read its log.',
  ),
  'local-maintenance': safe(
    'The HA flag of local maintenance does not fit the host’s status in the engine.',
    'The HA flag is set to what the engine’s status of the host asks for.',
  ),
  'global-maintenance': named(
    'The sources do not agree on global maintenance.',
    'The HA metadata is what the agents obey. The engine’s flags follow within 15 seconds for hosts that it polls.',
  ),
  'global-maintenance-on': named(
    'Global maintenance is on: no host restarts or moves the engine VM.',
    'Never repaired by itself: somebody may have set it on purpose. Switch it off with the operation global-maintenance.',
  ),
  score: named(
    'The sources do not agree on the host’s score.',
    'Look again after a minute: the engine asks every 15 seconds, agents write every 10.',
  ),
  'domain-status': named(
    'The hosted-engine storage domain is not in order everywhere.',
    'Check the storage and the connection of the hosts that are named.',
  ),
  'delete-protection': named(
    'The engine VM is not protected against deletion in every source.',
    'The engine does not let it be changed on its own VM: it comes with the import, see the upgrade operation.',
  ),
  origin: named(
    'The engine does not manage its own VM, or the OVF does not say so.',
    'Run the upgrade operation, which lets the engine import its VM.',
  ),
  'ovf-store-missing': named(
    'There are fewer than two OVF_STORE copies: while one is written there is no other.',
    'Activate the storage domain anew in the engine, which creates what is missing.',
  ),
  'ovf-store-stale': safe(
    'An OVF_STORE copy is not valid or not as the engine’s VM: after a failover the engine VM would start from an old definition.',
    'The engine is told to write its OVF_STORE copies anew (updateovfstore).',
  ),
  'slot-left-over': safe(
    'A slot of the HA metadata belongs to a host that nobody knows any more and that does not write it.',
    'The slot is cleaned; the others stay as they are.',
  ),
  'slot-writer-unknown': named(
    'Somebody whom neither the engine nor this configuration knows writes a slot of the HA metadata.',
    'Find the host by its name; undeploy hosted engine there, or add it to the engine and to the configuration.',
  ),
  'slot-unreadable': named(
    'A slot of the HA metadata can’t be read; original agents may die of it.',
    'See who has this host id; restart its agent, or run hosted-engine --clean-metadata --host-id=N --force-cleanup on a host.',
  ),
} as const satisfies Record<string, Kind>;

export type DifferenceKind = keyof typeof DIFFERENCES;

export const isKind = (name: string): name is DifferenceKind => Object.hasOwn(DIFFERENCES, name);
/** What `repair` may name, besides `safe`. */
export const REPAIRABLE: readonly string[] = Object.entries(DIFFERENCES).flatMap(([name, kind]) =>
  kind.safe ? [name] : [],
);

/** One fact as each source tells it; '' where the source has no word on it. */
export interface FactRow {
  readonly fact: string;
  readonly engine: string;
  readonly vdsm: string;
  readonly metadata: string;
  readonly storage: string;
}

/** What a repair needs to know. */
export type RepairTarget =
  | { readonly kind: 'local-maintenance'; readonly host: string; readonly wanted: boolean }
  | { readonly kind: 'ovf-store-stale' }
  | { readonly kind: 'slot-left-over'; readonly slot: number };

export interface Difference {
  readonly kind: DifferenceKind;
  /** A host, a slot, a copy; '' for the whole. */
  readonly subject: string;
  /** "engine: up", "VDSM: local maintenance on". */
  readonly says: readonly string[];
  /** Since when, as far as a source tells: ISO time or its own words. */
  readonly since?: string;
  /** Absent: this one can't be repaired safely although its kind could; `says` tells why. */
  readonly target?: RepairTarget;
}

export interface Look {
  readonly facts: StorageFacts;
  readonly rows: readonly FactRow[];
  readonly differences: readonly Difference[];
}

export const keyOf = ({ kind, subject }: Difference): string => `${kind} ${subject}`.trim();

export interface ReconcileActivities extends Pick<BackupActivities, 'takeBackup' | 'reportToTicket'> {
  lookForDifferences: Step<{ readonly repair: readonly string[] }, Look>;
  repairDifference: Step<{ readonly facts: StorageFacts; readonly target: RepairTarget }, null>;
  verifyRepairs: Step<{ readonly repaired: readonly string[] }, Look>;
}

export const RECONCILE_STEPS = [
  { name: 'look', title: 'Ask the engine, the hosts, the HA metadata and the storage', attemptMs: 5 * MINUTE },
  REPORT_STEP,
] as const satisfies readonly StepPlan[];

/** Steps that are known only when something is to be repaired. */
export const REPAIR_STEPS = {
  backUp: { name: 'back-up-before', title: 'Back up the present state to S3', attemptMs: 5 * MINUTE },
  verify: { name: 'verify', title: 'Look again, with fresh eyes', attemptMs: 5 * MINUTE },
} as const satisfies Record<string, StepPlan>;

const TITLES = {
  'local-maintenance': 'Bring the HA flag of local maintenance in line',
  'ovf-store-stale': 'Let the engine write the OVF_STORE copies',
  'slot-left-over': 'Clean the slot that a host left behind',
} as const;

export function repairStep(target: RepairTarget): StepPlan {
  const which =
    target.kind === 'ovf-store-stale' ? '' : target.kind === 'slot-left-over' ? `${target.slot}` : target.host;
  const about = which === '' ? '' : target.kind === 'slot-left-over' ? `: slot ${which}` : `: ${which}`;
  return {
    name: `repair-${target.kind}${which === '' ? '' : `-${which}`}`,
    title: `${TITLES[target.kind]}${about}`,
    attemptMs: 3 * MINUTE,
  };
}
