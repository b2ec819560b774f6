import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { TOOLS, findTool } from './infra/setup/tools.mjs';

/** They share one real Temporal server, which takes seconds to start: the rest must not wait for it. */
const ON_TEMPORAL = 'test/{workflows,histories}/**/*.test.ts';

/** They share a Temporal server, an S3 server and more, and have labs of their own. */
const ON_LABS = 'test/{faults,tickets}/**/*.test.ts';

/** Its process must be the first to make the SDK's runtime: it exports metrics. */
const ON_ITS_OWN = 'test/workflows/metrics.test.ts';

/** Minutes long: begun last, one of them would run alone at the end. */
const LONG = [
  'test/faults/matrix.test.ts',
  'test/faults/operations.test.ts',
  'test/faults/failover.test.ts',
  'test/simulation/simulation.test.ts',
  'test/faults/hosts.test.ts',
  'test/tickets/request-tracker.test.ts',
  'test/faults/reconcile.test.ts',
  'test/faults/install.test.ts',
];

class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification) => {
      const at = LONG.findIndex((name) => moduleId.endsWith(name));
      return at < 0 ? LONG.length : at;
    };
    return sorted.toSorted((a, b) => rank(a) - rank(b));
  }
}

export default defineConfig({
  test: {
    // The Temporal SDK's native core crashes in worker threads; only child processes are safe.
    pool: 'forks',
    maxWorkers: 3,
    // Whole labs run side by side in the fault matrix; more of them than this starve each other on two cores.
    maxConcurrency: 2,
    // The AWS SDK announces on every start that it will want a newer Node in 2027.
    env: {
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      BELLWETHER_VERSITYGW: findTool(TOOLS.versitygw) ?? '',
    },
    sequence: { sequencer: LongFirst },
    testTimeout: 60_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        test: {
          name: 'plain',
          include: ['test/**/*.test.ts'],
          exclude: ['**/node_modules/**', ON_TEMPORAL, ON_LABS],
          // As for the units below.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'lab',
          include: ['infra/**/*.test.ts'],
          // As for the units below.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'faults',
          include: [ON_LABS],
          globalSetup: './test/faults/global-setup.ts',
          // Each would load worker, front door and lab anew.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['{workflows,activities,workers,api}/**/*.test.ts'],
          // They share what they import: loading it anew for each file would take as long as the tests themselves.
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'temporal',
          include: [ON_TEMPORAL],
          exclude: ['**/node_modules/**', ON_ITS_OWN],
          globalSetup: './test/global-setup.ts',
          isolate: false,
          testTimeout: 180_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'metrics',
          include: [ON_ITS_OWN],
          globalSetup: './test/global-setup.ts',
          testTimeout: 180_000,
        },
      },
    ],
  },
});
