/** Steps: look at every source, twice where they differ; and look again after repairs. */
import {
  keyOf,
  isKind,
  REPAIRABLE,
  type Difference,
  type Look,
  type ReconcileActivities,
} from '../../workflows/model/reconcile.ts';
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import type { StepContext } from '../step-context.ts';
import { findDifferences } from './differences.ts';
import { gather } from './gather.ts';
import { factRows } from './rows.ts';

type InputOf<Name extends keyof ReconcileActivities> = Parameters<ReconcileActivities[Name]>[0];

/** Sources that follow each other differ for a moment: what is still so after it counts. */
const SETTLE_MS = 5000;
/** Histories keep the answer: its size is bounded, whatever was found. */
const ROWS_MAX = 200;
const DIFFERENCES_MAX = 60;
const TEXT_CHARS_MAX = 200;

const cut = (text: string) => (text.length <= TEXT_CHARS_MAX ? text : `${text.slice(0, TEXT_CHARS_MAX - 1)}…`);

export async function lookOnce(counterparts: Counterparts, context: StepContext, call: StepCall): Promise<Look> {
  const sources = await gather(counterparts, context, call);
  const shortened = (one: Difference): Difference => ({ ...one, says: one.says.slice(0, 10).map(cut) });
  return {
    facts: sources.facts,
    rows: factRows(sources)
      .slice(0, ROWS_MAX)
      .map(({ fact, engine, vdsm, metadata, storage }) => ({
        fact: cut(fact),
        engine: cut(engine),
        vdsm: cut(vdsm),
        metadata: cut(metadata),
        storage: cut(storage),
      })),
    differences: findDifferences(sources).slice(0, DIFFERENCES_MAX).map(shortened),
  };
}

async function settled(counterparts: Counterparts, context: StepContext, call: StepCall): Promise<Look> {
  const first = await lookOnce(counterparts, context, call);
  if (first.differences.length === 0) return first;
  context.waitsFor(`a second look: ${first.differences.map(keyOf).slice(0, 3).join(', ')} may pass`);
  await context.sleep(SETTLE_MS);
  const second = await lookOnce(counterparts, context, call);
  const before = new Set(first.differences.map(keyOf));
  return { ...second, differences: second.differences.filter((one) => before.has(keyOf(one))) };
}

function unknownRepair(names: readonly string[]): CounterpartError {
  const unsafe = names.filter(isKind);
  return new CounterpartError({
    type: 'reconcile/unknown-repair',
    kind: 'needs-operator',
    subject: `repair ${names.join(', ')}`,
    what: 'it is nothing that can be repaired',
    why: unsafe.length > 0 ? `${unsafe.join(', ')} can’t be repaired safely, only named` : 'there is no such name',
    remedy: `Abort, and start anew with safe, or with names out of ${REPAIRABLE.join(', ')}.`,
  });
}

function outcome(look: Look): StepOutcome<Look> {
  const found = look.differences.map(keyOf);
  const summary =
    found.length === 0 ? 'all sources agree' : `${found.length} differences: ${found.slice(0, 8).join(', ')}`;
  return { done: 'now', summary, value: look };
}

export function lookForDifferences(counterparts: Counterparts) {
  return async (context: StepContext, input: InputOf<'lookForDifferences'>): Promise<StepOutcome<Look>> => {
    const unknown = input.repair.filter((name) => name !== 'safe' && !REPAIRABLE.includes(name));
    if (unknown.length > 0) throw unknownRepair(unknown);
    return outcome(await settled(counterparts, context, input));
  };
}

export function verifyRepairs(counterparts: Counterparts) {
  return async (context: StepContext, input: InputOf<'verifyRepairs'>): Promise<StepOutcome<Look>> => {
    const look = await settled(counterparts, context, input);
    const left = look.differences.filter((one) => input.repaired.includes(keyOf(one)));
    if (left.length === 0) return outcome(look);
    throw new CounterpartError({
      type: 'reconcile/not-repaired',
      kind: 'retryable',
      subject: left.map(keyOf).join(', '),
      what: 'it was repaired, and is there again',
      why: left
        .flatMap(({ says }) => says)
        .slice(0, 6)
        .join('; '),
      remedy:
        'It is looked at again by itself; if it lasts, somebody or something brings it about anew: find that first.',
    });
  };
}
