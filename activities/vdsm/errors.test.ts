import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CODES } from './codes.ts';
import { codeError, isCode, retryClassOf } from './errors.ts';
import { linkError } from './link-errors.ts';

describe('retryClassOf', () => {
  it.each([
    [99, undefined, 'transient'],
    [1100, undefined, 'transient'],
    [855, undefined, 'transient'],
    [40, 'Host.setupNetworks', 'transient'],
    [40, 'Host.setHaMaintenanceMode', 'permanent'],
    [16, undefined, 'unknown-outcome'],
    [-32603, 'VM.create', 'unknown-outcome'],
    [4, 'VM.create', 'done-already'],
    [4, 'VM.shutdown', 'permanent'],
    [1, 'VM.destroy', 'done-already'],
    [1, 'VM.getStats', 'permanent'],
    [212, 'Volume.create', 'done-already'],
    [401, 'Task.clear', 'done-already'],
    [401, 'Task.getStatus', 'permanent'],
    [365, 'StorageDomain.create', 'done-already'],
    [656, 'StoragePool.spmStart', 'done-already'],
    [397, undefined, 'permanent'],
    [9999, undefined, 'permanent'],
  ])('%i of %s is %s', (code, verb, expected) => {
    expect(retryClassOf(code, verb)).toBe(expected);
  });
});

describe('codeError', () => {
  it('keeps kind and class in step for every code and verb', () => {
    const codes = fc.oneof(fc.constantFrom(...CODES.keys()), fc.integer({ min: -33000, max: 1200 }));
    const verbs = fc.constantFrom('VM.create', 'VM.destroy', 'Volume.create', 'Host.setHaMaintenanceMode', 'PUT');
    fc.assert(
      fc.property(codes, verbs, fc.string(), (code, verb, message) => {
        const error = codeError('host1', verb, code, message);
        const retry = retryClassOf(code, verb);
        expect(isCode(error, code)).toBe(true);
        expect(isCode(error, code + 1)).toBe(false);
        expect(error.facts.type).toMatch(/^vdsm\/[a-z0-9-]+$/);
        expect(error.facts.kind === 'retryable').toBe(retry === 'transient' || retry === 'unknown-outcome');
        expect(error.facts.outcomeUnknown).toBe(retry === 'unknown-outcome');
        expect(error.facts.why).not.toBe('');
        expect(error.facts.remedy).not.toMatch(/^$|\.$/);
      }),
    );
  });

  it('reads as a sentence at 3 a.m.', () => {
    expect(codeError('host2', 'Volume.create', 397, 'Domain is full.').message).toBe(
      'host2: Volume.create failed with VDSM code 397: Domain is full. Free or add space in the storage domain, then retry',
    );
  });

  it('tells its own codes from those of others', () => {
    expect(isCode(new Error('212'), 212)).toBe(false);
    expect(isCode(undefined, 212)).toBe(false);
  });
});

describe('linkError', () => {
  it('keeps the words of an error it does not know', () => {
    expect(linkError('host1', Object.assign(new Error('odd'), { code: 'EODD' })).facts).toMatchObject({
      type: 'vdsm/connection-failed',
      why: 'odd',
      code: 'EODD',
    });
    expect(linkError('host1', 'just text').facts.why).toBe('just text');
  });
});
