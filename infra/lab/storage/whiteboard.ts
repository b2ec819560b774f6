/** Blocks of the HA metadata volume (ha-agent.md 1.2 to 1.5). Pure. */
import { crc32 } from 'node:zlib';

export const BLOCK_BYTES = 4096;
const MACHINE_BYTES = 512;

export interface EngineStatus {
  readonly vm: string;
  readonly health: string;
  readonly detail: string;
  /** Left out when the engine is healthy. */
  readonly reason?: string;
}

export interface HostBlock {
  /** Seconds of the writer's monotonic clock. */
  readonly timestamp: number;
  readonly hostId: number;
  readonly score: number;
  readonly engineStatus: EngineStatus;
  readonly hostname: string;
  readonly localMaintenance: boolean;
  readonly stopped: boolean;
  readonly confTimestamp: number;
  /** Name of the state machine's state; only in the human part. */
  readonly state: string;
}

/** JSON with the blanks Python puts in: `hosted-engine` greps for `"vm": "up"` (ha-agent.md 15). */
function pythonJson(status: EngineStatus): string {
  const pairs = Object.entries(status).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`);
  return `{${pairs.join(', ')}}`;
}

function ctime(date: Date): string {
  const text = date.toUTCString(); // Wed, 01 Jul 2020 11:43:07 GMT
  const [weekday = '', day = '', month = '', year = '', time = ''] = text.replace(',', '').split(' ');
  return `${weekday} ${month} ${String(Number(day)).padStart(2, ' ')} ${time} ${year}`;
}

const python = (flag: boolean) => (flag ? 'True' : 'False');

/** The 4096 bytes of a host's slot. `date` is only for readers of the human part. */
export function formatHostBlock(block: HostBlock, date: Date): Buffer {
  const tokens = [
    '1',
    '1',
    String(block.timestamp),
    String(block.hostId),
    String(block.score),
    pythonJson(block.engineStatus),
    block.hostname,
    block.localMaintenance ? '1' : '0',
    block.stopped ? '1' : '0',
    '00000000',
    '1',
    String(block.confTimestamp),
  ];
  tokens[9] = crc32(tokens.join('|')).toString(16).padStart(8, '0');
  const human = [
    'metadata_parse_version=1',
    'metadata_feature_version=1',
    `timestamp=${block.timestamp} (${ctime(date)})`,
    `host-id=${block.hostId}`,
    `score=${block.score}`,
    `vm_conf_refresh_time=${block.confTimestamp} (${ctime(date)})`,
    'conf_on_shared_storage=True',
    `maintenance=${python(block.localMaintenance)}`,
    `state=${block.state}`,
    `stopped=${python(block.stopped)}`,
  ];
  const bytes = Buffer.alloc(BLOCK_BYTES);
  bytes.write(tokens.join('|'), 0, MACHINE_BYTES, 'utf8');
  bytes.write(`${human.join('\n')}\n`, MACHINE_BYTES, 'utf8');
  return bytes;
}

/** Undefined when the slot is empty, cut short or its checksum is wrong. */
export function parseHostBlock(bytes: Buffer): HostBlock | undefined {
  if (bytes.length < BLOCK_BYTES || bytes[0] === 0) return undefined;
  const machine = bytes.toString('utf8', 0, MACHINE_BYTES).replace(/\0+$/, '');
  const tokens = machine.split('|');
  if (tokens.length < 12) return undefined;
  const crc = tokens[9];
  tokens[9] = '00000000';
  if (crc32(tokens.join('|')).toString(16).padStart(8, '0') !== crc) return undefined;
  const human = bytes.toString('utf8', MACHINE_BYTES).replace(/\0+$/, '');
  const status = JSON.parse(tokens[5] ?? '{}') as Partial<EngineStatus>;
  return {
    timestamp: Number(tokens[2]),
    hostId: Number(tokens[3]),
    score: Number(tokens[4]),
    engineStatus: {
      vm: status.vm ?? '',
      health: status.health ?? '',
      detail: status.detail ?? '',
      ...(status.reason === undefined ? {} : { reason: status.reason }),
    },
    hostname: tokens[6] ?? '',
    localMaintenance: tokens[7] === '1',
    stopped: tokens[8] === '1',
    confTimestamp: Number(tokens[11]),
    state: /^state=(.*)$/m.exec(human)?.[1] ?? '',
  };
}

/** Block 0. */
export function formatGlobalBlock(maintenance: boolean): Buffer {
  const bytes = Buffer.alloc(BLOCK_BYTES);
  bytes.write(`maintenance=${maintenance ? 1 : 0}`, 'utf8');
  return bytes;
}

/** True when block 0 says that global maintenance is on; an empty block says it is off. */
export function parseGlobalBlock(bytes: Buffer): boolean {
  const value = /^maintenance=(.*)$/m.exec(bytes.toString('utf8').replace(/\0+$/, ''))?.[1] ?? '0';
  return /^[ty1]/i.test(value);
}
