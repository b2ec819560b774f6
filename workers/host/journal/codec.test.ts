import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../core/decide.ts';
import { emptyMemory } from '../core/remember.ts';
import {
  encodeDecision,
  encodeEntry,
  encodeMemory,
  encodeObservation,
  encodeSnapshot,
  parseDecision,
  parseEntry,
  parseMemory,
  parseObservation,
  parseSnapshot,
} from './codec.ts';
import { anyDecision, anyEntry, anyMemory, anyObservation, anySnapshot, rounds } from './testing.ts';

const runs = { numRuns: 60 };

function survives<T>(any: fc.Arbitrary<T>, encode: (value: T) => string, parse: (text: string) => T) {
  fc.assert(
    fc.property(any, (value) => {
      const text = encode(value);
      const back = parse(text);
      expect(back).toStrictEqual(value);
      expect(encode(back)).toBe(text);
    }),
    runs,
  );
}

describe('the exact text', () => {
  it('of a memory survives, with Maps, -Infinity, NaN, -0 and undefined', () => {
    survives(anyMemory, encodeMemory, parseMemory);
    const memory = emptyMemory(-0);
    expect(parseMemory(encodeMemory(memory))).toStrictEqual(memory);
    expect(Object.is(parseMemory(encodeMemory(memory)).startedMs, -0)).toBe(true);
  });

  it('of an observation survives', () => survives(anyObservation, encodeObservation, parseObservation));
  it('of a decision survives', () => survives(anyDecision, encodeDecision, parseDecision));
  it('of a journal entry survives', () => survives(anyEntry, encodeEntry, parseEntry));
  it('of a snapshot survives', () => survives(anySnapshot, encodeSnapshot, parseSnapshot));

  it('is the same for equal values, whichever way they were built', () => {
    const memory = emptyMemory(5);
    const turned = Object.fromEntries(Object.entries(memory).reverse());
    expect(encodeMemory({ ...memory, ...turned })).toBe(encodeMemory(memory));
    const { startedMs, ...rest } = memory;
    expect(encodeMemory({ ...rest, startedMs })).toBe(encodeMemory(memory));
  });

  it('leads to the same decision as the value itself', () => {
    fc.assert(
      fc.property(fc.array(anyObservation, { minLength: 1, maxLength: 4 }), (observations) => {
        for (const entry of rounds(observations)) {
          const { before, observation } = parseEntry(encodeEntry(entry));
          expect(encodeDecision(decide(before, observation))).toBe(encodeDecision(entry.decision));
        }
      }),
      runs,
    );
  });

  it.each([
    ['no JSON', '{"startedMs":'],
    ['another shape', '{"startedMs":1}'],
    ['a field too many', encodeMemory(emptyMemory(1)).replace('{', '{"more":1,')],
    ['a number as text', encodeMemory(emptyMemory(1)).replace('"score":0', '"score":"0"')],
    ['an unknown odd number', encodeMemory(emptyMemory(1)).replace('-Infinity', 'Infinite')],
  ])('is refused when it is %s', (_, text) => {
    expect(() => parseMemory(text)).toThrow('memory: the text can’t be understood');
  });
});
