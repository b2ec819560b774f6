/** Steps: check an edit of the engine VM, make it, take it back. */
import type { EditFacts, EngineVmState } from '../../workflows/model/engine-vm.ts';
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { EngineVmChange } from '../../workflows/model/requests.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import type { StepContext } from '../step-context.ts';
import type { EngineClient } from './client.ts';
import { conflictsOf, reverseOf, wantedOf } from './engine-vm-change.ts';
import { lookAtHostedEngine, unmet, type HostedEngineLook } from './hosted-engine.ts';

type Input = StepCall & { readonly facts: EditFacts; readonly change: EngineVmChange };

const MIB = 2 ** 20;
const GIB = 2 ** 30;
const inMiB = (bytes: number | undefined) => Math.round((bytes ?? 0) / MIB);

export async function engineVmState(engine: EngineClient, vmId: string, domain: string): Promise<EngineVmState> {
  const [vm, nics, profiles, attachments, disks] = [
    await engine.vm(vmId),
    await engine.vmNics(vmId),
    await engine.vnicProfiles(),
    await engine.vmDiskAttachments(vmId),
    await engine.storageDomainDisks(domain),
  ];
  return {
    description: vm.description,
    comment: vm.comment,
    memoryMiB: inMiB(vm.memoryBytes),
    maxMemoryMiB: inMiB(vm.memoryMaxBytes),
    guaranteedMemoryMiB: inMiB(vm.memoryGuaranteedBytes),
    cpu: vm.cpu ?? { sockets: 1, cores: 1, threads: 1 },
    nics: nics.map(({ id, name, vnicProfileId, linked }) => ({
      id,
      name,
      profile: profiles.find((profile) => profile.id === vnicProfileId)?.name ?? '',
      linked,
    })),
    disks: attachments.flatMap(({ diskId }) => {
      const disk = disks.find(({ id }) => id === diskId);
      return disk === undefined
        ? []
        : [{ id: diskId, name: disk.name, sizeGiB: Math.round((disk.provisionedBytes ?? 0) / GIB) }];
    }),
  };
}

const REMEDY = 'Send the request again, corrected; nothing was changed.';

function refuse(why: string): never {
  throw unmet('engine-vm/impossible-change', 'engine VM', 'it can’t be changed like that', why, REMEDY);
}

/** Memory as it would be, against itself and against the smallest host that may have to start the VM. */
async function checkMemory(look: HostedEngineLook, change: EngineVmChange, before: EngineVmState, smallestMiB: number) {
  const memory = change.memoryMiB ?? before.memoryMiB;
  const max = change.maxMemoryMiB ?? before.maxMemoryMiB;
  const guaranteed = change.guaranteedMemoryMiB ?? before.guaranteedMemoryMiB;
  if (memory > max)
    refuse(`memory would be ${memory} MiB, above its maximum of ${max} MiB; raise maxMemoryMiB with it`);
  if (guaranteed > memory)
    refuse(`guaranteed memory would be ${guaranteed} MiB of ${memory} MiB; lower guaranteedMemoryMiB with it`);
  if (memory >= smallestMiB)
    refuse(`memory would be ${memory} MiB, but the smallest of ${look.able.join(', ')} has ${smallestMiB} MiB in all`);
}

function checkDevices(change: EngineVmChange, before: EngineVmState, profiles: readonly string[]): void {
  for (const { what, now } of wantedOf(change, before)) {
    if (now !== undefined) continue;
    const there = what.startsWith('disk') ? before.disks.map((disk) => disk.name) : before.nics.map((nic) => nic.name);
    refuse(`${what}: the engine VM has no such device; it has ${there.join(', ') || 'none'}`);
  }
  for (const { disk, sizeGiB } of change.disks ?? []) {
    const found = before.disks.find(({ id, name }) => id === disk || name === disk);
    if (found !== undefined && sizeGiB < found.sizeGiB)
      refuse(`disk ${disk} has ${found.sizeGiB} GiB: a disk can grow, not shrink`);
  }
  for (const { nic, profile } of change.nics ?? []) {
    if (profile !== undefined && !profiles.includes(profile))
      refuse(`vNIC ${nic}: there is no vNIC profile ${profile}; there are ${profiles.join(', ')}`);
  }
}

export function inspectEdit({ clusters }: Counterparts) {
  return async (
    context: StepContext,
    input: StepCall & { readonly change: EngineVmChange },
  ): Promise<StepOutcome<EditFacts>> => {
    const cluster = clusters.get(input.cluster);
    const look = await lookAtHostedEngine(cluster, input, context);
    const { vm, domain } = look.facts;
    if (vm.origin !== 'managed_hosted_engine') {
      throw unmet(
        'engine-vm/not-managed',
        `engine VM ${vm.name}`,
        'the engine can’t edit it',
        `its origin is ${vm.origin}: the engine does not manage it`,
        'Upgrade the hosted engine first (bellwether upgrade), then send the request again.',
      );
    }
    const engine = cluster.engine(input.operationId, context.signal);
    const before = await engineVmState(engine, vm.id, domain.id);
    const profiles = (await engine.vnicProfiles()).map(({ name }) => name);
    checkDevices(input.change, before, profiles);
    const sizes = await Promise.all(
      (await cluster.hosts.reachable(context.signal)).map(async (host) =>
        Number((await host.call('Host.getCapabilities', {}, { signal: context.signal })).memSize),
      ),
    );
    await checkMemory(look, input.change, before, Math.min(...sizes));
    const rows = wantedOf(input.change, before).map(({ what, value, now }) => `${what}: ${String(now)} → ${value}`);
    return { done: 'now', summary: rows.join('; '), notes: rows, value: { ...look.facts, before } };
  };
}

/** Sends what is not so yet: one call for the VM, one for each vNIC and disk. */
async function apply(
  engine: EngineClient,
  vmId: string,
  change: EngineVmChange,
  state: EngineVmState,
): Promise<number> {
  const open = new Set(wantedOf(change, state).flatMap(({ what, value, now }) => (value === now ? [] : [what])));
  let calls = 0;
  const { disks = [], nics = [], memoryMiB, maxMemoryMiB, guaranteedMemoryMiB, ...words } = change;
  const plain = [...open].some((what) => !what.startsWith('disk ') && !what.startsWith('vNIC '));
  if (plain) {
    await engine.updateVm(vmId, {
      ...words,
      ...(memoryMiB === undefined ? {} : { memoryBytes: memoryMiB * MIB }),
      ...(maxMemoryMiB === undefined ? {} : { memoryMaxBytes: maxMemoryMiB * MIB }),
      ...(guaranteedMemoryMiB === undefined ? {} : { memoryGuaranteedBytes: guaranteedMemoryMiB * MIB }),
    });
    calls += 1;
  }
  const profiles = nics.length === 0 ? [] : await engine.vnicProfiles();
  for (const { nic, profile, linked } of nics) {
    const found = state.nics.find(({ name }) => name === nic);
    if (found === undefined || ![...open].some((what) => what.startsWith(`vNIC ${nic},`))) continue;
    const id = profiles.find(({ name }) => name === profile)?.id;
    await engine.updateNic(vmId, found.id, {
      ...(id === undefined ? {} : { profile: id }),
      ...(linked === undefined ? {} : { linked }),
    });
    calls += 1;
  }
  for (const { disk, sizeGiB } of disks) {
    const found = state.disks.find(({ id, name }) => id === disk || name === disk);
    if (found === undefined || !open.has(`disk ${disk} (GiB)`)) continue;
    await engine.growDisk(vmId, found.id, sizeGiB * GIB);
    calls += 1;
  }
  return calls;
}

export function conflict(facts: EditFacts, conflicts: readonly string[]): CounterpartError {
  return new CounterpartError({
    type: 'engine-vm/conflict',
    kind: 'needs-operator',
    subject: `engine VM ${facts.vm.name}`,
    what: 'somebody else changed the same at the same time',
    why: conflicts.join('; '),
    remedy: 'Agree on one of the two. Abort this one to keep theirs, or set the former value again and retry.',
  });
}

export function editEngineVm({ clusters }: Counterparts) {
  return async (context: StepContext, { facts, change, ...call }: Input): Promise<StepOutcome<null>> => {
    const engine = clusters.get(call.cluster).engine(call.operationId, context.signal);
    const now = await engineVmState(engine, facts.vm.id, facts.domain.id);
    const conflicts = conflictsOf(change, facts.before, now);
    if (conflicts.length > 0) {
      throw conflict(facts, conflicts);
    }
    const calls = await apply(engine, facts.vm.id, change, now);
    if (calls === 0) return { done: 'before', summary: 'the engine VM is as it is wanted already', value: null };
    return { done: 'now', summary: `the engine took ${calls} ${calls === 1 ? 'change' : 'changes'}`, value: null };
  };
}

export function revertEngineVm({ clusters }: Counterparts) {
  return async (context: StepContext, { facts, change, ...call }: Input): Promise<StepOutcome<null>> => {
    const engine = clusters.get(call.cluster).engine(call.operationId, context.signal);
    const back = reverseOf(change, facts.before);
    const now = await engineVmState(engine, facts.vm.id, facts.domain.id);
    // What is not ours any more is left as somebody else made it.
    if (conflictsOf(change, facts.before, now).length > 0)
      return { done: 'before', summary: 'left as it is: somebody else has changed it since', value: null };
    const calls = await apply(engine, facts.vm.id, back, now);
    const grown = change.disks === undefined ? '' : '; disks can’t be made smaller and stay as they are';
    return { done: calls === 0 ? 'before' : 'now', summary: `the former values are there${grown}`, value: null };
  };
}
