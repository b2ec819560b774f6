/** For plays around backups: the real steps' counterparts on a lab, and what a managed lab is ready for. */
import { readFileSync } from 'node:fs';
import type { Archive } from '../../activities/archive/client.ts';
import { ClusterRegistry } from '../../activities/clusters.ts';
import type { Counterparts } from '../../activities/counterparts.ts';
import { describeOvf } from '../../activities/ovf/read-ovf.ts';
import { secretsIn } from '../../activities/secrets.ts';
import { abortableSleep, type StepContext } from '../../activities/step-context.ts';
import { CONFIGURATION_BYTES, readConfigurationArchive } from '../../activities/storage/configuration-archive.ts';
import { labEngine } from '../faults/end-state.ts';
import type { Lab } from '../lab/lab.ts';
import { until } from '../processes.ts';

/** Runs steps on the lab from outside of any operation. */
export async function withCounterparts<T>(
  lab: Lab,
  archive: Archive,
  work: (counterparts: Counterparts, context: StepContext) => Promise<T>,
): Promise<T> {
  const { name } = lab.fixture.cluster;
  const clusters = new ClusterRegistry([{ name, engine: lab.ready.engine, hosts: lab.ready.hosts }]);
  const { signal } = new AbortController();
  const context: StepContext = {
    signal,
    attempt: 1,
    waitsFor: () => {},
    now: () => new Date(),
    sleep: (milliseconds) => abortableSleep(milliseconds, signal),
  };
  try {
    return await work({ clusters, archive, secrets: secretsIn(undefined), tickets: undefined }, context);
  } finally {
    await clusters.close();
  }
}

/** A managed lab's engine takes its VM from the OVF_STORE once; what is spoilt before that would become its truth. */
export async function engineHasReadItsOvf(lab: Lab): Promise<void> {
  const engine = labEngine(lab);
  try {
    const known = async () => {
      const disks = await engine.storageDomainDisks(lab.fixture.heDomain.id).catch(() => []);
      return disks.filter((disk) => disk.contentType === 'ovf_store').length >= 2;
    };
    await until('the engine to know its OVF_STORE disks', known, 30_000);
  } finally {
    await engine.close();
  }
}

/** Memory that each valid OVF_STORE copy gives the engine VM, MiB; 0 for one that holds no OVF of it. */
export async function memoryInCopies(lab: Lab): Promise<number[]> {
  const { heDomain, vm } = lab.fixture;
  const stores = await lab.storage.readOvfStores(heDomain.id);
  return stores.map(({ description, ovfs }) => {
    const read = description.updated ? describeOvf(ovfs.get(vm.id) ?? '') : undefined;
    return read?.ok === true ? read.description.memoryMb : 0;
  });
}

/** The shared vm.conf as it lies on storage; empty when the archive can't be read. */
export async function sharedVmConf(lab: Lab): Promise<string> {
  const read = await readConfigurationArchive(
    readFileSync(lab.storage.configurationPath).subarray(0, CONFIGURATION_BYTES),
  );
  return read.ok ? read.members['vm.conf'] : '';
}
