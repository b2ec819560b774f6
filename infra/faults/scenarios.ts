/**
 * The faults that an upgrade must survive, by name: the test runs them all (`test/faults`), the demo shows one
 * (`npm run demo -- --fault NAME`). In each the end is the same as in an undisturbed run.
 */
import { UPGRADE_STEPS, type UpgradeStepName } from '../../workflows/model/upgrade.ts';
import type { OperatorAction } from '../../workflows/model/operation.ts';
import type { LabFault } from '../lab/faults.ts';
import type { Lab } from '../lab/lab.ts';
import type { Platform } from '../start/platform.ts';
import { emptyStores, moveSpm, otherVmInStores, staleCopy, validStores } from './storage-states.ts';

export interface Stage {
  readonly lab: Lab;
  readonly platform: Platform;
}

export interface WorkerKill {
  /** For people. */
  readonly step: string;
  /** Temporal's number of the step's activity: they are counted in the order in which they are scheduled, from 1. */
  readonly activityId: string;
  /** Before the step's effect, or after it and before its result was reported. */
  readonly moment: 'before' | 'after';
}

export interface Scenario {
  readonly name: string;
  /** What happens, for people. */
  readonly title: string;
  readonly before?: (stage: Stage) => Promise<void>;
  /** Runs once, when that step is first seen running. */
  readonly atStep?: { readonly step: UpgradeStepName; readonly act: (stage: Stage) => Promise<void> };
  /** Repairs what made it park, and says how to go on. Absent: it must not park. */
  readonly whenParked?: (stage: Stage) => Promise<OperatorAction>;
  readonly killWorker?: WorkerKill;
}

const inject =
  (...faults: readonly LabFault[]) =>
  async ({ lab }: Stage) => {
    for (const fault of faults) await lab.inject(fault);
  };

const BUSY = 'Cannot ${action} ${type}. Related operation is currently in progress. Please try again later.';

function engineError(status: number, detail: string, times: number): LabFault {
  return {
    kind: 'engine-error',
    match: '* /storagedomains*',
    status,
    reason: 'Operation Failed',
    detail: `[${detail}]`,
    times,
  };
}

/** The first activity asks for the cluster. */
const FIRST_STEP = 2;

const workerKills: Scenario[] = UPGRADE_STEPS.flatMap(({ name: step }, index) =>
  (['before', 'after'] as const).map((moment) => ({
    name: `worker-killed-${moment}-${step}`,
    title: `the worker is killed (SIGKILL) ${moment} the effect of step ${step}`,
    killWorker: { step, activityId: String(index + FIRST_STEP), moment },
  })),
);

const vdsm: Scenario[] = [
  {
    name: 'vdsm-cut-during-upload',
    title: 'the connection to VDSM breaks in the middle of the upload of the OVF',
    before: inject({ kind: 'vdsm-cut', verb: 'PUT', times: 1 }),
  },
  {
    name: 'vdsm-answer-lost',
    title: 'VDSM creates the OVF_STORE volume but its answer is lost',
    before: inject({ kind: 'vdsm-cut', verb: 'Volume.create', times: 1 }),
  },
  {
    name: 'vdsm-recovering',
    title: 'VDSM is recovering: it answers 99 to the next calls',
    before: inject({ kind: 'vdsm-recovering', host: 'host1', calls: 3 }),
  },
  {
    name: 'storage-full',
    title: 'the storage is full when the OVF_STORE is created; room is made and the step retried',
    before: inject({ kind: 'storage-full', times: 1 }),
    whenParked: async ({ lab }) => {
      await lab.clear('storage-full');
      return 'retry';
    },
  },
  {
    name: 'host-down',
    title: 'the host chosen for the work goes down; another one takes over',
    before: async ({ lab }) => moveSpm(lab, 'host2'),
    atStep: { step: 'back-up-before', act: inject({ kind: 'host-down', host: 'host2' }) },
  },
  {
    name: 'host-down-at-import',
    title: 'the host through which the engine activates the domain goes down meanwhile; the engine is asked again',
    before: async ({ lab }) => moveSpm(lab, 'host2'),
    atStep: { step: 'import-domain', act: inject({ kind: 'host-down', host: 'host2' }) },
  },
  {
    name: 'attach-fails',
    title: 'VDSM fails to attach the domain and the engine gives the attachment up; it is asked again',
    before: inject({ kind: 'vdsm-error', verb: 'StorageDomain.attach', code: 300, message: 'attach failed', times: 1 }),
  },
];

const engine: Scenario[] = [
  { name: 'engine-busy', title: 'the engine answers 409 (busy) twice', before: inject(engineError(409, BUSY, 2)) },
  {
    name: 'engine-503',
    title: 'the engine answers 503 three times',
    before: inject(engineError(503, 'Service Unavailable', 3)),
  },
  {
    name: 'engine-slow',
    title: 'the engine answers slowly',
    before: inject({ kind: 'engine-slow', match: '* /*', delayMs: 3000 }),
  },
  {
    name: 'engine-drops-import',
    title: 'the engine accepts the import of the domain and drops the connection',
    before: inject({ kind: 'engine-drop', match: 'POST /storagedomains', times: 1 }),
  },
  {
    name: 'engine-drops-attach',
    title: 'the engine accepts the attachment of the domain and drops the connection',
    before: inject({ kind: 'engine-drop', match: 'POST /datacenters/*/storagedomains', times: 1 }),
  },
  {
    name: 'engine-drops-register',
    title: 'the engine accepts the import of the VM and drops the connection',
    before: inject({ kind: 'engine-drop', match: 'POST /storagedomains/*/vms/*/register', times: 1 }),
  },
  {
    name: 'token-expired',
    title: 'the engine’s token expires in the middle of the work',
    atStep: { step: 'write-ovf', act: inject({ kind: 'engine-token-expired' }) },
  },
  {
    name: 'data-center-not-up',
    title: 'the data center is not up: the operation parks, and goes on after the repair',
    before: inject({ kind: 'data-center-status', status: 'not_operational' }),
    whenParked: async ({ lab }) => {
      await lab.clear('data-center-status');
      return 'retry';
    },
  },
];

/** Long enough that somebody notices, short enough for a test. */
const OUTAGE_MS = 1500;
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const servers: Scenario[] = [
  {
    name: 'temporal-killed',
    title: 'the Temporal server is killed (SIGKILL) and started again',
    atStep: {
      step: 'ovf-store-disks',
      act: async ({ platform }) => {
        const start = await platform.temporal.embedded?.crash?.();
        await pause(OUTAGE_MS);
        await start?.();
      },
    },
  },
  {
    name: 's3-down',
    title: 'S3 is down when the backup is taken',
    before: async ({ platform }) => {
      const start = await platform.s3.embedded?.crash();
      void pause(OUTAGE_MS).then(() => start?.());
    },
  },
];

const stores: Scenario[] = [
  {
    name: 'ovf-store-present',
    title: 'two valid OVF_STORE disks are there already',
    before: ({ lab }) => validStores(lab),
  },
  { name: 'ovf-store-empty', title: 'two OVF_STORE disks are there, but empty', before: ({ lab }) => emptyStores(lab) },
  {
    name: 'ovf-store-other-vm',
    title: 'the OVF_STORE holds another VM’s OVF',
    before: ({ lab }) => otherVmInStores(lab),
  },
  {
    name: 'ovf-store-stale-copy',
    title: 'one of the two OVF_STORE copies is stale',
    before: ({ lab }) => staleCopy(lab),
  },
];

export const SCENARIOS: readonly Scenario[] = [...workerKills, ...vdsm, ...engine, ...servers, ...stores];
