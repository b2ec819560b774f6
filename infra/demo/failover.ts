/** `npm run demo:failover`: each failover fault on a lab of its own, real processes, its measured time beside its bound. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { FAILOVER_FAULTS, quiet, type FailoverFault } from '../lab/failover/faults.ts';
import { splitBrain } from '../lab/failover/guest-log.ts';
import { startFailoverLab, type FailoverLabOptions } from '../lab/failover/lab.ts';
import { bundleHostWorker } from '../systemd/bundle.ts';

const HELP = `npm run demo:failover -- [--fault NAME]... [--sanlock auto|real|model] [--at-once N] [--keep]

Shows each failover fault with its measured time to recovery beside its bound. --keep instead starts one lab and leaves it up,
with the commands to ask its workers and to break it. Faults:
${FAILOVER_FAULTS.map(({ name, title }) => `  ${name.padEnd(24)} ${title}`).join('\n')}
`;

interface Row {
  readonly fault: FailoverFault;
  readonly verdict: 'within' | 'LATE' | 'FAILED' | 'quiet' | 'skipped';
  readonly ms: number | undefined;
  readonly boundMs: number | undefined;
  readonly detail: string;
}

const shown = (ms: number | undefined) => (ms === undefined ? '–' : `${(ms / 1000).toFixed(1)} s`);

function line({ fault, verdict, ms, boundMs, detail }: Row): string {
  const cells = [verdict.padEnd(8), fault.name.padEnd(24), shown(ms).padStart(7), shown(boundMs).padStart(8)];
  return `${cells.join(' ')}  ${fault.bounded}; ${detail}`;
}

async function show(fault: FailoverFault, options: FailoverLabOptions): Promise<Row> {
  const lab = await startFailoverLab(options);
  let boundMs: number | undefined;
  try {
    boundMs = fault.boundMs(lab);
    const unable = fault.unable?.(lab);
    if (unable !== undefined) return { fault, verdict: 'skipped', ms: undefined, boundMs, detail: unable };
    await quiet(lab);
    const { ms, detail } = await fault.play(lab);
    const two = splitBrain(lab.runs());
    if (two !== undefined) throw new Error(`two engine VMs ran at once: on ${two[0].host} and ${two[1].host}`);
    const verdict = boundMs === undefined ? 'quiet' : (ms ?? 0) <= boundMs ? 'within' : 'LATE';
    return { fault, verdict, ms, boundMs, detail };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { fault, verdict: 'FAILED', ms: undefined, boundMs, detail };
  } finally {
    await lab.close();
  }
}

/** A lab for people to play with, until Ctrl-C. */
async function keep(options: FailoverLabOptions, program: string): Promise<number> {
  const lab = await startFailoverLab(options);
  await quiet(lab);
  const lines = lab.hosts.map(
    ({ name, socket, workerPid }) => `  ${name}  worker ${workerPid() ?? '-'}  export BELLWETHER_HOST_SOCKET=${socket}`,
  );
  process.stdout.write(
    [
      '',
      `Three hosts, the engine VM on ${lab.where()?.name ?? 'none'} (pid ${lab.running()?.pid ?? '-'}). ${lab.note}`,
      ...lines,
      '',
      'Ask one of them (set its socket first):',
      `  node ${program} status | why | what-if host1 lost | what-if capacity | maintenance global | drill`,
      'Break it: kill -9 the engine VM, a worker, or stop a worker with kill -STOP. Ctrl-C ends all.',
      '',
    ].join('\n'),
  );
  await new Promise<void>((resolve) => {
    process.removeAllListeners('SIGINT');
    process.once('SIGINT', () => resolve());
    process.removeAllListeners('SIGTERM');
    process.once('SIGTERM', () => resolve());
  });
  await lab.close();
  rmSync(dirname(options.dir), { recursive: true, force: true });
  return 0;
}

async function main(): Promise<number> {
  // Leaving in order ends the processes that were started (they are groups of their own).
  process.once('SIGINT', () => process.exit(130));
  process.once('SIGTERM', () => process.exit(143));
  const { values } = parseArgs({
    options: {
      fault: { type: 'string', multiple: true },
      sanlock: { type: 'string', default: 'auto' },
      'at-once': { type: 'string', default: '2' },
      keep: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  const { fault: names = [], sanlock } = values;
  const unknown = names.filter((name) => !FAILOVER_FAULTS.some((fault) => fault.name === name));
  const kinds = ['auto', 'real', 'model'] as const;
  const kind = kinds.find((each) => each === sanlock);
  if (values.help === true || unknown.length > 0 || kind === undefined) {
    process.stdout.write(`${unknown.map((name) => `There is no fault ${name}.\n`).join('')}${HELP}`);
    return values.help === true ? 0 : 2;
  }
  const dir = mkdtempSync(join(tmpdir(), 'bw-fo-'));
  const { file, bytes } = await bundleHostWorker(dir);
  process.stdout.write(
    `Workers: one bundled file of ${Math.round(bytes / 1024)} KiB under plain Node, lab profile (io 2 s)\n`,
  );
  if (values.keep === true) return keep({ dir: join(dir, '1'), sanlock: kind, worker: [process.execPath, file] }, file);
  const left = FAILOVER_FAULTS.filter(({ name }) => names.length === 0 || names.includes(name));
  const rows: Row[] = [];
  const began = Date.now();
  let started = 0;
  const run = async () => {
    for (let fault = left.shift(); fault !== undefined; fault = left.shift()) {
      started += 1;
      process.stdout.write(`… ${fault.name}: ${fault.title}\n`);
      const row = await show(fault, {
        dir: join(dir, String(started)),
        sanlock: kind,
        worker: [process.execPath, file],
      }).catch((error: unknown): Row => ({
        fault,
        verdict: 'FAILED',
        ms: undefined,
        boundMs: undefined,
        detail: String(error),
      }));
      rows.push(row);
      process.stdout.write(`${line(row)}\n`);
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, Number(values['at-once'])) }, run));
  const ordered = FAILOVER_FAULTS.flatMap((fault) => rows.filter((row) => row.fault === fault));
  process.stdout.write(
    `\nverdict  fault                    measured    bound  what is bounded\n${ordered.map(line).join('\n')}\n`,
  );
  const bad = rows.filter(({ verdict }) => verdict === 'LATE' || verdict === 'FAILED').length;
  const took = Math.round((Date.now() - began) / 1000);
  process.stdout.write(`\n${rows.length - bad} of ${rows.length} as they should be, in ${took} s\n`);
  if (bad === 0) rmSync(dir, { recursive: true, force: true });
  else process.stdout.write(`Logs and journals: ${dir}\n`);
  return bad === 0 ? 0 : 1;
}

process.exit(await main());
