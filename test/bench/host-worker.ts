/** What an idle host worker costs on a host: the bundle under plain Node on a failover lab, default profile. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { quiet } from '../../infra/lab/failover/faults.ts';
import { startFailoverLab } from '../../infra/lab/failover/lab.ts';
import { bundleHostWorker } from '../../infra/systemd/bundle.ts';
import { unitCommand } from '../../infra/systemd/unit-command.ts';

/** Linux counts processor time in these. */
const TICK_MS = 10;

export interface ProcessCost {
  readonly rssMb: number;
  readonly privateMb: number;
  /** Share of one core. */
  readonly cpu: number;
  /** Bytes that went to or came from storage, per second. */
  readonly storageKbPerSecond: number;
}

export interface HostWorkerResult {
  readonly bundleKb: number;
  readonly startMs: number;
  readonly seconds: number;
  /** The worker itself, where the engine VM is. */
  readonly main: ProcessCost;
  /** The process that does storage I/O. */
  readonly board: ProcessCost;
}

interface Sample {
  readonly atMs: number;
  readonly cpuMs: number;
  readonly bytes: number;
}

function fieldsOf(file: string): ReadonlyMap<string, number> {
  const rows = readFileSync(file, 'utf8').matchAll(/^(\w+):\s+(\d+)/gm);
  return new Map([...rows].map(([, name = '', value]) => [name, Number(value)]));
}

function sample(pid: number): Sample {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const [, , , , , , , , , , , user = '0', system = '0'] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const io = fieldsOf(`/proc/${pid}/io`);
  return {
    atMs: performance.now(),
    cpuMs: (Number(user) + Number(system)) * TICK_MS,
    bytes: (io.get('read_bytes') ?? 0) + (io.get('write_bytes') ?? 0),
  };
}

function childOf(pid: number): number {
  const parent = (id: string) => {
    try {
      const stat = readFileSync(`/proc/${id}/stat`, 'utf8');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    } catch {
      return -1;
    }
  };
  const child = readdirSync('/proc').find((id) => /^\d+$/.test(id) && parent(id) === pid);
  if (child === undefined) throw new Error('the worker has no process for storage I/O');
  return Number(child);
}

function cost(pid: number, before: Sample, after: Sample): ProcessCost {
  const memory = fieldsOf(`/proc/${pid}/smaps_rollup`);
  const seconds = (after.atMs - before.atMs) / 1000;
  const mb = (name: string) => (memory.get(name) ?? 0) / 1024;
  return {
    rssMb: mb('Rss'),
    privateMb: mb('Private_Clean') + mb('Private_Dirty'),
    cpu: (after.cpuMs - before.cpuMs) / 1000 / seconds,
    storageKbPerSecond: (after.bytes - before.bytes) / 1024 / seconds,
  };
}

export async function measureHostWorker(dir: string, seconds: number): Promise<HostWorkerResult> {
  const { file, bytes } = await bundleHostWorker(dir);
  const { environment, flags } = unitCommand();
  const lab = await startFailoverLab({
    dir: join(dir, 'fo'),
    sanlock: 'model',
    worker: ['/usr/bin/env', ...environment, process.execPath, ...flags, file],
    profile: 'default',
    ioSeconds: 10,
    watchdogSeconds: 60,
    speed: 10,
  });
  try {
    await quiet(lab);
    const [host] = lab.hosts;
    const pid = host?.workerPid();
    if (host === undefined || pid === undefined) throw new Error('the lab has no worker');
    const pids = [pid, childOf(pid)] as const;
    const before = pids.map(sample);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    const [main, board] = pids.map((id, at) => cost(id, before[at] ?? sample(id), sample(id)));
    if (main === undefined || board === undefined) throw new Error('nothing was measured');
    return { bundleKb: bytes / 1000, startMs: host.startedMs(), seconds, main, board };
  } finally {
    await lab.close();
  }
}
