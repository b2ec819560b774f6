/** Each host as all sources together show it. Pure. */
import type { HostLook, SlotLook } from '../../workflows/model/look.ts';
import type { Host } from '../engine/types.ts';
import { isSlotOf, isStale } from '../reconcile/sources.ts';
import { parseAnnouncement } from '../storage/announcement.ts';
import { guessPenalties, whyNot } from '../storage/score-words.ts';
import type { HostWord } from './ask-hosts.ts';
import { cut } from './attempt.ts';
import type { ReadSlot } from './slots.ts';
import { summaryLine } from './summary-line.ts';

export interface HostSources {
  readonly name: string;
  readonly address: string;
  readonly word?: HostWord;
  readonly told?: Host;
  readonly slot?: ReadSlot;
}

/** Hosts that configuration or engine know, each with its slot. */
export function joinSources(
  words: readonly HostWord[],
  told: readonly Host[],
  slots: readonly ReadSlot[],
): HostSources[] {
  const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();
  const strangers = told.filter((host) => !words.some((word) => same(word.name, host.name)));
  const named = [
    ...words.map((word) => ({ name: word.name, address: word.address, word })),
    ...strangers.map(({ name, address }) => ({ name, address })),
  ];
  return named.map((host) => {
    const own = slots.filter(({ look }) => isSlotOf(look.hostname, host));
    const slot =
      own.findLast(({ look }) => look.lives === true) ?? own.findLast(({ look }) => !look.stopped) ?? own.at(-1);
    const engine = told.find((one) => same(one.name, host.name));
    return { ...host, ...(engine === undefined ? {} : { told: engine }), ...(slot === undefined ? {} : { slot }) };
  });
}

/** VDSM first: it asks the host's agent now. The slot speaks for a host whose VDSM or HA services are silent. */
function haOf({ word, told, slot }: HostSources): HostLook['ha'] {
  const byVdsm = word?.said?.ha;
  if (byVdsm?.configured === true) return { ...byVdsm, source: 'vdsm' };
  const byEngine = told?.hostedEngine;
  if (slot !== undefined && !slot.look.stopped) {
    const { lives, score, localMaintenance, state } = slot.look;
    const believed = lives ?? (told !== undefined && !isStale(told) && byEngine?.active === true);
    const active = word?.said === undefined && believed;
    const globalMaintenance = state === 'GlobalMaintenance';
    return { configured: true, active, score, localMaintenance, globalMaintenance, source: 'ha-metadata' };
  }
  if (byVdsm !== undefined) return { ...byVdsm, source: 'vdsm' };
  if (byEngine !== undefined) return { ...byEngine, source: 'engine' };
  return undefined;
}

function silence(slot: SlotLook): string {
  return slot.heardSeconds === null
    ? 'its slot has not changed since it is watched'
    : `silent for ${slot.heardSeconds} s`;
}

/** Why it could not start the engine VM now; empty when it could. */
function hindrance(host: HostSources, ha: HostLook['ha'], neededMiB: number | undefined): string {
  const { word, slot } = host;
  if (word !== undefined && word.said === undefined) return 'its VDSM does not answer';
  if (ha?.configured !== true) return 'hosted engine is not deployed there';
  if (slot === undefined) return 'it has no slot in the HA metadata';
  if (slot.look.stopped) return 'its worker was stopped';
  if (slot.look.lives === false) return silence(slot.look);
  if (!ha.active) return 'its HA agent is not active';
  const { score, localMaintenance: maintenance, stopped } = slot.look;
  const why = whyNot({ score, maintenance, stopped, said: parseAnnouncement(slot.block.extra) });
  if (why !== '') return why;
  const free = word?.said?.freeMiB;
  if (free === undefined || neededMiB === undefined || free >= neededMiB) return '';
  return `${free} MiB of memory are free, the engine VM needs ${neededMiB}`;
}

/** Only where the block itself has reasons: our kind announces them, the reference's says its state. */
function scoreReasons(slot: ReadSlot | undefined): string[] {
  if (slot === undefined || slot.look.score >= 3400) return [];
  const { score, localMaintenance: maintenance, stopped } = slot.look;
  const said = parseAnnouncement(slot.block.extra);
  const { penalties, zeroBecause } = guessPenalties({ score, maintenance, stopped, said });
  if (zeroBecause !== null) return [cut(zeroBecause)];
  return penalties.map(({ name, points, why }) => cut(`${name} -${points}: ${why}`));
}

/** @param vmId of the engine VM @param neededMiB its memory */
export function hostLook(host: HostSources, vmId: string | undefined, neededMiB: number | undefined): HostLook {
  const { name, address, word, told, slot } = host;
  const ha = haOf(host);
  const summary = ha === undefined ? undefined : summaryLine(ha);
  const vm = word?.said?.vms.find((one) => one.vmId === vmId)?.status;
  const { freeMiB } = word?.said ?? {};
  const why = word?.missing?.why;
  return {
    name,
    address,
    ...(told === undefined
      ? {}
      : {
          engine: {
            status: told.status,
            ...(told.statusDetail === undefined ? {} : { detail: cut(told.statusDetail) }),
            stale: isStale(told),
          },
        }),
    ...(word === undefined
      ? {}
      : { vdsm: { answers: word.said !== undefined, ...(why === undefined ? {} : { why }) } }),
    ...(freeMiB === undefined ? {} : { freeMiB }),
    ...(ha === undefined ? {} : { ha }),
    ...(summary === undefined ? {} : { summary }),
    agent: slot?.look.writtenBy ?? 'unknown',
    ...(slot === undefined ? {} : { slot: slot.look }),
    scoreReasons: scoreReasons(slot),
    ...(vm === undefined ? {} : { engineVm: vm }),
    cannotRun: vm === undefined ? hindrance(host, ha, neededMiB) : '',
  };
}
