/** The workflows' code, bundled once for all projects of a test run: each loads its global set-up anew, in one process. */
import { bundleWorkflows } from '../workers/orchestrator/worker.ts';

declare global {
  var workflowBundleOfTests: Promise<{ readonly code: string }> | undefined;
}

async function bundle(): Promise<{ readonly code: string }> {
  const made = await bundleWorkflows();
  if (!('code' in made)) throw new Error('the bundler answered a path instead of code');
  return made;
}

export function workflowBundle(): Promise<{ readonly code: string }> {
  return (globalThis.workflowBundleOfTests ??= bundle());
}
