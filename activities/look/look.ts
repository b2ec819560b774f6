/** One look at a cluster: engine, VDSM of every host and HA metadata at once. Reads only; whoever is silent is named. */
import type { ClusterLook, LookInput } from '../../workflows/model/look.ts';
import type { Counterparts } from '../counterparts.ts';
import type { StepContext } from '../step-context.ts';
import { askBoard, newMemory, type ClusterMemory } from './ask-board.ts';
import { askEngine } from './ask-engine.ts';
import { askHosts, type HostWord } from './ask-hosts.ts';
import { assemble } from './assemble.ts';

/** Our kind writes every 3 s: so long a silent host's slot is watched when nothing is known of it yet. */
const WATCH_MS = 3500;

/** A slot whose writer nobody answers for, and of which this worker has no earlier reading. */
function isDoubtful(memory: ClusterMemory, hosts: readonly HostWord[], nowMs: number): boolean {
  const vouched = new Set(hosts.flatMap(({ said, name }) => (said?.ha?.active === true ? [name.toLowerCase()] : [])));
  return (memory.board?.slots ?? []).some(({ id, reading }) => {
    if (reading.kind !== 'host' || reading.block.stopped) return false;
    return (
      !vouched.has(reading.block.hostname.toLowerCase()) && memory.ear.life(id, false, undefined, nowMs).lives === null
    );
  });
}

/** Keeps what it learns between looks, a memory for each cluster. */
export function createLook({ clusters }: Pick<Counterparts, 'clusters'>) {
  const memories = new Map<string, ClusterMemory>();
  return async (context: StepContext, input: LookInput): Promise<ClusterLook> => {
    const { signal } = context;
    const began = context.now().getTime();
    const now = () => context.now().getTime();
    const cluster = clusters.get(input.cluster);
    const memory = memories.get(cluster.name) ?? newMemory();
    memories.set(cluster.name, memory);
    const engineAsked = askEngine(cluster, memory.vmId ?? memory.found?.vmId, signal);
    // Awaited below; until then a failure of it must not count as unhandled.
    engineAsked.catch(() => undefined);
    const hosts = await askHosts(cluster.hosts.clients, signal);
    let boardMissing = await askBoard(hosts, memory, now, signal);
    if (boardMissing === undefined && !memory.watched && isDoubtful(memory, hosts, now())) {
      await context.sleep(WATCH_MS);
      boardMissing = await askBoard(hosts, memory, now, signal);
    }
    memory.watched = true;
    const engine = await engineAsked;
    const vmId = memory.found?.vmId ?? engine.vm?.id ?? memory.vmId;
    const bytes = engine.vm?.memoryBytes;
    const vmMemoryMiB =
      bytes === undefined ? (memory.vmMemoryMiB ?? memory.found?.memoryMiB) : Math.round(bytes / 2 ** 20);
    Object.assign(memory, { vmId, vmMemoryMiB });
    const at = context.now();
    const { board, ear } = memory;
    const tookMs = at.getTime() - began;
    return assemble({ cluster: cluster.name, at, tookMs, engine, hosts, board, boardMissing, ear, vmId, vmMemoryMiB });
  };
}
