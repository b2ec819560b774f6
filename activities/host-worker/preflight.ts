/** Whether our worker can be put on a host: looked at before the engine installs it, and again before anything is put there. */
import type { SshAccess } from '../../workflows/model/host-worker.ts';
import type { StepOutcome } from '../../workflows/model/operation.ts';
import type { WorkerFacts } from '../../workflows/model/host-worker.ts';
import type { Counterparts } from '../counterparts.ts';
import type { Host } from '../engine/types.ts';
import { connectSsh, shownHostKey } from '../ssh/client.ts';
import type { StepContext } from '../step-context.ts';
import { readHostWorker } from './files.ts';
import { requireMachine, services } from './machine.ts';
import { onHost, sshLogin, sshTarget, type OfHost } from './session.ts';
import { servicesText, weServe } from './systemd.ts';

interface Candidate {
  readonly name: string;
  readonly address: string;
  /** As the engine knows it; undefined: it does not. */
  readonly host: Host | undefined;
  readonly ssh: SshAccess;
}

/**
 * Before anything is touched. Of a host that nobody knows the key of, only the way there can be tried: nothing is sent to it.
 * @returns a note @throws CounterpartError needs-operator
 */
export async function preflightWorker(
  { secrets, hostWorker }: Counterparts,
  { name, address, host, ssh }: Candidate,
  context: StepContext,
): Promise<string> {
  const [bundle] = await readHostWorker(hostWorker);
  const login = await sshLogin(secrets, ssh);
  const target = sshTarget(name, address, host, ssh);
  const worker = `the host worker’s bundle is there (SHA-256 ${bundle?.sha256.slice(0, 12) ?? ''}…)`;
  const known = host?.ssh ?? { fingerprint: ssh.sshFingerprint };
  if (known.fingerprint === undefined && host === undefined) {
    const shown = await shownHostKey(target, context.signal);
    return `${worker}; SSH answers at port ${target.port} with host key ${shown}; who that is the engine says once it has added the host`;
  }
  const session = await connectSsh(target, known, login, context.signal);
  try {
    await requireMachine(session);
  } finally {
    session.close();
  }
  return `${worker}; over SSH: Node, systemd and space are as they must be`;
}

export function inspectWorkerHost(counterparts: Counterparts) {
  return async (context: StepContext, input: OfHost): Promise<StepOutcome<WorkerFacts>> => {
    await readHostWorker(counterparts.hostWorker);
    return onHost(counterparts, input, context, async (ssh) => {
      await requireMachine(ssh);
      const found = await services(ssh);
      const before = weServe(found) ? 'bellwether' : 'reference';
      return { done: 'now', summary: `fit for the host worker; ${servicesText(found)}`, value: { before } };
    });
  };
}
