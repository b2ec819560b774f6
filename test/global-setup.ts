/** One real Temporal server and one bundle of the workflows for all tests that need them; others do not pay for it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startTemporal } from '../infra/temporal/server.ts';
import { workflowBundle } from './workflow-bundle.ts';

declare module 'vitest' {
  interface ProvidedContext {
    temporal: { readonly address: string; readonly namespace: string };
    /** File with the workflows' code. */
    bundleFile: string;
  }
}

const NAMESPACE = 'test';

/** @returns how to end it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dir = mkdtempSync(join(tmpdir(), 'bellwether-temporal-'));
  const bundleFile = join(dir, 'workflows.js');
  const [temporal, bundle] = await Promise.all([
    startTemporal({ dir: join(dir, 'temporal'), namespace: NAMESPACE, ui: false }),
    workflowBundle(),
  ]);
  writeFileSync(bundleFile, bundle.code);
  project.provide('temporal', { address: temporal.address, namespace: NAMESPACE });
  project.provide('bundleFile', bundleFile);
  return async () => {
    await temporal.stop();
    rmSync(dir, { recursive: true, force: true });
  };
}
