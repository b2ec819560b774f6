/** All words together as one look. Pure. */
import type {
  CapacityLook,
  ClusterLook,
  EngineVmLook,
  EngineVmPlace,
  HostLook,
  Missing,
} from '../../workflows/model/look.ts';
import { bearableFailures, whyNotMore } from '../storage/capacity-rule.ts';
import type { EngineWord } from './ask-engine.ts';
import type { Board } from './ask-board.ts';
import type { HostWord } from './ask-hosts.ts';
import { hostLook, joinSources } from './hosts.ts';
import type { SlotEar } from './heard.ts';
import { slotsOf } from './slots.ts';

export interface Words {
  readonly cluster: string;
  readonly at: Date;
  readonly tookMs: number;
  readonly engine: EngineWord;
  readonly hosts: readonly HostWord[];
  /** What was read last, now or before. */
  readonly board: Board | undefined;
  /** Why it could not be read now. */
  readonly boardMissing: Missing | undefined;
  readonly ear: SlotEar;
  readonly vmId: string | undefined;
  readonly vmMemoryMiB: number | undefined;
}

function engineVmOf(hosts: readonly HostLook[], { vm, hosts: told }: EngineWord): EngineVmLook {
  const places: EngineVmPlace[] = [
    ...hosts.flatMap(({ name, engineVm }): EngineVmPlace[] =>
      engineVm === undefined ? [] : [{ host: name, status: engineVm, source: 'vdsm' }],
    ),
    ...hosts.flatMap(({ name, slot }): EngineVmPlace[] => {
      if (slot === undefined || slot.lives === false || slot.engineStatus.vm !== 'up') return [];
      const { health, detail } = slot.engineStatus;
      return [{ host: name, status: `${detail || 'up'}, health ${health}`, source: 'ha-metadata' }];
    }),
  ];
  const host = told?.find((one) => one.id === vm?.hostId)?.name;
  if (vm !== undefined && host !== undefined) places.push({ host, status: vm.status, source: 'engine' });
  // A VM on its way is listed by both hosts: it still runs where it comes from.
  const best = places.find(({ status }) => status !== 'Migration Destination') ?? places[0];
  return { ...best, places };
}

function globalOf({ board, boardMissing, hosts }: Words): ClusterLook['globalMaintenance'] {
  if (board !== undefined && boardMissing === undefined && board.globalFault === undefined)
    return { on: board.globalMaintenance ?? false, source: 'ha-metadata' };
  const flags = hosts.flatMap(({ said }) => (said?.ha?.configured === true ? [said.ha.globalMaintenance] : []));
  return flags.length === 0 ? { on: null } : { on: flags.some(Boolean), source: 'vdsm' };
}

function differingTimeouts(hosts: readonly HostLook[]): string | undefined {
  const said = hosts.flatMap(({ name, slot }) =>
    slot?.sanlock === undefined || slot.lives === false
      ? []
      : [{ name, text: `${slot.sanlock.ioSeconds}/${slot.sanlock.watchdogSeconds} s` }],
  );
  const [first] = said;
  const other = said.find(({ text }) => text !== first?.text);
  if (first === undefined || other === undefined) return undefined;
  return `The sanlock time-outs differ (${first.name}: ${first.text}, ${other.name}: ${other.text}): nothing is started until they are equal.`;
}

function capacityOf(words: Words, hosts: readonly HostLook[], vm: EngineVmLook, global: boolean | null): CapacityLook {
  const { board, boardMissing, at } = words;
  if (board === undefined)
    return { failures: null, why: ['The HA metadata was not read yet: what the hosts could do is not known.'] };
  if (boardMissing !== undefined) {
    const age = Math.round((at.getTime() - board.atMs) / 1000);
    return {
      failures: null,
      why: [`The HA metadata was read last ${age} s ago: what the hosts could do now is not known.`],
    };
  }
  const able = hosts
    .filter(({ ha, slot }) => ha?.configured === true || slot !== undefined)
    .map(({ name, cannotRun }) => ({ label: name, hasEngine: name === vm.host, cannotRun }));
  const failures = bearableFailures(able);
  const block =
    global === true
      ? 'Global maintenance is on: no host starts the engine VM, whatever fails.'
      : differingTimeouts(hosts);
  if (block !== undefined) return { failures: 0, why: [block, ...whyNotMore(able, failures).slice(0, 1)] };
  return { failures, why: whyNotMore(able, failures) };
}

function globalFault(board: Board | undefined): Missing[] {
  if (board?.globalFault === undefined) return [];
  const remedy = 'Set the mode anew: bellwether maintenance global off.';
  return [{ what: 'global maintenance in the HA metadata', why: board.globalFault, remedy }];
}

export function assemble(words: Words): ClusterLook {
  const { engine, board, boardMissing, ear, at } = words;
  const { good, faulty } = slotsOf(board, ear, at.getTime());
  const sources = joinSources(words.hosts, engine.hosts ?? [], good);
  const hosts = sources.map((host) => hostLook(host, words.vmId, words.vmMemoryMiB));
  const engineVm = engineVmOf(hosts, engine);
  const globalMaintenance = globalOf(words);
  return {
    version: 1,
    cluster: words.cluster,
    at: at.toISOString(),
    tookMs: words.tookMs,
    engine: engine.look,
    engineVm,
    hosts,
    strangers: good
      .filter((slot) => !sources.some((host) => host.slot === slot))
      .map(({ look }) => look)
      .slice(0, 50),
    faultySlots: faulty,
    globalMaintenance,
    capacity: capacityOf(words, hosts, engineVm, globalMaintenance.on),
    metadataAgeSeconds: board === undefined ? null : Math.max(0, Math.round((at.getTime() - board.atMs) / 1000)),
    missing: [
      ...engine.missing,
      ...words.hosts.flatMap(({ missing }) => missing ?? []),
      ...(boardMissing === undefined ? [] : [boardMissing]),
      ...globalFault(board),
    ],
  };
}
