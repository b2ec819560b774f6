/** The HA metadata, judged from a look. Pure. */
import type { ClusterLook, Finding, SlotLook } from '../../../workflows/model/look.ts';
import { bad, ok, type Topic } from './finding.ts';

const topic = (check: string, why: string): Topic => ({ area: 'ha metadata', check, why });

function all(look: ClusterLook): SlotLook[] {
  return [...look.hosts.flatMap(({ slot }) => slot ?? []), ...look.strangers];
}

function timeouts(slots: readonly SlotLook[]): Finding {
  const about = topic(
    'sanlock and watchdog time-outs',
    'where they differ, the lease protects nobody, and our workers start nothing',
  );
  const told = slots.flatMap(({ hostname, sanlock, lives }) =>
    sanlock === undefined || lives === false ? [] : [`${hostname}: ${sanlock.ioSeconds}/${sanlock.watchdogSeconds} s`],
  );
  const kinds = new Set(told.map((text) => text.split(': ')[1]));
  if (kinds.size > 1)
    return bad(
      'failed',
      about,
      told.join(', '),
      'Set the same time-outs on every host (sanlock.conf), then restart sanlock there.',
    );
  return ok(
    about,
    told.length === 0
      ? 'no host announces them (the reference’s agents do not)'
      : `equal where announced: ${told.join(', ')}`,
  );
}

function slotsReadable({ faultySlots }: ClusterLook): Finding {
  const about = topic('slots', 'one unreadable slot ends every agent of the reference’s kind');
  if (faultySlots.length === 0) return ok(about, 'all that are in use can be read');
  const seen = faultySlots.map(({ id, why }) => `slot ${id}: ${why}`).join('; ');
  const clean = `hosted-engine --clean-metadata --force-cleanup --host-id=${faultySlots[0]?.id ?? 1}`;
  return bad(
    'failed',
    about,
    seen,
    `A living host repairs its own. For one that is gone, in global maintenance: ${clean}`,
  );
}

function names(slots: readonly SlotLook[]): Finding {
  const about = topic(
    'host names in the slots',
    'a host with two slots has come back with another id, or two hosts claim one name',
  );
  const twice = slots.filter(({ hostname }) => slots.filter((one) => one.hostname === hostname).length > 1);
  if (twice.length === 0) return ok(about, 'each name once');
  const seen = twice.map(({ hostname, id }) => `${hostname} in slot ${id}`).join(', ');
  return bad('warning', about, seen, 'bellwether reconcile shows which of them lives, and cleans the other.');
}

function stale({ hosts, strangers }: ClusterLook): Finding {
  const about = topic('silent slots', 'a host that should guard the engine and does not');
  const silent = [...hosts.flatMap(({ slot }) => slot ?? []), ...strangers].filter((slot) => slot.lives === false);
  if (silent.length === 0) return ok(about, 'none is known to be silent');
  const seen = silent
    .map(({ id, hostname, stopped, heardSeconds }) => {
      const how = stopped ? 'stopped' : heardSeconds === null ? 'not seen to change' : `silent for ${heardSeconds} s`;
      return `${hostname} (slot ${id}): ${how}`;
    })
    .join('; ');
  return bad(
    'warning',
    about,
    seen,
    'Start the HA services there; remove a host that is gone for good (bellwether host remove).',
  );
}

export function metadataChecks(look: ClusterLook): Finding[] {
  const about = topic('reading', 'it is how hosts know of each other');
  const missing = look.missing.find(({ what }) => what === 'HA metadata');
  if (look.metadataAgeSeconds === null || missing !== undefined)
    return [bad('failed', about, missing?.why ?? 'never read', missing?.remedy ?? 'See the findings about storage.')];
  return [slotsReadable(look), names(all(look)), stale(look), timeouts(all(look))];
}
