/** Restoring the configuration volume: the whole archive, or one file of it with the others untouched. */
import type { Backup } from '../archive/read-backup.ts';
import { CounterpartError } from '../errors.ts';
import { sha256 } from '../ids.ts';
import { diffConf } from './conf-diff.ts';
import {
  CONFIGURATION_BYTES,
  CONFIGURATION_MEMBERS,
  readConfigurationArchive,
  withMembers,
} from './configuration-archive.ts';
import { configurationOf, unusable, type Difference, type RestorePlace } from './restore-item.ts';
import { readUpTo, writeVolume } from './volumes.ts';

export type ConfigurationItem = 'configuration-archive' | 'vm.conf' | 'hosted-engine.conf';

const short = (bytes: Buffer) => `${bytes.length} bytes, SHA-256 ${sha256(bytes).slice(0, 12)}`;

/** What lies there now; shorter than an archive, or empty, after a write that broke off. */
export function presentConfiguration({ spm, place, facts, context }: Omit<RestorePlace, 'from'>): Promise<Buffer> {
  return readUpTo(spm, place, facts.domain.configuration, CONFIGURATION_BYTES, context.signal);
}

export async function compareConfiguration(at: RestorePlace, item: ConfigurationItem): Promise<Difference> {
  const then = await configurationOf(at.from, item);
  const bytes = await presentConfiguration(at);
  const now = await readConfigurationArchive(bytes);
  if (!now.ok) {
    if (item !== 'configuration-archive')
      throw unusable(item, `the archive that it lies in can’t be read now (${now.problem}): restore the whole archive`);
    return { lines: [`can’t be read now (${now.problem}); ${short(then.raw)} in the backup`], notes: [] };
  }
  if (item !== 'configuration-archive') return { lines: diffConf(now.members[item], then[item]), notes: [] };
  const lines = CONFIGURATION_MEMBERS.flatMap((name) =>
    diffConf(now.members[name], then[name]).map((line) => `${name}: ${line}`),
  );
  const same = bytes.equals(then.raw);
  return {
    lines: lines.length > 0 || same ? lines : [`same files, other bytes: ${short(bytes)} now, ${short(then.raw)} then`],
    notes: [],
  };
}

function brokenBase(why: string): CounterpartError {
  return new CounterpartError({
    type: 'storage/configuration-volume',
    kind: 'needs-operator',
    subject: 'configuration volume',
    what: 'the file can’t be put into it',
    why,
    remedy: 'Abort, and restore the whole configuration archive.',
  });
}

/** The archive with the backup's file in it. After a write that broke off the base is what was there before. */
async function replaced(
  at: RestorePlace,
  item: Exclude<ConfigurationItem, 'configuration-archive'>,
  present: Buffer,
  before: Backup,
): Promise<Buffer> {
  const readable = (await readConfigurationArchive(present)).ok;
  const base = readable ? present : ((await before.find('configuration.tar')) ?? present);
  const raw = (await configurationOf(at.from, item)).raw;
  const then = await readConfigurationArchive(raw);
  const there = await readConfigurationArchive(base);
  if (!then.ok || !there.ok) throw brokenBase(there.ok ? 'the backup’s archive can’t be read' : there.problem);
  if (there.members[item] === then.members[item]) return base;
  const member = { content: Buffer.from(then.members[item], 'utf8'), writtenAt: then.writtenAt[item] };
  const built = await withMembers(base, new Map([[item, member]]));
  if (!built.ok) throw brokenBase(built.problem);
  return built.bytes;
}

/** Writes the archive unless it is there; the last look before it tells whether somebody else wrote in between. */
async function write(at: Omit<RestorePlace, 'from'>, seen: Buffer, wanted: Buffer): Promise<boolean> {
  const { spm, place, facts, context } = at;
  if (seen.equals(wanted)) return false;
  const changed = !(await presentConfiguration(at)).equals(seen);
  context.waitsFor(`${spm.name} to take the configuration archive (${wanted.length} bytes)`);
  if (!changed) await writeVolume(spm, place, facts.domain.configuration, wanted, context.signal);
  const back = await presentConfiguration(at);
  if (!changed && back.subarray(0, wanted.length).equals(wanted)) return true;
  throw new CounterpartError({
    type: changed ? 'storage/changed-meanwhile' : 'storage/read-back-differs',
    kind: 'retryable',
    subject: 'configuration volume',
    what: changed ? 'somebody else wrote it at the same time' : 'what was read back is not what was written',
    why: `${short(back)} there, ${short(wanted)} wanted`,
    remedy: 'It is looked at again by itself; if it lasts, see who runs hosted-engine --set-shared-config.',
  });
}

/** @returns whether anything had to be written. */
export async function restoreConfigurationItem(
  at: RestorePlace,
  item: ConfigurationItem,
  before: Backup,
): Promise<boolean> {
  const present = await presentConfiguration(at);
  const wanted =
    item === 'configuration-archive'
      ? (await configurationOf(at.from, item)).raw
      : await replaced(at, item, present, before);
  return write(at, present, wanted);
}

/** Compensation: the volume as it was, readable or not. @returns whether anything had to be written. */
export async function putConfigurationBack(at: Omit<RestorePlace, 'from'>, before: Backup): Promise<boolean> {
  const wanted = await before.find('configuration.tar');
  if (wanted === undefined || wanted.length === 0) return false;
  return write(at, await presentConfiguration(at), wanted);
}
