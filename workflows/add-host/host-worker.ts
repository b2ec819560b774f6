/** The part of adding a host that only agent bellwether has: our worker in the place of the reference's services. */
import type { AddHostFacts } from '../model/add-host.ts';
import { HOST_WORKER_STEPS, type HostWorkerActivities, type SshAccess } from '../model/host-worker.ts';
import { planOf, type StepCall } from '../model/operation.ts';
import type { AddHostRequest } from '../model/requests.ts';
import type { StepRunner } from '../steps/runner.ts';

const plan = (name: (typeof HOST_WORKER_STEPS)[number]['name']) => planOf(HOST_WORKER_STEPS, name);

export function sshOf({ access, sshKeySecret, sshPort, sshFingerprint }: AddHostRequest): SshAccess {
  return {
    access,
    ...(sshKeySecret === undefined ? {} : { sshKeySecret }),
    ...(sshPort === undefined ? {} : { sshPort }),
    ...(sshFingerprint === undefined ? {} : { sshFingerprint }),
  };
}

/** Puts our worker there and proves it. @returns what was seen, and whether the host was changed */
export async function putHostWorker<A extends HostWorkerActivities>(
  run: StepRunner<A>,
  call: StepCall,
  request: AddHostRequest,
  facts: AddHostFacts,
): Promise<{ lines: readonly string[]; changed: boolean }> {
  const input = { ...call, facts, ssh: sshOf(request) };
  const { before } = await run.step(plan('worker-host'), (a) => a.inspectWorkerHost(input));
  const undo = {
    name: 'undo-worker',
    title: 'Take the host worker away, start ovirt-ha-broker and ovirt-ha-agent again',
    run: (a: A) => a.withdrawWorker(input),
  };
  const files = await run.step(
    plan('worker-files'),
    (a) => a.putWorkerFiles(input),
    before === 'reference' ? undo : undefined,
  );
  const services = await run.step(plan('worker-services'), (a) => a.swapServices(input));
  const lines = await run.step(plan('worker-verify'), (a) => a.verifyHostWorker(input));
  return { lines, changed: before === 'reference' || files || services };
}
