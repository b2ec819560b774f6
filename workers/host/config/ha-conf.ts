/**
 * ha.conf: local maintenance of this host, which VDSM and the hosted-engine tool write too (ha-agent.md 2.6, 5.2).
 *
 * `local_maintenance` is set by the engine with its own maintenance and cleared by activation; a person's
 * `local_maintenance_manual` survives that.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  formatHostedEngineConf,
  parseHostedEngineConf,
  confValue,
  withConfValue,
} from '../../../activities/storage/hosted-engine-conf.ts';

const KEYS = { engine: 'local_maintenance', manual: 'local_maintenance_manual' } as const;

export interface LocalMaintenance {
  readonly on: boolean;
  readonly manual: boolean;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    // A host that was never in maintenance has none.
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

const isTrue = (value: string | undefined) => value?.toLowerCase() === 'true';

/** @throws what the system says when the file is there and can't be read */
export function readLocalMaintenance(file: string): LocalMaintenance {
  const conf = parseHostedEngineConf(read(file));
  const manual = isTrue(confValue(conf, KEYS.manual));
  return { on: manual || isTrue(confValue(conf, KEYS.engine)), manual };
}

/** As the tool does: on sets both, off clears both. Whole or not at all. @throws what the system says */
export function writeLocalMaintenance(file: string, on: boolean): void {
  const value = on ? 'True' : 'False';
  const conf = parseHostedEngineConf(read(file));
  const text = formatHostedEngineConf(withConfValue(withConfValue(conf, KEYS.engine, value), KEYS.manual, value));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.new`, text, { mode: 0o644 });
  renameSync(`${file}.new`, file);
}
