/** The upgrade's steps for the benchmark: the real ones on a lab, and ones that do nothing. */
import { asActivity } from '../../activities/border.activities.ts';
import type { Counterparts } from '../../activities/counterparts.ts';
import { CounterpartError } from '../../activities/errors.ts';
import { abortableSleep, type StepContext } from '../../activities/step-context.ts';
import { upgradeSteps } from '../../activities/upgrade.activities.ts';
import type { StepOutcome } from '../../workflows/model/operation.ts';
import type { UpgradeActivities, UpgradeFacts } from '../../workflows/model/upgrade.ts';

type Steps = ReturnType<typeof upgradeSteps>;
type Border = <I, O>(step: (context: StepContext, input: I) => Promise<O>) => (input: I) => Promise<O>;

/** Puts every step behind the same kind of border. */
function bind(steps: Steps, border: Border): UpgradeActivities {
  return {
    inspectUpgrade: border(steps.inspectUpgrade),
    enterGlobalMaintenance: border(steps.enterGlobalMaintenance),
    leaveGlobalMaintenance: border(steps.leaveGlobalMaintenance),
    backUp: border(steps.backUp),
    convertDefinition: border(steps.convertDefinition),
    ensureOvfStoreDisks: border(steps.ensureOvfStoreDisks),
    removeOvfStoreDisks: border(steps.removeOvfStoreDisks),
    writeOvf: border(steps.writeOvf),
    restoreOvfStores: border(steps.restoreOvfStores),
    importDomain: border(steps.importDomain),
    removeDomain: border(steps.removeDomain),
    awaitDomainActive: border(steps.awaitDomainActive),
    importVm: border(steps.importVm),
    verifyUpgrade: border(steps.verifyUpgrade),
    reportToTicket: border(steps.reportToTicket),
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

/** The real steps, called plainly. */
export function plainSteps(counterparts: Counterparts, speed: number): UpgradeActivities {
  const { signal } = new AbortController();
  const context: StepContext = {
    signal,
    attempt: 1,
    waitsFor: () => {},
    now: () => new Date(),
    sleep: (milliseconds) => abortableSleep(milliseconds, signal),
  };
  return bind(upgradeSteps(counterparts), (step) => (input) => step(hurried(context, speed), input));
}

/** The real steps as activities, with the same haste. */
export function durableSteps(counterparts: Counterparts, speed: number): UpgradeActivities {
  return bind(upgradeSteps(counterparts), (step) =>
    asActivity((context, input) => step(hurried(context, speed), input)),
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

const did = <T>(value: T) => (): Promise<StepOutcome<T>> =>
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
export function idleActivities(): UpgradeActivities {
  return bind(idleSteps(), asActivity);
}

/** The same without Temporal. */
export function idlePlain(): UpgradeActivities {
  const { signal } = new AbortController();
  const context: StepContext = {
    signal,
    attempt: 1,
    waitsFor: () => {},
    now: () => new Date(),
    sleep: (milliseconds) => abortableSleep(milliseconds, signal),
  };
  return bind(idleSteps(), (step) => (input) => step(context, input));
}

/** The first step fails in a way that only a person can repair: the operation parks. */
export function parkingActivities(onFirst: () => void): UpgradeActivities {
  const refuse = () => {
    onFirst();
    return Promise.reject(
      new CounterpartError({
        type: 'bench/parks',
        kind: 'operator',
        subject: 'the benchmark',
        what: 'this step always fails',
        why: 'parked operations are to be counted',
        remedy: 'none is needed',
      }),
    );
  };
  return bind({ ...idleSteps(), inspectUpgrade: refuse }, asActivity);
}
