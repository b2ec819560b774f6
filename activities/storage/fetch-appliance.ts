/**
 * Step: the appliance onto the engine VM's disk, through VDSM's data stream, which begins at the disk's first byte and
 * nowhere else (vdsm.md 10). A try that was broken off is found out by reading back, and the stream begun anew.
 */
import { createHash } from 'node:crypto';
import type { StepOutcome } from '../../workflows/model/operation.ts';
import { openAppliance, type Appliance } from '../archive/appliance.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import type { StepContext } from '../step-context.ts';
import type { VdsmClient } from '../vdsm/client.ts';
import { putVolumeFrom, scanVolume } from '../vdsm/data-stream.ts';
import { connectExport, firstHost, placeOf, poolOf, type Planned } from '../vdsm/first-host.ts';
import { growDisk, volumeIn } from '../vdsm/install-volumes.ts';
import { becomeSpm } from '../vdsm/pools.ts';
import { runTask } from '../vdsm/tasks.ts';

const STREAM_LIMIT_MS = 3 * 3_600_000;
const MIB = 2 ** 20;
const TELL_MS = 1000;

/** Says how far it is, at most once a second. */
function progress(context: StepContext, what: string, total: number): (bytes: number) => void {
  let done = 0;
  let told = -Infinity;
  return (bytes) => {
    done += bytes;
    const now = context.now().getTime();
    if (now - told < TELL_MS && done < total) return;
    told = now;
    context.waitsFor(`${what}: ${Math.floor(done / MIB)} of ${Math.ceil(total / MIB)} MiB`);
  };
}

/** SHA-256 of what lies on the disk's beginning; undefined when it is shorter. */
async function onDisk(host: VdsmClient, input: Planned, context: StepContext): Promise<string | undefined> {
  const { plan } = input;
  const info = await volumeIn(host, plan, plan.disk, context.signal);
  if (info === undefined || info.apparentsize < plan.applianceBytes) return undefined;
  const hash = createHash('sha256');
  const tell = progress(context, 'reading the disk back', plan.applianceBytes);
  const take = (piece: Buffer) => {
    hash.update(piece);
    tell(piece.length);
  };
  const place = { ...placeOf(plan), ...plan.disk };
  const options = { signal: context.signal, timeoutMs: STREAM_LIMIT_MS };
  await scanVolume(host.peer, place, plan.applianceBytes, take, options);
  return hash.digest('hex');
}

/** The source's bytes, hashed on their way. */
async function* hashed(
  appliance: Appliance,
  hash: ReturnType<typeof createHash>,
  tell: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  for await (const chunk of await appliance.read()) {
    const piece = Buffer.from(chunk);
    hash.update(piece);
    tell(piece.length);
    yield piece;
  }
}

function differs(subject: string, what: string, found: string, wanted: string, remedy: string): CounterpartError {
  return new CounterpartError({
    type: 'appliance/wrong-content',
    kind: 'needs-operator',
    subject,
    what,
    why: `its SHA-256 is ${found.slice(0, 12)}…, asked for was ${wanted.slice(0, 12)}…`,
    remedy,
  });
}

async function upload(counterparts: Counterparts, host: VdsmClient, input: Planned, context: StepContext) {
  const { plan, answers } = input;
  const { signal } = context;
  const { source, sha256 } = answers.appliance;
  const appliance = await openAppliance(counterparts.archive, source, signal);
  if (appliance.bytes !== plan.applianceBytes) {
    const found = `${appliance.bytes} bytes, ${plan.applianceBytes} when it was checked`;
    throw differs(`appliance ${source}`, 'it changed meanwhile', found, sha256, 'Put the image back, then retry.');
  }
  const hash = createHash('sha256');
  const tell = progress(context, `${host.name} takes the appliance`, appliance.bytes);
  const content = { bytes: appliance.bytes, read: () => hashed(appliance, hash, tell) };
  const options = { signal, timeoutMs: STREAM_LIMIT_MS };
  const { taskId } = await putVolumeFrom(host.peer, { ...placeOf(plan), ...plan.disk }, content, options);
  if (taskId !== undefined) await runTask(host, taskId, { signal, verb: 'PUT of the appliance', pollMs: 200 });
  const sent = hash.digest('hex');
  if (sent !== sha256) {
    const remedy = 'Put the right image there, or start anew with the right checksum; abort takes everything back.';
    throw differs(`appliance ${source}`, 'it is not the image that was asked for', sent, sha256, remedy);
  }
}

export function fetchAppliance(counterparts: Counterparts) {
  return async (context: StepContext, input: Planned): Promise<StepOutcome<null>> => {
    const { answers, plan } = input;
    const { sha256 } = answers.appliance;
    const host = firstHost(counterparts, input);
    await connectExport(host, answers.storage, context.signal);
    await becomeSpm(host, input, poolOf(plan), context.signal);
    const before = (await onDisk(host, input, context)) === sha256;
    if (!before) {
      await upload(counterparts, host, input, context);
      const found = (await onDisk(host, input, context)) ?? 'of too few bytes';
      if (found !== sha256) {
        const remedy = 'Retry; if it lasts, look at the storage.';
        throw differs(
          `disk of ${answers.vm.name}`,
          'what was read back is not what was written',
          found,
          sha256,
          remedy,
        );
      }
    }
    const grown = await growDisk(host, input, context.signal);
    const summary = `${plan.applianceBytes} bytes, SHA-256 as asked for; the disk has ${answers.vm.diskGiB} GiB`;
    return { done: before && !grown ? 'before' : 'now', summary, value: null };
  };
}
