/** What a metadata file says of all hosts, in plain data: the form of `status --json`. Pure. */
import {
  BLOCK_BYTES,
  extraFields,
  HOST_ID_MAX,
  parseGlobalBlock,
  parseHostBlock,
  type EngineStatus,
  type SlotFault,
} from '../../../activities/storage/whiteboard.ts';
import { parseAnnouncement, type Announcement } from '../../../activities/storage/announcement.ts';

export interface HostReport {
  readonly id: number;
  readonly hostname: string;
  /** The state machine's state; `unknown` where the writer did not say. */
  readonly state: string;
  /** 0 to 3400. */
  readonly score: number;
  readonly engine: EngineStatus;
  readonly localMaintenance: boolean;
  /** The agent ended cleanly. */
  readonly stopped: boolean;
  /** Seconds of its own clock. Whether the host lives shows only in a second reading, so its age is not known. */
  readonly hostTs: number;
  readonly heartbeatAgeSeconds: null;
  /** Who writes it. What our kind says of itself is in `announcement`. */
  readonly agent: 'bellwether' | 'reference';
  readonly announcement?: Announcement;
  /** The human part, `key=value`. */
  readonly extra: Readonly<Record<string, string>>;
}

export interface FaultyReport {
  readonly id: number;
  readonly fault: SlotFault | 'too-new' | 'too-old';
  readonly why: string;
}

export interface BoardReport {
  readonly source: string;
  readonly globalMaintenance: {
    /** null: never set, or not readable (then `fault` says why). */
    readonly on: boolean | null;
    readonly fault?: string;
  };
  readonly hosts: readonly HostReport[];
  readonly faulty: readonly FaultyReport[];
}

/** Slots as they lie there, by host id. */
export interface RawBoard {
  readonly source: string;
  readonly global: Buffer;
  readonly slots: ReadonlyMap<number, Buffer>;
}

function slotReport(id: number, bytes: Buffer): HostReport | FaultyReport | undefined {
  const reading = parseHostBlock(bytes);
  if (reading.kind === 'empty') return undefined;
  if (reading.kind === 'bad') return { id, fault: reading.fault, why: reading.why };
  if (reading.kind === 'too-new')
    return { id, fault: 'too-new', why: `written by a newer agent (format ${reading.parseVersion})` };
  if (reading.kind === 'too-old')
    return { id, fault: 'too-old', why: `written by an older agent (features ${reading.featureVersion})` };
  const { block } = reading;
  const fields = extraFields(block.extra);
  const announcement = parseAnnouncement(block.extra);
  return {
    id,
    hostname: block.hostname,
    state: fields.get('state') ?? 'unknown',
    score: block.score,
    engine: block.engineStatus,
    localMaintenance: block.localMaintenance,
    stopped: block.stopped,
    hostTs: block.hostTs,
    heartbeatAgeSeconds: null,
    agent: announcement === undefined ? 'reference' : 'bellwether',
    ...(announcement === undefined ? {} : { announcement }),
    extra: Object.fromEntries(fields),
  };
}

/** Every slot by itself: a broken one is named and hides nobody else. Never throws. */
export function reportBoard(board: RawBoard): BoardReport {
  const { maintenance, fault } = parseGlobalBlock(board.global);
  const reports = [...board.slots]
    .filter(([id, bytes]) => id > 0 && id <= HOST_ID_MAX && bytes.length === BLOCK_BYTES)
    .sort(([a], [b]) => a - b)
    .flatMap(([id, bytes]) => slotReport(id, bytes) ?? []);
  return {
    source: board.source,
    globalMaintenance: { on: maintenance ?? null, ...(fault === undefined ? {} : { fault }) },
    hosts: reports.filter((each) => 'score' in each),
    faulty: reports.filter((each) => 'fault' in each),
  };
}
