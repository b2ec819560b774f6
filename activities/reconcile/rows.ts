/** The sources side by side, as one table. Pure. */
import type { FactRow } from '../../workflows/model/reconcile.ts';
import { engineHost, isStale, knownHosts, slotOfHost, type CopyWord, type Sources } from './sources.ts';

const row = (fact: string, values: Partial<Omit<FactRow, 'fact'>>): FactRow => ({
  fact,
  engine: '',
  vdsm: '',
  metadata: '',
  storage: '',
  ...values,
});

export const onOff = (flag: boolean): string => (flag ? 'on' : 'off');
export const yesNo = (flag: boolean): string => (flag ? 'yes' : 'no');
const names = (list: readonly string[]): string => list.join(', ') || 'no host';

/** `off`, or `on: host1; off: host2, host3` where the hosts differ. */
function flags(each: readonly (readonly [name: string, flag: boolean])[]): string {
  const of = (wanted: boolean) => each.flatMap(([name, flag]) => (flag === wanted ? [name] : []));
  const [on, off] = [of(true), of(false)];
  if (on.length === 0 || off.length === 0) return each.length === 0 ? '' : onOff(on.length > 0);
  return `on: ${on.join(', ')}; off: ${off.join(', ')}`;
}

/** Hosts whose slots say that the engine VM runs there; a stopped agent's last word does not count. */
export function runsByMetadata(sources: Sources): string[] {
  return knownHosts(sources).flatMap((host) => {
    const block = slotOfHost(sources, host)?.block;
    return block !== undefined && !block.stopped && block.engineStatus.vm === 'up' ? [host.name] : [];
  });
}

export const runsByVdsm = ({ hosts }: Sources): string[] =>
  hosts.flatMap(({ name, vmStatus }) => (vmStatus === undefined ? [] : [name]));

export function runsByEngine({ engine }: Sources): string | undefined {
  if (typeof engine === 'string') return undefined;
  return engine.hosts.find((host) => host.id === engine.vm?.hostId)?.name;
}

export function engineCpus({ engine }: Sources): number | undefined {
  const cpu = typeof engine === 'string' ? undefined : engine.vm?.cpu;
  return cpu === undefined ? undefined : cpu.sockets * cpu.cores * cpu.threads;
}

export function engineMemoryMb({ engine }: Sources): number | undefined {
  const bytes = typeof engine === 'string' ? undefined : engine.vm?.memoryBytes;
  return bytes === undefined ? undefined : Math.round(bytes / 2 ** 20);
}

export function copyText({ fault, lastUpdated, ovf }: CopyWord): string {
  if (ovf === undefined) return `not valid: ${fault ?? ''}`;
  return `${ovf.memoryMb} MiB, ${ovf.vcpus} CPUs, of ${lastUpdated?.slice(0, 19) ?? 'no date'}`;
}

function vmRows(sources: Sources): FactRow[] {
  const { engine, hosts, storage } = sources;
  const vm = typeof engine === 'string' ? undefined : engine.vm;
  const [ovf] = storage.copies.flatMap((copy) => (copy.ovf === undefined ? [] : [copy.ovf]));
  const status = hosts.flatMap(({ name, vmStatus }) => (vmStatus === undefined ? [] : [`${vmStatus} (${name})`]));
  const words = runsByMetadata(sources).flatMap((name) => {
    const host = knownHosts(sources).find((one) => one.name === name);
    const block = host === undefined ? undefined : slotOfHost(sources, host)?.block;
    return block === undefined ? [] : [`${block.engineStatus.detail || 'up'}, health ${block.engineStatus.health}`];
  });
  const cpus = engineCpus(sources);
  const size = vm === undefined ? '' : `${engineMemoryMb(sources) ?? '?'} MiB, ${cpus ?? '?'} CPUs`;
  const unknown = typeof engine === 'string' ? 'does not answer' : 'does not know it';
  return [
    row('engine VM runs on', {
      engine: typeof engine === 'string' ? 'does not answer' : (runsByEngine(sources) ?? 'no host'),
      vdsm: names(runsByVdsm(sources)),
      metadata: names(runsByMetadata(sources)),
      storage: storage.leaseOwners.length === 0 ? 'lease: free' : `lease: host id ${storage.leaseOwners.join(', ')}`,
    }),
    row('engine VM status', {
      engine: vm?.status ?? unknown,
      vdsm: status.join('; ') || 'down',
      metadata: words.join('; ') || 'down',
    }),
    row('engine VM size', {
      engine: size || unknown,
      storage: ovf === undefined ? '' : `${ovf.memoryMb} MiB, ${ovf.vcpus} CPUs`,
    }),
    row('origin', { engine: vm?.origin ?? unknown, storage: ovf?.origin === undefined ? '' : `${ovf.origin}` }),
    row('delete protection', {
      engine: vm === undefined ? unknown : onOff(vm.deleteProtected),
      storage: ovf === undefined ? '' : onOff(ovf.deleteProtected),
    }),
  ];
}

function commonRows(sources: Sources): FactRow[] {
  const { engine, hosts, storage, globalMaintenance } = sources;
  const engineFlags =
    typeof engine === 'string' ? [] : engine.hosts.filter((host) => !isStale(host) && host.hostedEngine !== undefined);
  const answering = hosts.filter((host) => host.silent === undefined);
  return [
    row('global maintenance', {
      engine: flags(engineFlags.map(({ name, hostedEngine }) => [name, hostedEngine?.globalMaintenance ?? false])),
      vdsm: flags(answering.filter((host) => host.configured).map((host) => [host.name, host.globalMaintenance])),
      metadata: onOff(globalMaintenance),
    }),
    row('storage domain', {
      engine: typeof engine === 'string' ? 'does not answer' : (engine.domain?.status ?? 'does not know it'),
      vdsm:
        answering
          .map(({ name, domainValid }) =>
            domainValid === true ? '' : `${name}: ${domainValid === false ? 'not valid' : 'not monitored'}`,
          )
          .filter((text) => text !== '')
          .join('; ') || 'valid',
    }),
    ...storage.copies.map((copy) => row(`OVF_STORE copy ${copy.volume.slice(0, 8)}`, { storage: copyText(copy) })),
  ];
}

function hostRows(sources: Sources, host: { readonly name: string; readonly address: string }): FactRow[] {
  const told = engineHost(sources.engine, host.name);
  const own = sources.hosts.find((one) => one.name === host.name);
  const answered = own?.silent === undefined ? own : undefined;
  const slot = slotOfHost(sources, host);
  const stale = told !== undefined && isStale(told) ? ' (stale)' : '';
  const ha = told?.hostedEngine;
  const engineWord = (text: string | undefined) => (text === undefined ? '' : `${text}${stale}`);
  const shared = sources.storage.sharedHostId;
  return [
    row(`${host.name}: status`, {
      engine: told?.status ?? (typeof sources.engine === 'string' ? '' : 'does not know it'),
      vdsm: own === undefined ? 'not configured here' : own.silent === undefined ? 'answers' : `silent: ${own.silent}`,
      metadata: slot === undefined ? 'no slot' : slot.block.stopped ? 'agent stopped' : 'agent wrote',
    }),
    row(`${host.name}: deployed`, {
      engine: told === undefined ? '' : engineWord(yesNo(ha?.configured ?? false)),
      vdsm:
        answered === undefined
          ? ''
          : `${yesNo(answered.configured)}${answered.configured && !answered.active ? ', agent not active' : ''}`,
      metadata: yesNo(slot !== undefined),
    }),
    row(`${host.name}: local maintenance`, {
      engine: ha === undefined ? '' : engineWord(onOff(ha.localMaintenance)),
      vdsm: answered === undefined ? '' : onOff(answered.localMaintenance),
      metadata: slot === undefined ? '' : onOff(slot.block.localMaintenance),
    }),
    row(`${host.name}: score`, {
      engine: ha === undefined ? '' : engineWord(`${ha.score}`),
      vdsm: answered === undefined ? '' : `${answered.score}`,
      metadata: slot === undefined ? '' : `${slot.block.score}`,
    }),
    row(`${host.name}: host id`, {
      engine:
        typeof sources.engine === 'string' || told === undefined ? '' : `${sources.engine.hostIds.get(told.id) ?? ''}`,
      vdsm: answered?.spmId === undefined ? '' : `${answered.spmId} (SPM)`,
      metadata: slot === undefined ? '' : `slot ${slot.id}`,
      storage: shared !== undefined && slot?.id === Number(shared) ? `${shared} (shared conf)` : '',
    }),
  ];
}

function strangerRows(sources: Sources): FactRow[] {
  const own = new Set(knownHosts(sources).flatMap((host) => slotOfHost(sources, host)?.id ?? []));
  return sources.slots
    .filter(({ id }) => !own.has(id))
    .map(({ id, reading, live }) => {
      const text =
        reading.kind === 'host'
          ? `${reading.block.hostname}, ${live === true ? 'lives' : reading.block.stopped ? 'stopped' : 'silent'}`
          : `unreadable: ${reading.kind}`;
      return row(`slot ${id}`, { metadata: text });
    });
}

export function factRows(sources: Sources): FactRow[] {
  return [
    ...vmRows(sources),
    ...commonRows(sources),
    ...knownHosts(sources).flatMap((host) => hostRows(sources, host)),
    ...strangerRows(sources),
  ];
}
