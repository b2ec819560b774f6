/** The running worker's view in the shape of `hosted-engine --vm-status --json` (ha-agent.md 6). Pure. */
import {
  extraFields,
  extraText,
  formatGlobalBlock,
  formatHostBlock,
  parseHostBlock,
} from '../../../activities/storage/whiteboard.ts';
import { slotOf } from '../announce.ts';
import { compatStatus } from '../cli/compat.ts';
import type { PeerReport } from '../core/types.ts';
import type { Snapshot } from '../snapshot.ts';
import type { BlockFields } from './status.ts';
import { lives, peersOf, viewOf } from './view.ts';

/** Slots as they lie on the board, by host id. */
export type Slots = ReadonlyMap<number, Buffer>;

/** What stands in a block's bytes and nowhere else; slots that cannot be read are left out. */
export function blockFieldsOf(slots: Slots): BlockFields {
  const fields = new Map<number, { state: string; detail: string; reason?: string }>();
  for (const [id, bytes] of slots) {
    const reading = parseHostBlock(bytes);
    if (reading.kind !== 'host') continue;
    const { detail, reason } = reading.block.engineStatus;
    const state = extraFields(reading.block.extra).get('state') ?? 'unknown';
    fields.set(id, { state, detail, ...(reason === undefined ? {} : { reason }) });
  }
  return fields;
}

/** A block that says what is known of a host whose bytes are not at hand. */
function rebuilt(report: PeerReport, at: Date): Buffer | undefined {
  const common = { hostTs: report.ts, hostId: report.id, score: report.score, localConfTimestamp: 0 };
  const state = { maintenance: report.maintenance, stopped: report.stopped };
  const block = formatHostBlock({
    ...common,
    engineStatus: { vm: report.vm, health: report.health, detail: 'unknown' },
    hostname: report.hostname,
    localMaintenance: report.maintenance,
    stopped: report.stopped,
    confOnSharedStorage: true,
    extra: extraText({ ...common, at, confRefreshedAt: at, confOnSharedStorage: true, state }),
  });
  return block.ok ? block.bytes : undefined;
}

/**
 * One line of JSON with Python's blanks. `live-data` is our own proof of life: a host's slot changes, by this host's clock.
 *
 * `slots` makes it exact (crc32, extra, conf stamps); what is missing there is built from what the worker knows. `wallMs`
 * is only shown, as in the reference's own block.
 */
export function explainCompat(snapshot: Snapshot, wallMs: number, slots: Slots = new Map()): string {
  const v = viewOf(snapshot);
  const global = formatGlobalBlock(v?.m.global ?? false);
  if (v === undefined) return compatStatus({ source: '', global, slots: new Map() });
  const { hostId } = v.o.settings;
  const own = slotOf(v.o, v.decision, {
    hostname: snapshot.hostname,
    wallMs: wallMs - (v.now - v.o.nowMs),
    stopped: false,
    confMs: snapshot.startedMs,
    cannotRun: v.s.cannotRun,
  });
  const blocks = new Map<number, Buffer>();
  if (own.ok) blocks.set(hostId, own.bytes);
  const live = new Set([hostId]);
  for (const peer of peersOf(v)) {
    const { id } = peer.report;
    const bytes = slots.get(id) ?? rebuilt(peer.report, new Date(wallMs - (v.now - peer.changedMs)));
    if (bytes !== undefined) blocks.set(id, bytes);
    if (lives(v, peer)) live.add(id);
  }
  return compatStatus({ source: '', global, slots: blocks }, live);
}
