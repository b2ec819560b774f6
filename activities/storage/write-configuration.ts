/** Step: the configuration archive of a new hosted engine, and a look at the HA metadata, which must be all zeros. */
import type { StepOutcome } from '../../workflows/model/operation.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import { sha256 } from '../ids.ts';
import type { StepContext } from '../step-context.ts';
import { scanVolume } from '../vdsm/data-stream.ts';
import { connectExport, firstHost, placeOf, poolOf, type Planned } from '../vdsm/first-host.ts';
import { becomeSpm } from '../vdsm/pools.ts';
import { buildConfigurationArchive, CONFIGURATION_BYTES } from './configuration-archive.ts';
import { newConfiguration } from './install-configuration.ts';
import { readUpTo, writeVolume } from './volumes.ts';
import { BLOCK_BYTES } from './whiteboard.ts';

/** Brokers read block 0 and 2000 host blocks; a byte that is not zero is a host to them (ha-agent.md 1.1). */
const BOARD_BYTES = 2001 * BLOCK_BYTES;

function unusable(what: string, why: string, kind: 'retryable' | 'needs-operator'): CounterpartError {
  return new CounterpartError({
    type: 'storage/configuration-not-written',
    kind,
    subject: 'hosted-engine storage domain',
    what,
    why,
    remedy: kind === 'retryable' ? 'It is tried again by itself.' : 'Shorten the answers, or report this as a defect.',
  });
}

export function writeHostedEngineConfiguration(counterparts: Counterparts) {
  return async (context: StepContext, input: Planned): Promise<StepOutcome<null>> => {
    const { answers, plan } = input;
    const { signal } = context;
    const host = firstHost(counterparts, input);
    await connectExport(host, answers.storage, signal);
    await becomeSpm(host, input, poolOf(plan), signal);
    const place = placeOf(plan);
    let used = 0;
    const zero = (piece: Buffer) => (used += piece.every((byte) => byte === 0) ? 0 : 1);
    await scanVolume(host.peer, { ...place, ...plan.metadata }, BOARD_BYTES, zero, { signal });
    if (used > 0) throw unusable('the HA metadata are not empty', 'a new volume should hold zeros', 'needs-operator');
    const writtenAt = new Date(input.startedAt);
    const dates = Object.fromEntries(
      ['version', 'fhanswers.conf', 'hosted-engine.conf', 'broker.conf', 'vm.conf'].map((name) => [name, writtenAt]),
    );
    const archive = await buildConfigurationArchive(newConfiguration(answers, plan), dates);
    if (!archive.ok) throw unusable('the configuration archive can’t be made', archive.problem, 'needs-operator');
    const read = () => readUpTo(host, place, plan.configuration, CONFIGURATION_BYTES, signal);
    const wanted = sha256(archive.bytes);
    if (sha256(await read()) === wanted) {
      return { done: 'before', summary: 'the configuration archive is there', value: null };
    }
    await writeVolume(host, place, plan.configuration, archive.bytes, signal);
    if (sha256(await read()) !== wanted)
      throw unusable('the configuration archive reads back otherwise', 'its SHA-256 differs', 'retryable');
    return {
      done: 'now',
      summary: 'version, fhanswers.conf, hosted-engine.conf, broker.conf and vm.conf written and read back',
      value: null,
    };
  };
}
