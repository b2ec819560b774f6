import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // The Temporal SDK's native core crashes in worker threads; only child processes are safe.
    pool: 'forks',
    maxWorkers: 2,
    include: ['{workflows,activities,workers,api,infra,test}/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
