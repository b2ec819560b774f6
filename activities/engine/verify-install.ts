/** Step: the upgrade's look from outside, and what only an install can get wrong: ids, and a second VM. */
import type { StepOutcome } from '../../workflows/model/operation.ts';
import type { ConvertedDefinition, UpgradeFacts } from '../../workflows/model/upgrade.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import type { StepContext } from '../step-context.ts';
import { FIRST_HOST_ID } from '../storage/install-configuration.ts';
import type { Planned } from '../vdsm/first-host.ts';
import { verifyUpgrade } from './verify.ts';

type Input = Planned & { readonly facts: UpgradeFacts; readonly definition: ConvertedDefinition };

export function verifyInstall(counterparts: Counterparts) {
  const verifyCommon = verifyUpgrade(counterparts);
  return async (context: StepContext, input: Input): Promise<StepOutcome<readonly string[]>> => {
    const { facts, answers, definition, operationId, cluster, startedAt } = input;
    const common = await verifyCommon(context, { operationId, cluster, startedAt, facts, definition });
    const engine = counterparts.clusters.get(cluster).engine(operationId, context.signal);
    const holders = (await engine.hosts({ search: `spm_id=${FIRST_HOST_ID}` })).map((host) => host.name);
    const own = (await engine.vms()).filter((vm) => vm.name === facts.vm.name);
    const wrong = [
      ...(holders.join() === answers.host.name
        ? []
        : [
            `SPM id ${FIRST_HOST_ID} is ${holders.join(', ') || 'nobody'}’s, host_id of ${answers.host.name} is ${FIRST_HOST_ID}`,
          ]),
      ...(own.length === 1 ? [] : [`the engine knows ${own.length} VMs of the name ${facts.vm.name}`]),
    ];
    if (wrong.length > 0) {
      throw new CounterpartError({
        type: 'install/not-verified',
        kind: 'needs-operator',
        subject: `engine ${answers.fqdn}`,
        what: 'the install does not hold from outside',
        why: wrong.join('; '),
        remedy: 'Correct host_id in hosted-engine.conf, or remove the other VM, then retry.',
      });
    }
    const lines = [
      ...common.value,
      `engine: SPM id ${FIRST_HOST_ID} is ${answers.host.name}’s, as its host_id says`,
      `engine: exactly one VM ${facts.vm.name}`,
    ];
    return { done: 'now', summary: `${lines.length} findings, all as they should be`, notes: lines, value: lines };
  };
}
