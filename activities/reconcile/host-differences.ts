/** Differences about one host. Pure. */
import type { Difference } from '../../workflows/model/reconcile.ts';
import type { Host } from '../engine/types.ts';
import { onOff, yesNo } from './rows.ts';
import { engineHost, isStale, knownHosts, slotOfHost, type HostWord, type Sources } from './sources.ts';

/** Load and memory move a score from one look to the next; half of what makes agents move the VM does not. */
const SCORE_NOISE = 400;

interface Words {
  readonly name: string;
  /** Undefined: the engine does not know it, or does not answer. */
  readonly told: Host | undefined;
  /** Undefined: VDSM is silent, or not configured here. */
  readonly own: HostWord | undefined;
  readonly slot: ReturnType<typeof slotOfHost>;
}

function deployed({ name, told, own, slot }: Words): Difference[] {
  const says = [
    ...(told === undefined || isStale(told)
      ? []
      : [{ source: 'engine', flag: told.hostedEngine?.configured ?? false }]),
    ...(own === undefined ? [] : [{ source: 'VDSM', flag: own.configured }]),
    // A slot stays behind after an undeployment: only its absence is a word about the deployment.
    ...(slot === undefined ? [{ source: 'HA metadata', flag: false }] : []),
  ];
  if (new Set(says.map(({ flag }) => flag)).size < 2) return [];
  return [{ kind: 'host-deployed', subject: name, says: says.map(({ source, flag }) => `${source}: ${yesNo(flag)}`) }];
}

function agent({ name, own }: Words): Difference[] {
  if (own?.configured !== true || own.active) return [];
  return [{ kind: 'agent-not-active', subject: name, says: ['VDSM: configured, not active'] }];
}

/** The engine's status is what people asked for; the flag is what the agents go by (engine.md 11.3). */
function localMaintenance({ name, told, own }: Words): Difference[] {
  if (told === undefined || own?.configured !== true) return [];
  const wanted = told.status === 'maintenance' ? true : told.status === 'up' ? false : undefined;
  if (wanted === undefined || wanted === own.localMaintenance) return [];
  const says = [`engine: ${told.status}`, `VDSM: local maintenance ${onOff(own.localMaintenance)}`];
  // An agent in local maintenance would not look after the VM that runs beside it.
  const unsafe = wanted && own.vmStatus !== undefined;
  return [
    {
      kind: 'local-maintenance',
      subject: name,
      says: unsafe ? [...says, 'VDSM: the engine VM runs there'] : says,
      ...(unsafe ? {} : { target: { kind: 'local-maintenance', host: name, wanted } }),
    },
  ];
}

function score({ name, told, own, slot }: Words): Difference[] {
  const scores = [
    ...(told?.hostedEngine === undefined || isStale(told)
      ? []
      : [{ source: 'engine', value: told.hostedEngine.score }]),
    ...(own?.active !== true ? [] : [{ source: 'VDSM', value: own.score }]),
    ...(slot === undefined || own?.active !== true ? [] : [{ source: 'HA metadata', value: slot.block.score }]),
  ];
  const values = scores.map(({ value }) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const apart = values.length > 1 && (high - low > SCORE_NOISE || (low === 0) !== (high === 0));
  return apart
    ? [{ kind: 'score', subject: name, says: scores.map(({ source, value }) => `${source}: ${value}`) }]
    : [];
}

function hostId({ name, told, own, slot }: Words, { engine, storage }: Sources): Difference[] {
  if (slot === undefined) return [];
  const given = typeof engine === 'string' || told === undefined ? undefined : engine.hostIds.get(told.id);
  const byEngine = given === undefined || given === slot.id ? [] : [`engine: id ${given}`];
  const inside = slot.block.hostId === slot.id ? [] : [`slot says: id ${slot.block.hostId}`];
  const pool = own?.spmId === undefined || own.spmId === slot.id ? [] : [`VDSM: ${own.spmId} in the storage pool`];
  const runs = own?.vmStatus === 'Up' && storage.leaseOwners.length === 1;
  const lease =
    runs && storage.leaseOwners[0] !== slot.id ? [`storage: lease held by id ${storage.leaseOwners[0]}`] : [];
  const wrong = [...byEngine, ...inside, ...pool, ...lease];
  return wrong.length === 0
    ? []
    : [{ kind: 'host-id', subject: name, says: [`HA metadata: slot ${slot.id}`, ...wrong] }];
}

export function hostDifferences(sources: Sources): Difference[] {
  return knownHosts(sources).flatMap((host) => {
    const own = sources.hosts.find((one) => one.name === host.name && one.silent === undefined);
    const words = {
      name: host.name,
      told: engineHost(sources.engine, host.name),
      own,
      slot: slotOfHost(sources, host),
    };
    return [
      ...deployed(words),
      ...agent(words),
      ...localMaintenance(words),
      ...score(words),
      ...hostId(words, sources),
    ];
  });
}
