/** Step: the preconditions. Looks at everything the upgrade needs before anything is touched. */
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { UpgradeFacts } from '../../workflows/model/upgrade.ts';
import type { Counterparts } from '../counterparts.ts';
import { braceText } from '../ovf/brace.ts';
import { parseVmConf } from '../ovf/vm-conf.ts';
import type { StepContext } from '../step-context.ts';
import { lookAtHostedEngine, requireAbleHost, unmet } from './hosted-engine.ts';
import type { Vm } from './types.ts';

type Input = StepCall & { readonly vmConf?: string };

/** Another VM of that name would make the import fail half way. */
function requireNameFree(vms: readonly Vm[], vmId: string, vmName: string): void {
  const namesake = vms.find((candidate) => candidate.name === vmName && candidate.id !== vmId);
  if (namesake === undefined || vms.some((candidate) => candidate.id === vmId)) return;
  throw unmet(
    'engine/vm-name-taken',
    `VM ${vmName}`,
    'the engine has another VM of that name',
    `its id is ${namesake.id}, the hosts run ${vmId}`,
    'Rename or remove that VM in the engine, then retry.',
  );
}

function vmConfIdentity(text: string | undefined): { domain?: string; name?: string } {
  if (text === undefined) return {};
  const parsed = parseVmConf(text);
  if (!parsed.ok) {
    const [first] = parsed.problems;
    throw unmet(
      'ovf/bad-vm-conf',
      'vm.conf of the request',
      'it can’t be read',
      `${parsed.problems.length} problems, the first in line ${first?.line ?? 1}: ${first?.what ?? ''}`,
      'Correct the file (bellwether convert FILE lists every problem), then start anew.',
    );
  }
  const disk = parsed.conf.devices.find(
    (device) => braceText(device, 'type') === 'disk' && braceText(device, 'device') !== 'cdrom',
  );
  const domain = disk === undefined ? undefined : braceText(disk, 'domainID');
  return {
    ...(domain === undefined ? {} : { domain }),
    name: parsed.conf.vmName,
  };
}

export function inspectUpgrade({ clusters }: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<UpgradeFacts>> => {
    const given = vmConfIdentity(input.vmConf);
    const look = await lookAtHostedEngine(clusters.get(input.cluster), input, context, given);
    requireAbleHost(look);
    const { vm, dataCenter, domain } = look.facts;
    const name = given.name ?? 'HostedEngine';
    requireNameFree(look.vms, vm.id, name);
    const managed = vm.origin === 'managed_hosted_engine';
    const facts: UpgradeFacts = {
      ...look.facts,
      alreadyManaged: managed,
      domainKnownBefore: look.domains.some((known) => known.id === domain.id),
    };
    const state = managed ? 'managed already' : `not managed yet (origin ${vm.origin})`;
    return {
      done: 'now',
      summary: `data center ${dataCenter.name} is up; engine VM ${vm.name} is ${state}; able hosts: ${look.able.join(', ')}`,
      value: facts,
    };
  };
}
