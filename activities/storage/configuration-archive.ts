/**
 * The shared configuration volume: a tar of exactly 20480 bytes with five members (ha-agent.md 5.4, vdsm.md 11).
 *
 * The size is fixed because engines of 4.0 to 4.3 read just so many bytes and take what follows for damage.
 */
import { packTar, unpackTar } from './tar.ts';

export const CONFIGURATION_BYTES = 20480;
/** In the order in which deployments write them; a reader that misses one refuses the archive. */
export const CONFIGURATION_MEMBERS = [
  'version',
  'fhanswers.conf',
  'hosted-engine.conf',
  'broker.conf',
  'vm.conf',
] as const;
export type ConfigurationMember = (typeof CONFIGURATION_MEMBERS)[number];
export type Configuration = Readonly<Record<ConfigurationMember, string>>;

export type ConfigurationReading =
  | {
      readonly ok: true;
      readonly members: Configuration;
      /** When each was written, as the tar says. */
      readonly writtenAt: Readonly<Record<ConfigurationMember, Date>>;
    }
  | { readonly ok: false; readonly problem: string };

export type ConfigurationBytes =
  | { readonly ok: true; readonly bytes: Buffer }
  | { readonly ok: false; readonly problem: string };

/** The 20480 bytes, the same for the same input; refused when the files do not fit. `writtenAt` defaults to the epoch. */
export async function buildConfigurationArchive(
  configuration: Configuration,
  writtenAt: Partial<Readonly<Record<ConfigurationMember, Date>>> = {},
): Promise<ConfigurationBytes> {
  const members = CONFIGURATION_MEMBERS.map((name) => {
    const at = writtenAt[name];
    return { name, content: configuration[name], ...(at === undefined ? {} : { writtenAt: at }) };
  });
  // Others may not read it: hosted-engine.conf can hold an iSCSI password in clear text.
  const packed = await packTar(members, 0o640);
  if (packed.length > CONFIGURATION_BYTES) {
    const largest = members.toSorted((a, b) => b.content.length - a.content.length)[0];
    const problem = `the five files need ${packed.length} bytes, ${CONFIGURATION_BYTES} fit; the largest is ${largest?.name}`;
    return { ok: false, problem };
  }
  return { ok: true, bytes: Buffer.concat([packed, Buffer.alloc(CONFIGURATION_BYTES - packed.length)]) };
}

function everyMember<T>(make: (name: ConfigurationMember) => T): Record<ConfigurationMember, T> {
  return {
    version: make('version'),
    'fhanswers.conf': make('fhanswers.conf'),
    'hosted-engine.conf': make('hosted-engine.conf'),
    'broker.conf': make('broker.conf'),
    'vm.conf': make('vm.conf'),
  };
}

/** Reads the first 20480 bytes of the volume; what follows does not count. Never throws. */
export async function readConfigurationArchive(volume: Buffer): Promise<ConfigurationReading> {
  const reading = await unpackTar(volume.subarray(0, CONFIGURATION_BYTES));
  if (!reading.ok) return { ok: false, problem: reading.why };
  const missing = CONFIGURATION_MEMBERS.filter((name) => !reading.members.has(name));
  if (missing.length > 0) return { ok: false, problem: `it has no ${missing.join(', no ')}` };
  return {
    ok: true,
    members: everyMember((name) => reading.members.get(name)?.content.toString('utf8') ?? ''),
    writtenAt: everyMember((name) => reading.members.get(name)?.writtenAt ?? new Date(0)),
  };
}

/**
 * The archive with some members replaced: the others stay as they lie there, to the byte, with their times and in their
 * order, those that nobody defined included. Members that were missing come at the end. Never throws.
 */
export async function withMembers(
  volume: Buffer,
  changes: ReadonlyMap<ConfigurationMember, { readonly content: Buffer; readonly writtenAt: Date }>,
): Promise<ConfigurationBytes> {
  const reading = await unpackTar(volume.subarray(0, CONFIGURATION_BYTES));
  if (!reading.ok) return { ok: false, problem: reading.why };
  const members = new Map<string, { readonly content: Buffer; readonly writtenAt: Date }>([
    ...reading.members,
    ...changes,
  ]);
  const packed = await packTar(
    [...members].map(([name, member]) => ({ name, ...member })),
    0o640,
  );
  if (packed.length > CONFIGURATION_BYTES) {
    return { ok: false, problem: `the files need ${packed.length} bytes, ${CONFIGURATION_BYTES} fit` };
  }
  return { ok: true, bytes: Buffer.concat([packed, Buffer.alloc(CONFIGURATION_BYTES - packed.length)]) };
}
