import { describe, expect, it } from 'vitest';
import { emptyMemory } from '../core/remember.ts';
import { RULES } from '../core/rules.ts';
import { look } from '../core/situation.ts';
import { calm } from '../journal/testing.ts';
import { adviceFor, ALERT_ADVICE, RULE_ADVICE } from './advice.ts';
import { STOPS_EARLIER } from './tellers.ts';

describe('the words for rules and alerts', () => {
  it('are there for each rule of the core, and for no other', () => {
    expect(Object.keys(RULE_ADVICE)).toEqual(RULES.map((rule) => rule.name));
  });

  it('are whole sentences', () => {
    for (const [name, advice] of [...Object.entries(RULE_ADVICE), ...Object.entries(ALERT_ADVICE)]) {
      for (const field of ['cause', 'effect', 'did', 'todo'] as const) {
        expect(advice[field], `${name} ${field}`).toMatch(/^[A-Z].{10,}\.$/);
      }
    }
  });

  it('exist even for a rule of another version', () => {
    expect(adviceFor('rule-of-tomorrow').todo).toContain('bellwether-host why');
  });

  it('know the hindrances that the core names', () => {
    const now = calm(1e6);
    const seen = [
      { ...now, vm: undefined },
      { ...now, storage: { atMs: now.nowMs, ok: false } },
    ].map((observation) => look(emptyMemory(0), observation).cannotRun);
    expect(new Set(seen)).toEqual(STOPS_EARLIER);
  });
});
