/** Slots of the HA metadata that belong to nobody, or can't be read. Pure. */
import type { Difference } from '../../workflows/model/reconcile.ts';
import { extraFields, type HostBlock } from '../storage/whiteboard.ts';
import { isSlotOf, knownHosts, slotOfHost, type SlotWord, type Sources } from './sources.ts';

/** The writer's own words: `timestamp=5021 (Wed Jul  1 11:43:07 2020)`. */
function lastWritten(block: HostBlock): string | undefined {
  return /\(([^)]{1,40})\)/.exec(extraFields(block.extra).get('timestamp') ?? '')?.[1];
}

/** Why the slot's host needs it no more; undefined: it does. */
function reasonToGo(sources: Sources, id: number, block: HostBlock): string | undefined {
  const { engine, hosts } = sources;
  const host = knownHosts(sources).find((one) => isSlotOf(block.hostname, one));
  if (host !== undefined) {
    const own = hosts.find((one) => one.name === host.name);
    if (own !== undefined && own.silent === undefined && !own.configured)
      return `VDSM: hosted engine is not deployed on ${host.name}`;
    const counts = slotOfHost(sources, host)?.id;
    return counts === undefined || counts === id ? undefined : `HA metadata: ${host.name} uses slot ${counts} now`;
  }
  if (typeof engine === 'string') return 'the configuration lists no such host';
  // A host of another cluster has no business here either, but a person must look at it.
  const elsewhere = engine.knownHosts.some((one) => isSlotOf(block.hostname, one));
  return elsewhere ? 'engine: a host of another cluster' : 'engine: knows no such host';
}

function ofSlot(sources: Sources, { id, reading, live }: SlotWord): Difference[] {
  const subject = `slot ${id}`;
  if (reading.kind !== 'host') {
    const why = reading.kind === 'bad' ? reading.why : reading.kind;
    return [{ kind: 'slot-unreadable', subject, says: [`HA metadata: ${why}`] }];
  }
  const { block } = reading;
  const reason = reasonToGo(sources, id, block);
  if (reason === undefined || live === undefined) return [];
  const state = live ? 'lives' : block.stopped ? 'stopped cleanly' : 'silent';
  const says = [`HA metadata: ${block.hostname}, ${state}`, reason];
  const at = lastWritten(block);
  const since = at === undefined ? {} : { since: at };
  if (live) return [{ kind: 'slot-writer-unknown', subject, says, ...since }];
  // Without the engine nobody can say that a host is gone; elsewhere somebody may start it again.
  const certain = typeof sources.engine !== 'string' && !reason.startsWith('engine: a host of');
  const target = certain ? { target: { kind: 'slot-left-over', slot: id } as const } : {};
  return [{ kind: 'slot-left-over', subject, says, ...since, ...target }];
}

export function slotDifferences(sources: Sources): Difference[] {
  return sources.slots.flatMap((slot) => ofSlot(sources, slot));
}
