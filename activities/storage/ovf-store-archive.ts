/**
 * The archive on an OVF_STORE disk, and which of a domain's two copies counts (engine.md 11.4, vdsm.md 11).
 */
import { describeOvf } from '../ovf/read-ovf.ts';
import { type OvfStoreDescription, javaDate } from './ovf-store-description.ts';
import { packTar, unpackTar } from './tar.ts';

export {
  formatOvfStoreDescription,
  parseOvfStoreDescription,
  type NewDescription,
  type OvfStoreDescription,
} from './ovf-store-description.ts';

export interface OvfStoreContent {
  readonly updatedAt: Date;
  readonly domainId: string;
  /** OVF texts by VM id, in the order in which they are written. */
  readonly ovfs: ReadonlyMap<string, string>;
  /** The engine's numeric status of the VMs that are not down, by id. */
  readonly vmStatus?: Readonly<Record<string, number>>;
}

export type OvfStoreReading =
  | {
      readonly ok: true;
      readonly ovfs: ReadonlyMap<string, string>;
      /** `info.json` and `metadata.json` as they lie there; undefined when absent. */
      readonly info: string | undefined;
      readonly metadata: string | undefined;
    }
  | { readonly ok: false; readonly problem: string };

/** The tar as engines write it: info.json first, then `<id>.ovf` each, metadata.json last. Same input, same bytes. */
export async function buildOvfStoreArchive({ updatedAt, domainId, ovfs, vmStatus }: OvfStoreContent): Promise<Buffer> {
  const pretty = (value: unknown) => JSON.stringify(value, null, 2);
  const info = { 'Last Updated': javaDate(updatedAt), 'Storage Domains': [{ uuid: domainId }] };
  return packTar([
    { name: 'info.json', content: pretty(info) },
    ...[...ovfs].map(([id, ovf]) => ({ name: `${id}.ovf`, content: ovf })),
    { name: 'metadata.json', content: pretty({ 'VM Status': vmStatus ?? {} }) },
  ]);
}

/**
 * Reads a volume's content. Only the first `size` bytes count: behind them may lie the end of an older, longer tar.
 * Without a size the end is found from the tar's headers. Never throws.
 */
export async function readOvfStoreArchive(volume: Buffer, size?: number): Promise<OvfStoreReading> {
  if (size !== undefined && size > volume.length) {
    return { ok: false, problem: `it should have ${size} bytes, ${volume.length} were read` };
  }
  const reading = await unpackTar(size === undefined ? volume : volume.subarray(0, size));
  if (!reading.ok) return { ok: false, problem: reading.why };
  const text = (name: string) => reading.members.get(name)?.content.toString('utf8');
  const ovfs = [...reading.members].filter(([name]) => name.endsWith('.ovf'));
  return {
    ok: true,
    ovfs: new Map(ovfs.map(([name, { content }]) => [name.slice(0, -'.ovf'.length), content.toString('utf8')])),
    info: text('info.json'),
    metadata: text('metadata.json'),
  };
}

export interface OvfStoreCopy {
  /** For the verdicts, e.g. `<image>/<volume>`. */
  readonly name: string;
  readonly description: OvfStoreDescription;
  /** Content from the start, at least `Size` bytes; undefined when it could not be read. */
  readonly volume: Buffer | undefined;
}

export interface CopyVerdict {
  readonly name: string;
  readonly outcome: 'chosen' | 'older' | 'unusable';
  readonly why: string;
}

export interface OvfStoreChoice {
  readonly chosen: { readonly name: string; readonly ovf: string; readonly lastUpdated: Date | undefined } | undefined;
  /** One for each copy, in the order given. */
  readonly verdicts: readonly CopyVerdict[];
}

type Candidate = { readonly copy: OvfStoreCopy; readonly ovf: string; readonly generation: number };

async function candidate(copy: OvfStoreCopy, vmId: string): Promise<Candidate | string> {
  if (!copy.description.updated) return 'its last update was begun and not finished';
  if (copy.volume === undefined) return 'its content could not be read';
  const archive = await readOvfStoreArchive(copy.volume, copy.description.size);
  if (!archive.ok) return `its archive is unusable: ${archive.problem}`;
  const ovf = archive.ovfs.get(vmId);
  if (ovf === undefined) return `it has no ${vmId}.ovf`;
  const described = describeOvf(ovf);
  if (!described.ok) return `its ${vmId}.ovf cannot be read: ${described.problems[0]?.what ?? ''}`;
  const { description } = described;
  if (description.vmId.toLowerCase() !== vmId.toLowerCase()) return `its ${vmId}.ovf is of the VM ${description.vmId}`;
  return { copy, ovf, generation: description.generation };
}

function newerFirst(a: Candidate, b: Candidate): number {
  const time = ({ copy }: Candidate) => copy.description.lastUpdated?.getTime() ?? -Infinity;
  const [left, right] = [time(a), time(b)];
  return left === right ? b.generation - a.generation : right > left ? 1 : -1;
}

/**
 * The valid newest of a domain's copies: `Updated` true, readable, with this VM's OVF in it; then the later date, at
 * the same second the higher generation. (The original agent takes whichever is listed last.) Never throws.
 */
export async function chooseOvfStore(copies: readonly OvfStoreCopy[], vmId: string): Promise<OvfStoreChoice> {
  const judged = await Promise.all(copies.map((copy) => candidate(copy, vmId)));
  const usable = judged.filter((each): each is Candidate => typeof each !== 'string').sort(newerFirst);
  const best = usable[0];
  const date = (each: Candidate) => each.copy.description.lastUpdated?.toISOString() ?? 'an unknown date';
  const verdicts = copies.map(({ name }, index): CopyVerdict => {
    const own = judged[index];
    if (own === undefined || typeof own === 'string' || best === undefined) {
      return { name, outcome: 'unusable', why: typeof own === 'string' ? own : 'it was not judged' };
    }
    const stamp = `updated ${date(own)}, generation ${own.generation}`;
    return own === best
      ? { name, outcome: 'chosen', why: stamp }
      : {
          name,
          outcome: 'older',
          why: `${stamp}; ${best.copy.name} is of ${date(best)}, generation ${best.generation}`,
        };
  });
  if (best === undefined) return { chosen: undefined, verdicts };
  return { chosen: { name: best.copy.name, ovf: best.ovf, lastUpdated: best.copy.description.lastUpdated }, verdicts };
}
