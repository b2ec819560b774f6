/** Whatever state the cluster is in: every screen comes, fits, and says nothing that is no word. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { capacity, capacityLines } from './capacity.ts';
import { explainCompat } from './status-compat.ts';
import { statusLines } from './status-text.ts';
import { explainStatus } from './status.ts';
import { createRig, VM_MEMORY_MB } from './testing.ts';
import { whatIfLines } from './what-if/text.ts';
import { whatIf } from './what-if/what-if.ts';
import { explainWhy, LINES } from './why.ts';
import { WIDTH } from './words.ts';

const step = fc.record({
  host: fc.integer({ min: 1, max: 3 }),
  vm: fc.constantFrom('absent', 'launching', 'up', 'paused', 'stopping', 'leaving', 'arriving', 'down'),
  exit: fc.constantFrom(undefined, 'lock-held', 'migrated', 'failed', 'crashed', 'shutdown'),
  engine: fc.constantFrom('good', 'bad', 'unknown'),
  network: fc.constantFrom(0, 0.4, 1),
  bridgeUp: fc.boolean(),
  storage: fc.boolean(),
  vdsm: fc.boolean(),
  sanlock: fc.boolean(),
  on: fc.boolean(),
  localMaintenance: fc.boolean(),
  shuttingDown: fc.boolean(),
  migrates: fc.boolean(),
  memFreeMb: fc.constantFrom(0, VM_MEMORY_MB),
  watchdogSeconds: fc.constantFrom(60, 60, 60, 30),
  owner: fc.constantFrom(undefined, 1, 2, 3, 7),
  seconds: fc.constantFrom(1, 5, 20, 60, 400),
});
const event = fc.constantFrom(
  'host1 lost',
  'network of host1 cut',
  'storage hangs',
  'engine vm dies',
  'host1 into maintenance',
);

const rules = new Set<string>();

it('any state', { timeout: 180_000 }, () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), fc.boolean(), event, (steps, global, what) => {
      const rig = createRig(['ours', 'ours', 'reference'], { off: true });
      rig.run(15);
      rig.setGlobal(global && steps.length === 1);
      for (const { host, seconds, owner, ...change } of steps) {
        Object.assign(rig.host(host), change);
        rig.lease.owner = owner;
        rig.run(seconds);
      }
      for (const id of [1, 2]) {
        const snapshot = rig.snapshot(id);
        rules.add(rig.rule(id));
        const why = explainWhy(snapshot);
        const lines = why.split('\n');
        expect(lines.length).toBeLessThanOrEqual(LINES);
        expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(WIDTH);
        const texts = [why, ...statusLines(explainStatus(snapshot)), ...capacityLines(capacity(snapshot))];
        expect(texts.join('\n')).not.toMatch(/undefined|NaN|Infinity|\[object/);
        expect(() => JSON.parse(explainCompat(snapshot, 0, rig.slots))).not.toThrow();
        if (snapshot.round !== undefined) {
          expect(whatIfLines(whatIf(snapshot, what)).join('\n')).not.toMatch(/undefined|NaN|Infinity|\[object/);
        }
      }
    }),
    { numRuns: 40, seed: 11 },
  );
  // It would say little if the states were all of one kind.
  expect(rules.size).toBeGreaterThan(10);
});
