/** Which of the facts do not fit each other. Pure: the same sources give the same differences. */
import type { Difference, DifferenceKind } from '../../workflows/model/reconcile.ts';
import { hostDifferences } from './host-differences.ts';
import { copyText, engineCpus, engineMemoryMb, onOff, runsByEngine, runsByMetadata, runsByVdsm } from './rows.ts';
import { slotDifferences } from './slot-differences.ts';
import { isStale, type CopyWord, type Sources } from './sources.ts';

/** Two copies, so that one stays valid while the other is written. */
const COPIES = 2;
const MANAGED = 6;

function difference(
  kind: DifferenceKind,
  subject: string,
  says: readonly string[],
  more: Pick<Difference, 'since' | 'target'> = {},
): Difference {
  return { kind, subject, says, ...more };
}

function placeDifferences(sources: Sources): Difference[] {
  const { hosts } = sources;
  const byVdsm = runsByVdsm(sources);
  const byEngine = runsByEngine(sources);
  const byMetadata = runsByMetadata(sources);
  const says = [
    `engine: ${typeof sources.engine === 'string' ? 'does not answer' : (byEngine ?? 'no host')}`,
    `VDSM: ${byVdsm.join(', ') || 'no host'}`,
    `HA metadata: ${byMetadata.join(', ') || 'no host'}`,
  ];
  // While it moves, source and destination both have it.
  const moving = hosts.some(({ vmStatus }) => vmStatus?.startsWith('Migration') === true);
  if (byVdsm.length > 1 && !moving) return [difference('engine-vm-on-several-hosts', '', says)];
  // A silent host may be the one that runs it: then VDSM's word is not whole.
  const whole = hosts.every((host) => host.silent === undefined) || byVdsm.length > 0;
  const words = [
    ...(typeof sources.engine === 'string' ? [] : [byEngine ?? '']),
    ...(whole ? [byVdsm.join()] : []),
    byMetadata.join(),
  ];
  return new Set(words).size > 1 && !moving ? [difference('engine-vm-host', '', says)] : [];
}

/** As coarse as the sources' words have in common. */
function coarse(status: string): string {
  const word = status.toLowerCase().replaceAll('_', ' ');
  if (word === 'down') return 'down';
  if (word === 'paused') return 'paused';
  return word === 'unknown' || word === 'not responding' ? 'unknown' : 'runs';
}

function statusDifferences(sources: Sources): Difference[] {
  const { engine, hosts } = sources;
  const status = typeof engine === 'string' ? undefined : engine.vm?.status;
  const there = hosts.flatMap(({ vmStatus }) => (vmStatus === undefined ? [] : [vmStatus]));
  if (status === undefined || hosts.some((host) => host.silent !== undefined)) return [];
  const byVdsm = there[0] ?? 'Down';
  if (coarse(status) === coarse(byVdsm)) return [];
  return [difference('engine-vm-status', '', [`engine: ${status}`, `VDSM: ${byVdsm}`])];
}

function flagDifferences({ engine, hosts, globalMaintenance }: Sources): Difference[] {
  const engineSays =
    typeof engine === 'string' ? [] : engine.hosts.filter((host) => !isStale(host) && host.hostedEngine !== undefined);
  const wrong = [
    ...engineSays.flatMap(({ name, hostedEngine }) =>
      hostedEngine !== undefined && hostedEngine.globalMaintenance !== globalMaintenance
        ? [`engine: ${onOff(hostedEngine.globalMaintenance)} on ${name}`]
        : [],
    ),
    ...hosts.flatMap((host) =>
      host.active && host.globalMaintenance !== globalMaintenance
        ? [`VDSM: ${onOff(host.globalMaintenance)} on ${host.name}`]
        : [],
    ),
  ];
  const metadata = `HA metadata: ${onOff(globalMaintenance)}`;
  return [
    ...(wrong.length === 0 ? [] : [difference('global-maintenance', '', [metadata, ...wrong])]),
    ...(globalMaintenance ? [difference('global-maintenance-on', '', [metadata])] : []),
  ];
}

function domainDifferences({ engine, hosts }: Sources): Difference[] {
  const known = typeof engine === 'string' ? undefined : (engine.domain?.status ?? 'does not know it');
  const bad = hosts.filter((host) => host.silent === undefined && host.configured && host.domainValid !== true);
  if ((known === undefined || known === 'active') && bad.length === 0) return [];
  const says = [
    `engine: ${known ?? 'does not answer'}`,
    ...bad.map((host) => `VDSM: ${host.domainValid === false ? 'not valid' : 'not monitored'} on ${host.name}`),
  ];
  return [difference('domain-status', '', says)];
}

function identityDifferences({ engine, storage }: Sources): Difference[] {
  if (typeof engine === 'string') return [];
  const { vm } = engine;
  const ovfs = storage.copies.flatMap(({ volume, ovf }) =>
    ovf === undefined ? [] : [{ volume: volume.slice(0, 8), ovf }],
  );
  const managed = vm?.origin === 'managed_hosted_engine';
  const otherOrigin = ovfs.filter(({ ovf }) => ovf.origin !== undefined && ovf.origin !== MANAGED);
  const origin = [
    `engine: ${vm?.origin ?? 'does not know the VM'}`,
    ...otherOrigin.map(({ volume, ovf }) => `OVF_STORE ${volume}: ${ovf.origin}`),
  ];
  const open = ovfs.filter(({ ovf }) => !ovf.deleteProtected);
  const protection = [
    `engine: ${onOff(vm?.deleteProtected ?? false)}`,
    ...open.map(({ volume }) => `OVF_STORE ${volume}: off`),
  ];
  return [
    ...(managed && otherOrigin.length === 0 ? [] : [difference('origin', '', origin)]),
    ...(managed && (!vm.deleteProtected || open.length > 0) ? [difference('delete-protection', '', protection)] : []),
  ];
}

function isCurrent(sources: Sources, { ovf }: CopyWord): boolean {
  if (ovf === undefined) return false;
  const [memory, cpus] = [engineMemoryMb(sources), engineCpus(sources)];
  return (memory === undefined || memory === ovf.memoryMb) && (cpus === undefined || cpus === ovf.vcpus);
}

function copyDifferences(sources: Sources): Difference[] {
  const { engine, storage } = sources;
  const managed = typeof engine !== 'string' && engine.vm?.origin === 'managed_hosted_engine';
  const word =
    typeof engine === 'string'
      ? 'engine: does not answer'
      : `engine: ${engineMemoryMb(sources) ?? '?'} MiB, ${engineCpus(sources) ?? '?'} CPUs`;
  const stale = storage.copies.filter((copy) => !isCurrent(sources, copy));
  // An engine that does not manage its VM yet has nothing to write there.
  const missing = storage.copies.length < COPIES && managed;
  return [
    ...(missing ? [difference('ovf-store-missing', '', [`storage: ${storage.copies.length} copies`])] : []),
    ...stale.map((copy) =>
      difference('ovf-store-stale', `copy ${copy.volume.slice(0, 8)}`, [`OVF_STORE: ${copyText(copy)}`, word], {
        ...(copy.lastUpdated === undefined ? {} : { since: copy.lastUpdated }),
        ...(managed ? { target: { kind: 'ovf-store-stale' } } : {}),
      }),
    ),
  ];
}

export function findDifferences(sources: Sources): Difference[] {
  const silent = sources.hosts.filter((host) => host.silent !== undefined);
  return [
    ...(typeof sources.engine === 'string'
      ? [difference('engine-unreachable', '', [`engine: ${sources.engine}`])]
      : []),
    ...silent.map((host) => difference('host-unreachable', host.name, [`VDSM: ${host.silent ?? ''}`])),
    ...placeDifferences(sources),
    ...statusDifferences(sources),
    ...flagDifferences(sources),
    ...domainDifferences(sources),
    ...identityDifferences(sources),
    ...copyDifferences(sources),
    ...hostDifferences(sources),
    ...slotDifferences(sources),
  ];
}
