/**
 * Finds the engine VM's definition in what lies on storage: the newest valid OVF_STORE entry, else the vm.conf of the
 * configuration volume (ha-agent.md 5.6; the reference takes whichever OVF_STORE is listed last).
 *
 * It runs in a process of its own: storage may hang, and the readers of tar and XML are not needed afterwards.
 */
import { textOfBase64 } from '../../../activities/ovf/engine-xml.ts';
import { ovfToVmConf } from '../../../activities/ovf/ovf-to-vm-conf.ts';
import { problemText, type ConversionProblem } from '../../../activities/ovf/problems.ts';
import { parseVmConf, type VmConf } from '../../../activities/ovf/vm-conf.ts';
import {
  CONFIGURATION_BYTES,
  readConfigurationArchive,
  type Configuration,
} from '../../../activities/storage/configuration-archive.ts';
import { chooseOvfStore, type OvfStoreCopy } from '../../../activities/storage/ovf-store-archive.ts';
import { parseOvfStoreDescription } from '../../../activities/storage/ovf-store-description.ts';
import { readBytes } from '../env-linux/board-io.ts';

export interface DefinitionRequest {
  readonly vmId: string;
  readonly copies: readonly { readonly name: string; readonly description: string; readonly path: string }[];
  /** Path of the configuration volume. */
  readonly configuration: string;
}

export interface Definition {
  /** For people: where it comes from and how old it is. */
  readonly source: string;
  /** libvirt domain XML; undefined when the source has none: VDSM starts nothing without (vdsm.md 8). */
  readonly xml: string | undefined;
  readonly memoryMb: number;
}

export interface DefinitionAnswer {
  readonly found: Definition | undefined;
  /** Why other sources were not taken. */
  readonly notes: readonly string[];
  /** The shared broker.conf. */
  readonly brokerConf: string | undefined;
}

/** More than any OVF_STORE holds: some kilobytes per VM. */
const STORE_BYTES_MAX = 64 * 2 ** 20;

const why = (error: unknown) => (error instanceof Error ? error.message : String(error));
const problems = (list: readonly ConversionProblem[]) => list.map(problemText).join(' ');

function copyOf({ name, description: text, path }: DefinitionRequest['copies'][number], notes: string[]) {
  const description = parseOvfStoreDescription(text);
  if (description === undefined) {
    notes.push(`OVF_STORE ${name} not used: its description can’t be read`);
    return [];
  }
  const size = Math.min(description.size ?? 0, STORE_BYTES_MAX);
  let volume: Buffer | undefined;
  if (description.updated && size > 0) {
    try {
      volume = readBytes(path, size).bytes;
    } catch (error) {
      notes.push(`OVF_STORE ${name}: ${why(error)}`);
    }
  }
  const copy: OvfStoreCopy = { name, description, volume };
  return [copy];
}

/** A definition of another VM must never be started in the engine's place. */
function usable(source: string, conf: VmConf, vmId: string, notes: string[]): Definition | undefined {
  if (conf.vmId.toLowerCase() !== vmId.toLowerCase()) {
    notes.push(`${source} not used: it defines VM ${conf.vmId}`);
    return undefined;
  }
  const xml = conf.xmlBase64 === undefined ? undefined : textOfBase64(conf.xmlBase64);
  if (xml === undefined) notes.push(`${source} has no domain XML, and VDSM starts nothing without one`);
  return { source, xml, memoryMb: conf.memSizeMb };
}

async function fromStores({ vmId, copies }: DefinitionRequest, notes: string[]): Promise<Definition | undefined> {
  if (copies.length === 0) notes.push('the domain has no OVF_STORE');
  const { chosen, verdicts } = await chooseOvfStore(
    copies.flatMap((copy) => copyOf(copy, notes)),
    vmId,
  );
  for (const verdict of verdicts) {
    if (verdict.outcome !== 'chosen') notes.push(`OVF_STORE ${verdict.name} not used: ${verdict.why}`);
  }
  if (chosen === undefined) return undefined;
  const read = ovfToVmConf(chosen.ovf);
  if (!read.ok) {
    notes.push(`OVF_STORE ${chosen.name} not used: ${problems(read.problems)}`);
    return undefined;
  }
  const at = chosen.lastUpdated?.toISOString() ?? 'at an unknown time';
  return usable(`OVF_STORE ${chosen.name}, written ${at}`, read.conf, vmId, notes);
}

async function configurationOf(path: string, notes: string[]): Promise<Configuration | undefined> {
  try {
    const archive = await readConfigurationArchive(readBytes(path, CONFIGURATION_BYTES).bytes);
    if (archive.ok) return archive.members;
    notes.push(`configuration volume not used: ${archive.problem}`);
  } catch (error) {
    notes.push(`configuration volume not used: ${why(error)}`);
  }
  return undefined;
}

function fromConfiguration(files: Configuration, vmId: string, notes: string[]): Definition | undefined {
  const parsed = parseVmConf(files['vm.conf']);
  if (parsed.ok) return usable('vm.conf of the configuration volume (as of the deployment)', parsed.conf, vmId, notes);
  notes.push(`vm.conf of the configuration volume not used: ${problems(parsed.problems)}`);
  return undefined;
}

/** Never rejects: what can't be read is in the notes. */
export async function readDefinition(request: DefinitionRequest): Promise<DefinitionAnswer> {
  const notes: string[] = [];
  const stored = await fromStores(request, notes);
  const files = await configurationOf(request.configuration, notes);
  const shared =
    stored?.xml !== undefined || files === undefined ? undefined : fromConfiguration(files, request.vmId, notes);
  return { found: shared ?? stored, notes, brokerConf: files?.['broker.conf'] };
}
