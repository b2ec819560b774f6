/** The same board in the shape of `hosted-engine --vm-status --json` (ha-agent.md 6), for scripts that read that. Pure. */
import { parseGlobalBlock, parseHostBlock } from '../../../activities/storage/whiteboard.ts';
import type { RawBoard } from './board-report.ts';

type Json = string | number | boolean | { readonly [key: string]: Json };

/** JSON with Python's blanks and escapes: scripts grep it for `"vm": "up"` (ha-agent.md 15). */
export function pythonJson(value: Json): string {
  if (typeof value === 'string')
    return JSON.stringify(value).replace(
      /[\u007f-\uffff]/g,
      (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`,
    );
  if (typeof value !== 'object') return String(value);
  const members = Object.entries(value).map(([key, each]) => `${pythonJson(key)}: ${pythonJson(each)}`);
  return `{${members.join(', ')}}`;
}

function hostOf(id: number, bytes: Buffer, live: boolean): Json | undefined {
  const reading = parseHostBlock(bytes);
  if (reading.kind !== 'host') return undefined;
  const { block } = reading;
  const { vm, health, detail, reason } = block.engineStatus;
  // The field is proven right by now; blocks of very old agents have none.
  const crc32 = bytes.toString('utf8', 0, 512).split('|')[9];
  return {
    'host-id': id,
    'host-ts': block.hostTs,
    score: block.score,
    'engine-status': { vm, health, detail, ...(reason === undefined ? {} : { reason }) },
    hostname: block.hostname,
    maintenance: block.localMaintenance,
    stopped: block.stopped,
    ...(crc32 === undefined ? {} : { crc32: crc32.slice(0, 8) }),
    ...(block.confOnSharedStorage === undefined ? {} : { conf_on_shared_storage: block.confOnSharedStorage }),
    ...(block.localConfTimestamp === undefined ? {} : { local_conf_timestamp: block.localConfTimestamp }),
    ...(block.extra === '' ? {} : { extra: block.extra }),
    'live-data': live,
  };
}

/**
 * Unreadable slots are left out, as the reference does. A flag that was never set counts as off.
 *
 * `live`: hosts that were seen to live. Without: nobody, as one reading can't tell life from death, and taking a host for
 * alive is the worse mistake.
 */
export function compatStatus(board: RawBoard, live: ReadonlySet<number> = new Set()): string {
  const hosts: Record<string, Json> = {};
  for (const [id, bytes] of [...board.slots].toSorted(([a], [b]) => a - b)) {
    const host = id === 0 ? undefined : hostOf(id, bytes, live.has(id));
    if (host !== undefined) hosts[String(id)] = host;
  }
  return pythonJson({ ...hosts, global_maintenance: parseGlobalBlock(board.global).maintenance ?? false });
}
