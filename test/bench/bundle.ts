/** What is in the workflow bundle: its size decides how long a worker takes to start and what a cached workflow weighs. */
import type { WorkflowBundle } from '@temporalio/worker';
import { bundleWorkflows } from '../../workers/orchestrator/worker.ts';
import { timed } from './stats.ts';

export interface BundleFacts {
  readonly buildMs: number;
  /** Code without the source map that is appended to it. */
  readonly codeKb: number;
  readonly withSourceMapKb: number;
  readonly packages: readonly string[];
  readonly hasZod: boolean;
}

const SOURCE_MAP = '\n//# sourceMappingURL=';
const MODULE_OF_PACKAGE = /node_modules\/((?:@[\w.-]+\/)?[\w.-]+)\//g;

export async function measureBundle(): Promise<{ facts: BundleFacts; bundle: WorkflowBundle & { code: string } }> {
  const { ms, value: bundle } = await timed(bundleWorkflows);
  const end = bundle.code.lastIndexOf(SOURCE_MAP);
  const code = end < 0 ? bundle.code : bundle.code.slice(0, end);
  const packages = [...new Set([...code.matchAll(MODULE_OF_PACKAGE)].map(([, name]) => name ?? ''))].sort();
  const kb = (text: string) => Buffer.byteLength(text) / 1000;
  const facts = {
    buildMs: ms,
    codeKb: kb(code),
    withSourceMapKb: kb(bundle.code),
    packages,
    hasZod: packages.includes('zod'),
  };
  return { facts, bundle };
}
