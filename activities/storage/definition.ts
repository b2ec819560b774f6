/** Step: find the engine VM's definition and convert it to an OVF that the engine imports. */
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { DefinitionSource } from '../../workflows/model/requests.ts';
import type { ConvertedDefinition, UpgradeFacts } from '../../workflows/model/upgrade.ts';
import type { Cluster } from '../clusters.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import { deriveId, sha256 } from '../ids.ts';
import { braceText } from '../ovf/brace.ts';
import { ovfToVmConf, vmConfToOvf } from '../ovf/convert.ts';
import type { DiskFacts } from '../ovf/convert-facts.ts';
import { problemText, type ConversionWarning } from '../ovf/problems.ts';
import { validateForImport } from '../ovf/read-ovf.ts';
import { parseVmConf, type VmConf } from '../ovf/vm-conf.ts';
import type { StepContext } from '../step-context.ts';
import { readConfiguration } from './he-domain.ts';
import { listVolumes, type FoundVolume } from './volumes.ts';

type Input = StepCall & { readonly facts: UpgradeFacts; readonly source: DefinitionSource; readonly vmConf?: string };
type Source = ConvertedDefinition['source'];

interface Definition {
  readonly source: Source;
  /** When it was written, as far as its holder tells. */
  readonly at: Date;
  readonly conf: VmConf;
  readonly warnings: readonly ConversionWarning[];
}

interface Rejected {
  readonly source: Source;
  readonly why: string;
}

type Candidate = Definition | Rejected;

function fromText(source: Source, text: string, at: Date): Candidate {
  const parsed = parseVmConf(text);
  if (!parsed.ok) return { source, why: parsed.problems.map(problemText).join(' ') };
  return { source, at, conf: parsed.conf, warnings: parsed.warnings };
}

async function fromVolume(cluster: Cluster, facts: UpgradeFacts, signal: AbortSignal): Promise<Candidate> {
  const spm = await cluster.hosts.spm(facts.dataCenter.id, signal);
  const place = { pool: facts.dataCenter.id, domain: facts.domain.id };
  const { archive } = await readConfiguration(spm, place, facts.domain.configuration, signal);
  return fromText('configuration-volume', archive.members['vm.conf'], archive.writtenAt['vm.conf']);
}

/** `<ExportDate>2018/03/25 18:43:51</ExportDate>`, UTC (engine.md 12); an OVF without one counts as the oldest. */
function exportDate(ovf: string): Date {
  const found = /<ExportDate>(\d{4})\/(\d{2})\/(\d{2}) (\d{2}:\d{2}:\d{2})<\/ExportDate>/.exec(ovf);
  return found === null ? new Date(0) : new Date(`${found[1]}-${found[2]}-${found[3]}T${found[4]}Z`);
}

/** The engine's own view; an engine that does not manage its VM may have none. */
async function fromEngine(cluster: Cluster, input: Input, signal: AbortSignal): Promise<Candidate> {
  const engine = cluster.engine(input.operationId, signal);
  // Not known to the engine at all is an answer too: then it exports nothing.
  const known = (await engine.vms()).some((vm) => vm.id === input.facts.vm.id);
  if (!known) return { source: 'engine', why: 'the engine does not know the VM' };
  const vm = await engine.vm(input.facts.vm.id, { allContent: true });
  const { ovf } = vm;
  if (ovf === undefined || ovf.trim() === '') return { source: 'engine', why: 'the engine exports no OVF of it' };
  const read = ovfToVmConf(ovf);
  if (!read.ok) return { source: 'engine', why: read.problems.map(problemText).join(' ') };
  return { source: 'engine', at: exportDate(ovf), conf: read.conf, warnings: read.warnings };
}

/** A definition of another VM, or of a disk that is not on the domain, would import a VM that can't start. */
function inconsistency(conf: VmConf, facts: UpgradeFacts, volumes: readonly FoundVolume[]): string | undefined {
  if (conf.vmId.toLowerCase() !== facts.vm.id.toLowerCase())
    return `it defines VM ${conf.vmId}, the hosts run ${facts.vm.id}`;
  const disks = conf.devices.filter(
    (device) => braceText(device, 'type') === 'disk' && braceText(device, 'device') !== 'cdrom',
  );
  if (disks.length === 0) return 'it has no disk';
  for (const disk of disks) {
    const volume = braceText(disk, 'volumeID');
    const domain = braceText(disk, 'domainID');
    if (domain !== facts.domain.id) return `its disk ${String(volume)} lies on domain ${String(domain)}`;
    if (!volumes.some((found) => found.volume === volume)) return `its disk ${String(volume)} is not on the domain`;
  }
  return undefined;
}

async function gather(cluster: Cluster, input: Input, signal: AbortSignal): Promise<Candidate[]> {
  const wanted = (source: Source) => input.source === 'auto' || input.source === source;
  const candidates: Candidate[] = [];
  if (wanted('request') && input.vmConf !== undefined) {
    candidates.push(fromText('request', input.vmConf, new Date(input.startedAt)));
  }
  if (wanted('configuration-volume')) candidates.push(await fromVolume(cluster, input.facts, signal));
  if (wanted('engine')) candidates.push(await fromEngine(cluster, input, signal));
  return candidates;
}

function choose(
  candidates: readonly Candidate[],
  facts: UpgradeFacts,
  volumes: readonly FoundVolume[],
): { chosen: Definition | undefined; rejected: readonly Rejected[] } {
  const rejected: Rejected[] = [];
  const good: Definition[] = [];
  for (const candidate of candidates) {
    if (!('conf' in candidate)) rejected.push(candidate);
    else {
      const why = inconsistency(candidate.conf, facts, volumes);
      if (why === undefined) good.push(candidate);
      else rejected.push({ source: candidate.source, why });
    }
  }
  const [chosen] = good.toSorted((a, b) => b.at.getTime() - a.at.getTime());
  return { chosen, rejected };
}

const NAMES: Readonly<Record<Source, string>> = {
  request: 'the vm.conf of the request',
  'configuration-volume': 'the vm.conf of the configuration volume',
  engine: 'the OVF that the engine exports',
};

function noneUsable(rejected: readonly Rejected[], source: DefinitionSource): CounterpartError {
  return new CounterpartError({
    type: 'ovf/no-usable-definition',
    kind: 'needs-operator',
    subject: 'engine VM',
    what: 'no usable definition was found',
    why:
      rejected.map((one) => `${NAMES[one.source]}: ${one.why}`).join('; ') ||
      `the request brings none (source ${source})`,
    remedy: 'Abort, correct the vm.conf (bellwether convert FILE lists its problems), and start anew with it.',
  });
}

function diskFacts(volumes: readonly FoundVolume[]): Record<string, DiskFacts> {
  return Object.fromEntries(
    volumes.map((volume): [string, DiskFacts] => [
      volume.volume,
      {
        sizeBytes: volume.capacityBytes,
        actualBytes: volume.usedBytes,
        allocation: volume.allocation === 'SPARSE' ? 'sparse' : 'preallocated',
        ...(volume.diskType === 'HEVD' ? { alias: 'he_virtio_disk' } : {}),
      },
    ]),
  );
}

function toOvf(definition: Definition, input: Input, volumes: readonly FoundVolume[]) {
  const { facts } = input;
  const converted = vmConfToOvf(definition.conf, {
    dataCenterId: facts.dataCenter.id,
    clusterName: facts.cluster.name,
    clusterCompatibility: facts.cluster.compatibility,
    engineVersion: facts.engineVersion,
    disks: diskFacts(volumes),
    // The operation's start, not the present: a repeated conversion must come out the same to the byte.
    now: new Date(input.startedAt),
    snapshotId: deriveId(input.operationId, 'snapshot'),
  });
  const faults = validateForImport(converted.ovf);
  if (faults.length > 0) {
    throw new CounterpartError({
      type: 'ovf/not-importable',
      kind: 'fatal',
      subject: 'converted OVF',
      what: 'the engine would not import it',
      why: faults.map(problemText).join(' '),
      remedy: 'This is a defect of the converter: keep the vm.conf, abort, and report it.',
    });
  }
  return converted;
}

function warningText({ line, key, what, why }: ConversionWarning): string {
  return `${line === undefined ? '' : `line ${line}, `}${key}: ${what}: ${why}`;
}

export function convertDefinition({ clusters }: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<ConvertedDefinition>> => {
    const cluster = clusters.get(input.cluster);
    const { signal } = context;
    const volumes = await cluster.hosts.onAny('no host could list the volumes', signal, (host) =>
      listVolumes(host, input.facts.domain.id, signal),
    );
    const { chosen, rejected } = choose(await gather(cluster, input, signal), input.facts, volumes);
    if (chosen === undefined) throw noneUsable(rejected, input.source);
    const { ovf, warnings } = toOvf(chosen, input, volumes);
    const notes = [
      ...rejected.map((one) => `not used: ${NAMES[one.source]}: ${one.why}`),
      ...[...chosen.warnings, ...warnings].map(warningText),
    ];
    const digest = sha256(ovf);
    return {
      done: 'now',
      summary: `from ${NAMES[chosen.source]}: ${chosen.conf.vmName}, ${chosen.conf.memSizeMb} MB, ${chosen.conf.smp} CPUs; ${warnings.length} warnings`,
      notes,
      value: { source: chosen.source, ovf, sha256: digest },
    };
  };
}
