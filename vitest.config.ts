import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // The Temporal SDK's native core crashes in worker threads; only child processes are safe.
    pool: 'forks',
    maxWorkers: 2,
    // Whole labs run side by side in the fault matrix; more of them than this starve each other on two cores.
    maxConcurrency: 3,
    include: ['{workflows,activities,workers,api,infra,test}/**/*.test.ts'],
    // The AWS SDK announces on every start that it will want a newer Node in 2027.
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
