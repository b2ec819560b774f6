/**
 * A backup's table of contents. Pure: it is built from what was stored, and written after all of it.
 *
 * Where a manifest lies, the backup is complete; each entry says where its content is and what it must hash to.
 */
import { z } from 'zod';
import { CounterpartError } from '../errors.ts';
import { type BackupPhase, backupFolder, manifestKey } from './keys.ts';

export { backupFolder, entryKey, manifestKey } from './keys.ts';

export interface ManifestEntry {
  /** The file's name as its owner calls it: `vm.conf`. */
  readonly name: string;
  readonly key: string;
  readonly bytes: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

export interface Manifest {
  readonly version: 1;
  readonly operation: string;
  readonly cluster: string;
  readonly phase: BackupPhase;
  /** ISO 8601, UTC. */
  readonly takenAt: string;
  /** By name. */
  readonly entries: readonly ManifestEntry[];
  /** What the backup should hold and does not, with the reason; absent when it holds all. */
  readonly notTaken?: readonly { readonly name: string; readonly why: string }[] | undefined;
}

const shape = z.object({
  version: z.literal(1),
  operation: z.string().min(1),
  cluster: z.string().min(1),
  phase: z.enum(['before', 'after', 'manual']),
  takenAt: z.iso.datetime(),
  entries: z.array(
    z.object({
      name: z.string().min(1),
      key: z.string().min(1),
      bytes: z.int().nonnegative(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/, 'no SHA-256 in lower-case hex'),
    }),
  ),
  notTaken: z.array(z.object({ name: z.string().min(1), why: z.string() })).optional(),
}) satisfies z.ZodType<Manifest>;

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);

function bad(subject: string, why: string, cause?: unknown): CounterpartError {
  return new CounterpartError(
    {
      type: 'archive/bad-manifest',
      kind: 'needs-operator',
      subject,
      what: 'the backup’s manifest is not valid',
      why,
      remedy: 'Do not restore from this backup. Look at the older versions of the manifest, or use another backup',
    },
    { cause },
  );
}

/** Rules that the shape can't tell. */
function problemOf(manifest: Manifest): string | undefined {
  const names = new Set<string>();
  const folder = backupFolder(manifest.cluster, manifest.operation, manifest.phase);
  for (const { name, key } of manifest.entries) {
    if (names.has(name)) return `two entries are named ${name}`;
    if (!key.startsWith(`${folder}/`)) return `${name} lies at ${key}, outside of ${folder}/`;
    if (key === manifestKey(folder)) return `${name} lies where the manifest does`;
    names.add(name);
  }
  return undefined;
}

/**
 * Bytes of a manifest; equal manifests give equal bytes, however their entries are ordered.
 * @throws CounterpartError `archive/bad-manifest` when it is not one that `parseManifest` would read.
 */
export function formatManifest(manifest: Manifest): Buffer {
  const { version, operation, cluster, phase, takenAt, notTaken = [] } = manifest;
  const entries = manifest.entries
    .toSorted(byName)
    .map(({ name, key, bytes, sha256 }) => ({ name, key, bytes, sha256 }));
  const lacks = notTaken.length === 0 ? {} : { notTaken: notTaken.toSorted(byName) };
  const text = `${JSON.stringify({ version, operation, cluster, phase, takenAt, entries, ...lacks }, undefined, 2)}\n`;
  const encoded = Buffer.from(text, 'utf8');
  parseManifest(`backup of ${cluster}`, encoded);
  return encoded;
}

/** @throws CounterpartError `archive/bad-manifest` about `key`, naming the place of the first fault. */
export function parseManifest(key: string, bytes: Uint8Array): Manifest {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw bad(key, error instanceof Error ? error.message : String(error), error);
  }
  const parsed = shape.safeParse(json);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw bad(key, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not understood'}`, parsed.error);
  }
  const problem = problemOf(parsed.data);
  if (problem !== undefined) throw bad(key, problem);
  return parsed.data;
}

/**
 * Compares a manifest with what was found, by key. One line per problem, empty when all is there and whole. Objects
 * that no entry names are no problem: an interrupted backup may leave some.
 */
export function verifyManifest(
  manifest: Manifest,
  found: readonly { readonly key: string; readonly bytes: number; readonly sha256: string }[],
): string[] {
  const byKey = new Map(found.map((one) => [one.key, one]));
  return manifest.entries.flatMap(({ name, key, bytes, sha256 }) => {
    const there = byKey.get(key);
    if (there === undefined) return [`${name}: ${key} is missing`];
    if (there.bytes !== bytes) return [`${name}: ${there.bytes} bytes instead of ${bytes}`];
    if (there.sha256 === sha256) return [];
    return [`${name}: SHA-256 ${there.sha256.slice(0, 12)} instead of ${sha256.slice(0, 12)}`];
  });
}
