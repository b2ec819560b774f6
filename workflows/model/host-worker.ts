/** Putting Bellwether's worker on a host in the place of the reference's agent and broker. */
import type { AddHostFacts } from './add-host-facts.ts';
import type { Step, StepPlan } from './operation.ts';
import type { HostAccess } from './requests.ts';

const MINUTE = 60_000;

/** How we ourselves get into a host; the engine has ways of its own. */
export interface SshAccess {
  readonly access: HostAccess;
  /** Name of the secret with root's private key; without it root's password of `access` is used. */
  readonly sshKeySecret?: string;
  /** Where the engine does not know the host yet; else its own port rules. */
  readonly sshPort?: number;
  /** Of the host's key, `SHA256:…`; counts only while the engine does not know the host. */
  readonly sshFingerprint?: string;
}

/** What was on the host before: the undo puts that back. */
export interface WorkerFacts {
  /** Our worker served the host already; then the operation takes nothing back. */
  readonly before: 'reference' | 'bellwether';
}

/** What the work on a host over SSH must know of it. */
export type ServedHost = Pick<AddHostFacts, 'board' | 'engineVm' | 'host'>;

type OfHost = { readonly facts: ServedHost; readonly ssh: SshAccess };

export interface HostWorkerActivities {
  /** Looks over SSH at everything that the worker needs on the host; touches nothing. */
  inspectWorkerHost: Step<OfHost, WorkerFacts>;
  /** Bundle, unit and configuration. Answers whether anything was changed. */
  putWorkerFiles: Step<OfHost, boolean>;
  /** The reference's services stopped and disabled, ours enabled and started. Answers whether anything was changed. */
  swapServices: Step<OfHost, boolean>;
  /** The slot is written by our worker, goes on changing, and its score is above 0. */
  verifyHostWorker: Step<OfHost, readonly string[]>;
  /** Our worker gone, the reference's services enabled and running: a compensation here, a step of removing the host. */
  withdrawWorker: Step<OfHost, null>;
}

/** Added to the steps of adding a host where agent is bellwether. */
export const HOST_WORKER_STEPS = [
  { name: 'worker-host', title: 'Look over SSH at what the host worker needs', attemptMs: 3 * MINUTE },
  { name: 'worker-files', title: 'Put the host worker, its unit and its configuration there', attemptMs: 8 * MINUTE },
  {
    name: 'worker-services',
    title: 'Stop ovirt-ha-agent and ovirt-ha-broker, start bellwether-host',
    attemptMs: 8 * MINUTE,
    // No window may end between a worker that was started and the proof that it serves the host.
    windowMs: 25 * MINUTE,
  },
  {
    name: 'worker-verify',
    title: 'See the host worker write the host’s slot, with a score above 0',
    attemptMs: 17 * MINUTE,
    windowMs: 0,
  },
] as const satisfies readonly StepPlan[];
