/** The upgrade's steps for the benchmark: the real ones on a lab, and ones that do nothing. */
import { asActivity } from '../../activities/border.activities.ts';
import type { Counterparts } from '../../activities/counterparts.ts';
import { CounterpartError } from '../../activities/errors.ts';
import { abortableSleep, type StepContext } from '../../activities/step-context.ts';
import { upgradeSteps } from '../../activities/upgrade.steps.ts';
import type { StepOutcome } from '../../workflows/model/operation.ts';
import type { UpgradeActivities, UpgradeFacts } from '../../workflows/model/upgrade.ts';

/** First wait before a step is tried again, in both kinds of run. */
export const RETRY_MS = 5;

type Steps = ReturnType<typeof upgradeSteps>;
type Border = <I, O>(step: (context: StepContext, input: I) => Promise<O>) => (input: I) => Promise<O>;

/** Puts every step behind the same kind of border. Steps are looked up late: each run has a lab of its own. */
function bind(steps: () => Steps, border: Border): UpgradeActivities {
  return {
    inspectUpgrade: border((context, input) => steps().inspectUpgrade(context, input)),
    enterGlobalMaintenance: border((context, input) => steps().enterGlobalMaintenance(context, input)),
    leaveGlobalMaintenance: border((context, input) => steps().leaveGlobalMaintenance(context, input)),
    backUp: border((context, input) => steps().backUp(context, input)),
    convertDefinition: border((context, input) => steps().convertDefinition(context, input)),
    ensureOvfStoreDisks: border((context, input) => steps().ensureOvfStoreDisks(context, input)),
    removeOvfStoreDisks: border((context, input) => steps().removeOvfStoreDisks(context, input)),
    writeOvf: border((context, input) => steps().writeOvf(context, input)),
    restoreOvfStores: border((context, input) => steps().restoreOvfStores(context, input)),
    importDomain: border((context, input) => steps().importDomain(context, input)),
    removeDomain: border((context, input) => steps().removeDomain(context, input)),
    awaitDomainActive: border((context, input) => steps().awaitDomainActive(context, input)),
    importVm: border((context, input) => steps().importVm(context, input)),
    verifyUpgrade: border((context, input) => steps().verifyUpgrade(context, input)),
    reportToTicket: border((context, input) => steps().reportToTicket(context, input)),
  };
}

/** The lab runs fast, so the steps must look fast: a quarter second between two looks would be an artificial delay. */
function hurried(context: StepContext, speed: number): StepContext {
  return {
    signal: context.signal,
    attempt: context.attempt,
    waitsFor: (text) => context.waitsFor(text),
    now: () => context.now(),
    sleep: (milliseconds) => context.sleep(milliseconds / speed),
  };
}

const RETRIES_MAX = 50;

function retryable(error: unknown): boolean {
  return error instanceof CounterpartError && error.facts.kind === 'retryable';
}

/** A plain call, repeated as Temporal would: a real host or engine is busy now and then, and so is the lab's. */
const plainBorder: Border = (step) => async (input) => {
  const { signal } = new AbortController();
  const sleep = (milliseconds: number) => abortableSleep(milliseconds, signal);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await step({ signal, attempt, waitsFor: () => {}, now: () => new Date(), sleep }, input);
    } catch (error) {
      if (!retryable(error) || attempt > RETRIES_MAX) throw error;
      await sleep(RETRY_MS);
    }
  }
};

/** The real steps with the lab's haste, behind a border: a plain call or a Temporal activity. */
export function labSteps(
  counterparts: () => Counterparts,
  speed: number,
  kind: 'plain' | 'durable',
): UpgradeActivities {
  const border = kind === 'plain' ? plainBorder : asActivity;
  return bind(
    () => upgradeSteps(counterparts()),
    (step) => border((context, input) => step(hurried(context, speed), input)),
  );
}

const volume = (digit: number) => ({
  image: `00000000-0000-4000-8000-00000000000${digit}`,
  volume: `10000000-0000-4000-8000-00000000000${digit}`,
});

const FACTS: UpgradeFacts = {
  dataCenter: { id: volume(1).image, name: 'Default' },
  cluster: { id: volume(2).image, name: 'Default', compatibility: '4.7' },
  engineVersion: '4.5.6',
  vm: { id: volume(3).image, name: 'HostedEngine', origin: 'hosted_engine' },
  alreadyManaged: false,
  domain: {
    id: volume(4).image,
    type: 'nfs',
    address: 'storage.example.test',
    path: '/exports/hosted_engine',
    metadata: volume(5),
    configuration: volume(6),
  },
  globalMaintenanceBefore: false,
  domainKnownBefore: false,
};
/** As long as the OVF of a real engine VM: it is stored in the history once for each step that gets it. */
const OVF = '<ovf:Section/>'.repeat(800);

const did =
  <T>(value: T) =>
  (): Promise<StepOutcome<T>> =>
    Promise.resolve({ done: 'now', summary: 'nothing was done', value });

function idleSteps(): Steps {
  const disks = [1, 2].map((digit) => ({ ...volume(digit), createdByUs: true }));
  return {
    inspectUpgrade: did(FACTS),
    enterGlobalMaintenance: did(null),
    leaveGlobalMaintenance: did(null),
    backUp: did({ bucket: 'bench', manifestKey: 'bench/manifest.json', manifestSha256: 'f'.repeat(64), objects: 6 }),
    convertDefinition: did({ source: 'request', ovf: OVF, sha256: 'f'.repeat(64) }),
    ensureOvfStoreDisks: did(disks),
    removeOvfStoreDisks: did(null),
    writeOvf: did(null),
    restoreOvfStores: did(null),
    importDomain: did(null),
    removeDomain: did(null),
    awaitDomainActive: did(null),
    importVm: did(null),
    verifyUpgrade: did(['checked: nothing']),
    reportToTicket: did(null),
  };
}

/** Steps that answer at once with values of real size: what is left is the cost of durability. */
export function idleActivities(kind: 'plain' | 'durable'): UpgradeActivities {
  const steps = idleSteps();
  return bind(() => steps, kind === 'plain' ? plainBorder : asActivity);
}

/** The first step fails in a way that only a person can repair: the operation parks. */
export function parkingActivities(onFirst: () => void): UpgradeActivities {
  const refuse = () => {
    onFirst();
    return Promise.reject(
      new CounterpartError({
        type: 'bench/parks',
        kind: 'needs-operator',
        subject: 'the benchmark',
        what: 'this step always fails',
        why: 'parked operations are to be counted',
        remedy: 'none is needed',
      }),
    );
  };
  const steps = { ...idleSteps(), inspectUpgrade: refuse };
  return bind(() => steps, asActivity);
}
