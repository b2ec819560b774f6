/** What operations on labs stand on: Temporal, S3 and the workflows' code. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkflowBundle } from '@temporalio/worker';
import { startPlatform, type Platform } from '../../infra/start/platform.ts';
import { workflowBundle } from '../workflow-bundle.ts';

export interface Ground {
  readonly platform: Platform;
  readonly bundle: WorkflowBundle;
  readonly bundleFile: string;
}

export interface OwnGround extends Ground {
  close(): Promise<void>;
}

/** A platform and the workflows' bundle in a folder of its own; `close` removes all of it. */
export async function openGround(): Promise<OwnGround> {
  const dir = mkdtempSync(join(tmpdir(), 'bellwether-ground-'));
  const [bundle, platform] = await Promise.all([
    workflowBundle(),
    startPlatform({ dir, env: {}, ui: false, say: () => {} }),
  ]);
  const bundleFile = join(dir, 'workflows.js');
  writeFileSync(bundleFile, bundle.code);
  const close = async () => {
    await platform.stop();
    rmSync(dir, { recursive: true, force: true });
  };
  return { platform, bundle, bundleFile, close };
}
