/**
 * VDSM's error codes as data: name, what to tell a person, and how a caller may react (vdsm.md 12).
 *
 * Messages of VDSM are for people and never parsed; the code alone decides.
 */
import type { ErrorKind } from '../errors.ts';

/**
 * - `transient`: nothing happened, the same call may work later.
 * - `unknown-outcome`: it may have happened; read the state before repeating.
 * - `done-already`: the state asked for is there (the caller checks that it is *its* volume, VM, task).
 * - `permanent`: repeating gives the same answer.
 */
export type RetryClass = 'transient' | 'unknown-outcome' | 'done-already' | 'permanent';

export interface CodeFacts {
  /** Becomes `vdsm/<name>`, the stable type of the error. */
  readonly name: string;
  readonly retry: RetryClass;
  /** For `done-already` and `transient`: only these verbs mean it so; for others the code is permanent. */
  readonly verbs?: readonly string[];
  /** Default: retryable unless permanent or done already, then fatal. */
  readonly kind?: ErrorKind;
  readonly remedy: string;
}

const WAIT = 'Wait and try again';
const LOOK = 'Read the state on the host before repeating the call';
const BUG = 'Report this as a defect of Bellwether, with the line of vdsm.log that carries the same flow_id';
const STORAGE = 'Check the storage server and its export, then retry';
const VM_LOG = 'Look at vdsm.log and at /var/log/libvirt/qemu on the host';
const CONNECT = 'Activate the host in the engine, so that it connects to its data center, then retry';

const transient = (name: string, remedy = WAIT): CodeFacts => ({ name, retry: 'transient', remedy });
const unknown = (name: string): CodeFacts => ({ name, retry: 'unknown-outcome', remedy: LOOK });
const done = (name: string, verbs: readonly string[], remedy: string): CodeFacts => ({
  name,
  retry: 'done-already',
  verbs,
  remedy,
});
const fatal = (name: string, remedy: string): CodeFacts => ({ name, retry: 'permanent', kind: 'fatal', remedy });
const operator = (name: string, remedy: string): CodeFacts => ({
  name,
  retry: 'permanent',
  kind: 'needs-operator',
  remedy,
});

export const CODES: ReadonlyMap<number, CodeFacts> = new Map<number, CodeFacts>([
  [1, done('no-such-vm', ['VM.destroy'], 'The VM does not run on this host; ask the others')],
  [4, done('vm-exists', ['VM.create'], 'Read VM.getStats: Up is done, a Down VM must be destroyed first')],
  [6, fatal('vm-down', 'Start the VM first')],
  [9, fatal('vm-create-failed', VM_LOG)],
  [10, fatal('migration-peer', 'Choose another destination host')],
  [12, fatal('migration-failed', 'The VM stays at the source; choose another destination host')],
  [13, fatal('image-missing', 'The disk does not exist; check the ids')],
  [16, unknown('unexpected')],
  [40, { name: 'unavailable', retry: 'transient', kind: 'retryable', remedy: WAIT }],
  [42, operator('destroy-failed', 'The qemu process is stuck: fence or reboot the host')],
  [44, fatal('not-implemented', 'The host is too old for this verb: update it')],
  [47, fatal('migration-not-running', 'There is no migration to cancel')],
  [51, transient('vm-migrating', 'Wait for the end of the migration')],
  [57, operator('hardware-info', 'Look at vdsm.log on the host')],
  [61, operator('ha-mode-not-set', 'Check that ovirt-ha-agent or the host worker runs on the host')],
  [81, fatal('migration-cancel-failed', 'Read VM.getStats: the migration may be over')],
  [82, fatal('migration-limit', 'Choose another destination host or wait for its migrations')],
  [99, transient('recovering', 'VDSM is starting: wait, it takes seconds to minutes')],
  [100, fatal('general', 'Look at vdsm.log on the host')],
  [102, fatal('migration-refused', 'Choose another destination host')],
  [201, fatal('no-such-volume', 'The volume does not exist; check the ids')],
  [212, done('volume-exists', ['Volume.create'], 'Read Volume.getInfo: with the same ids and size it is done')],
  [227, operator('volume-illegal', 'Repair or recreate the volume through the engine')],
  [254, fatal('no-such-image', 'The disk does not exist; check the ids')],
  [304, operator('no-master', CONNECT)],
  [309, operator('pool-not-connected', CONNECT)],
  [313, operator('no-pool-connected', CONNECT)],
  [323, operator('other-pool-connected', 'The host belongs to another data center; move it or use another host')],
  [324, operator('wrong-master', CONNECT)],
  [358, operator('no-such-domain', 'Connect the storage domain on this host; check that its export is reachable')],
  [360, operator('domain-not-mounted', STORAGE)],
  [361, operator('folder-not-empty', 'Choose an empty export or remove what is in it')],
  [365, done('domain-exists', ['StorageDomain.create'], 'With the same id and path it is done')],
  [369, operator('domain-inactive', 'Activate the storage domain in the engine')],
  [379, operator('domain-access', 'Make the export readable and writable for vdsm:kvm (36:36)')],
  [380, fatal('domain-attached', 'The storage domain belongs to a data center already')],
  [385, operator('domain-permissions', 'Make the export readable and writable for vdsm:kvm (36:36)')],
  [397, operator('domain-full', 'Free or add space in the storage domain, then retry')],
  [401, done('no-such-task', ['Task.clear'], 'The task was cleared, or belongs to another host')],
  [403, transient('task-not-finished', 'Wait for the end of the task')],
  [406, transient('task-in-progress', 'Wait for the end of the task')],
  [411, fatal('task-aborted', 'Look at vdsm.log on the SPM host for the reason')],
  [451, operator('storage-connection', STORAGE)],
  [469, operator('storage-permissions', 'Make the export readable and writable for vdsm:kvm (36:36)')],
  [476, operator('iscsi-authentication', 'Check the CHAP user and password')],
  [477, operator('mount-failed', STORAGE)],
  [650, operator('spm-start', 'Look at vdsm.log on the host')],
  [654, fatal('not-spm', 'Ask StoragePool.getSpmStatus and send the call to the SPM host')],
  [656, done('already-spm', ['StoragePool.spmStart'], 'Nothing to do: the host is the SPM')],
  [661, operator('no-host-id', 'The host holds no sanlock slot of the domain; check its storage')],
  [855, transient('resource-busy')],
  [900, fatal('domain-in-pool', 'The domain belongs to the connected pool, which monitors it')],
  [1000, fatal('invalid-parameter', BUG)],
  [1100, transient('busy', 'The host has too many requests in its queue: wait and try again')],
  [-32700, fatal('bad-json', BUG)],
  [-32600, fatal('invalid-request', BUG)],
  [-32601, fatal('no-such-verb', 'The host is too old or too new for this verb: compare VDSM versions')],
  [-32602, fatal('invalid-params', BUG)],
  [-32603, unknown('internal')],
  [-32604, unknown('internal')],
  [-32605, unknown('internal')],
]);

/** Codes without a row of their own, by VDSM's ranges. */
export function rangeName(code: number): { name: string; remedy: string } {
  if (code >= 200 && code < 300) return { name: 'volume', remedy: 'Look at vdsm.log on the host' };
  if (code >= 300 && code < 350) return { name: 'pool', remedy: CONNECT };
  if (code >= 350 && code < 400) return { name: 'domain', remedy: STORAGE };
  if (code >= 400 && code < 450) return { name: 'task', remedy: 'Look at vdsm.log on the SPM host' };
  if (code >= 450 && code < 500) return { name: 'storage-connection', remedy: STORAGE };
  if (code >= 500 && code < 650) return { name: 'lvm', remedy: STORAGE };
  if (code >= 650 && code < 700) return { name: 'spm', remedy: 'Look at vdsm.log on the host' };
  if (code >= 700 && code < 710) return { name: 'sanlock', remedy: 'Look at sanlock.log on the host' };
  return { name: 'failed', remedy: 'Look at vdsm.log on the host' };
}
