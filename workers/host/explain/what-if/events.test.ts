import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CounterpartError } from '../../../../activities/errors.ts';
import { EVENT_FORMS, parseEvents } from './events.ts';

const HOSTS = [
  { id: 1, hostname: 'he-a.example.com', self: true },
  { id: 2, hostname: 'host5', self: false },
  { id: 5, hostname: 'He-C.example.com', self: false },
];

describe('events from words', () => {
  it.each([
    ['host2 lost', { kind: 'host-lost', host: 2 }],
    ['host 2 lost', { kind: 'host-lost', host: 2 }],
    ['2 dies', { kind: 'host-lost', host: 2 }],
    ['he-c.example.com is lost', { kind: 'host-lost', host: 5 }],
    ['HE-C powered off', { kind: 'host-lost', host: 5 }],
    // A name goes before an id.
    ['host5 lost', { kind: 'host-lost', host: 2 }],
    ['host 5 lost', { kind: 'host-lost', host: 5 }],
    ['this host lost', { kind: 'host-lost', host: 1 }],
    ['network of he-a cut', { kind: 'network-cut', host: 1 }],
    ['network of this host is cut', { kind: 'network-cut', host: 1 }],
    ['network of all cut', { kind: 'network-cut-all' }],
    ['storage hangs', { kind: 'storage-hangs-all' }],
    ['the storage of all hosts hangs', { kind: 'storage-hangs-all' }],
    ['storage hangs on host 1', { kind: 'storage-hangs', host: 1 }],
    ['storage of he-a hangs', { kind: 'storage-hangs', host: 1 }],
    ['he-c into maintenance', { kind: 'maintenance', host: 5 }],
    ['host 1 goes into local maintenance', { kind: 'maintenance', host: 1 }],
    ['host 1 shuts down', { kind: 'shuts-down', host: 1 }],
    ['engine VM  dies', { kind: 'engine-vm-dies' }],
    ['global maintenance', { kind: 'global-maintenance' }],
  ])('%s', (text, event) => {
    expect(parseEvents(text, HOSTS)).toEqual([event]);
  });

  it('takes several at once', () => {
    expect(parseEvents('host 1 lost and engine vm dies, storage hangs', HOSTS).map((event) => event.kind)).toEqual([
      'host-lost',
      'engine-vm-dies',
      'storage-hangs-all',
    ]);
  });

  it.each(['', 'host 7 lost', 'explode', 'host 1 lost and', 'network of nobody cut'])('refuses “%s”', (text) => {
    try {
      parseEvents(text, HOSTS);
    } catch (error) {
      if (!(error instanceof CounterpartError)) throw error;
      for (const form of EVENT_FORMS) expect(error.facts.why).toContain(form);
      expect(error.facts.remedy).toContain('5 (He-C.example.com)');
      return;
    }
    throw new Error('not refused');
  });

  it('never fails in any other way, and soon', () => {
    const word = fc.constantFrom(
      'host',
      'network',
      'of',
      'all',
      'cut',
      'storage',
      'hangs',
      '1',
      'and',
      'lost',
      'into',
      ' ',
    );
    const text = fc.oneof(
      fc.string(),
      fc.array(word, { maxLength: 40 }).map((words) => words.join(' ')),
    );
    fc.assert(
      fc.property(text, (words) => {
        try {
          return parseEvents(words, HOSTS).length > 0;
        } catch (error) {
          return error instanceof CounterpartError && error.facts.type === 'what-if/not-understood';
        }
      }),
    );
  });
});
