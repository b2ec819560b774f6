/** Step: look from outside whether the upgrade really holds, with fresh eyes: engine, storage and hosts each tell. */
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { ConvertedDefinition, UpgradeFacts } from '../../workflows/model/upgrade.ts';
import type { Cluster } from '../clusters.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import { describeOvf } from '../ovf/read-ovf.ts';
import { poll, type StepContext } from '../step-context.ts';
import { findOvfStores, OVF_STORE_COPIES, readCopy } from '../storage/ovf-store.ts';
import type { EngineClient } from './client.ts';

type Input = StepCall & { readonly facts: UpgradeFacts; readonly definition?: ConvertedDefinition };

interface Finding {
  readonly ok: boolean;
  readonly text: string;
}

async function engineFindings(engine: EngineClient, facts: UpgradeFacts): Promise<Finding[]> {
  const vm = (await engine.vms()).find((candidate) => candidate.id === facts.vm.id);
  if (vm === undefined) return [{ ok: false, text: `the engine does not know VM ${facts.vm.id}` }];
  const domains = await engine.dataCenterStorageDomains(facts.dataCenter.id);
  const domain = domains.find((candidate) => candidate.id === facts.domain.id);
  return [
    { ok: vm.origin === 'managed_hosted_engine', text: `engine: ${vm.name} (${vm.id}) has origin ${vm.origin}` },
    { ok: vm.deleteProtected, text: `engine: delete protection is ${vm.deleteProtected ? 'on' : 'off'}` },
    { ok: vm.status === 'up', text: `engine: ${vm.name} is ${vm.status}` },
    {
      ok: domain?.status === 'active',
      text: `engine: storage domain ${domain?.name ?? facts.domain.id} is ${domain?.status ?? 'unknown'}`,
    },
  ];
}

/** The engine writes its own OVF after the import; meanwhile a copy is marked as not valid for a moment. */
const COPIES_LIMIT_MS = 30_000;
const POLL_MS = 250;

/** Waits until both copies hold the VM; after the limit one valid copy must do. */
async function awaitCopies(cluster: Cluster, input: Input, context: StepContext): Promise<Finding[]> {
  let last: Copies = { findings: [], valid: 0 };
  await poll(
    context,
    { what: 'both OVF_STORE copies to hold the VM', everyMs: POLL_MS, limitMs: COPIES_LIMIT_MS },
    async () => {
      last = await readCopies(cluster, input, context);
      return last.valid >= OVF_STORE_COPIES ? true : undefined;
    },
  );
  return [
    ...last.findings,
    { ok: last.valid >= 1, text: `storage: ${last.valid} valid copies of the engine VM’s OVF` },
  ];
}

interface Copies {
  readonly findings: readonly Finding[];
  readonly valid: number;
}

async function readCopies(cluster: Cluster, input: Input, context: StepContext): Promise<Copies> {
  const { facts, definition } = input;
  const spm = await cluster.hosts.spm(facts.dataCenter.id, context.signal);
  const volumes = await findOvfStores(spm, facts.domain.id, context.signal);
  const findings: Finding[] = [
    { ok: volumes.length >= OVF_STORE_COPIES, text: `storage: ${volumes.length} OVF_STORE disks` },
  ];
  let valid = 0;
  for (const volume of volumes) {
    const copy = await readCopy(spm, { pool: facts.dataCenter.id, domain: facts.domain.id }, volume, context.signal);
    const ovf = copy.ovfs?.get(facts.vm.id);
    if (ovf === undefined) {
      findings.push({
        ok: true,
        text: `storage: copy ${volume.volume} does not hold the VM: ${copy.fault ?? 'it is not in it'}`,
      });
      continue;
    }
    const described = describeOvf(ovf);
    if (!described.ok) {
      findings.push({ ok: false, text: `storage: the OVF in ${volume.volume} can’t be read` });
      continue;
    }
    const same = ovf === definition?.ovf ? 'as this operation wrote it' : 'as the engine wrote it';
    valid += described.description.vmId === facts.vm.id ? 1 : 0;
    findings.push({ ok: true, text: `storage: copy ${volume.volume} holds ${described.description.name}, ${same}` });
  }
  return { findings, valid };
}

/** Exactly one host runs the engine VM: the invariant that must hold whatever else happened. */
async function hostFindings(cluster: Cluster, facts: UpgradeFacts, context: StepContext): Promise<Finding[]> {
  const hosts = await cluster.hosts.reachable(context.signal);
  const running = await Promise.all(
    hosts.map(async (host) => {
      const vms = await host.call('Host.getVMList', {}, { signal: context.signal });
      return vms.some((vm) => vm.vmId === facts.vm.id && vm.status !== 'Down') ? [host.name] : [];
    }),
  );
  const names = running.flat();
  return [{ ok: names.length === 1, text: `hosts: the engine VM runs on ${names.join(' and ') || 'no host'}` }];
}

export function verifyUpgrade({ clusters }: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<readonly string[]>> => {
    const cluster = clusters.get(input.cluster);
    const findings = [
      ...(await engineFindings(cluster.engine(input.operationId, context.signal), input.facts)),
      ...(await awaitCopies(cluster, input, context)),
      ...(await hostFindings(cluster, input.facts, context)),
    ];
    const wrong = findings.filter((finding) => !finding.ok);
    if (wrong.length > 0) {
      throw new CounterpartError({
        type: 'upgrade/not-verified',
        kind: 'retryable',
        subject: `engine VM ${input.facts.vm.name}`,
        what: 'the upgrade does not hold from outside',
        why: wrong.map((finding) => finding.text).join('; '),
        remedy: 'It is looked at again by itself; repair what is named if it lasts, then retry.',
      });
    }
    const lines = findings.map((finding) => finding.text);
    return { done: 'now', summary: `${lines.length} findings, all as they should be`, notes: lines, value: lines };
  };
}
