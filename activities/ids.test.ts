import { assert, property, string } from 'fast-check';
import { expect, test } from 'vitest';
import { correlationOf, deriveId } from './ids.ts';

test('an id is the same for the same operation and purpose, and for nothing else', () => {
  assert(
    property(string(), string(), string(), (operation, purpose, other) => {
      const id = deriveId(operation, purpose);
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(deriveId(operation, purpose)).toBe(id);
      if (other !== purpose) expect(deriveId(operation, other)).not.toBe(id);
    }),
  );
});

test('the ticket comes first, so that the engine’s 36 characters keep it', () => {
  expect(correlationOf('upgrade/Default/CHG0001234')).toBe('CHG0001234-Default-upgrade');
  expect(correlationOf(`upgrade/${'long-cluster'.repeat(9)}/CHG0001234`)).toMatch(/^CHG0001234-long-cluster.{13}$/);
  expect(correlationOf('upgrade/Default/a:b.c')).toBe('a_b_c-Default-upgrade');
});
