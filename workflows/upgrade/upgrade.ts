/** Workflow `upgradeHostedEngine`: upgrades a hosted engine whose VM is still defined by a vm.conf. */
import { NOUNS } from '../model/words.ts';
import type { OperationResult } from '../model/operation.ts';
import type { OperationInput, UpgradeRequest } from '../model/requests.ts';
import { UPGRADE_STEPS, type UpgradeActivities } from '../model/upgrade.ts';
import { operationWorkflow } from '../steps/operation.ts';
import { runUpgrade } from './steps.ts';

const run = operationWorkflow<UpgradeRequest, UpgradeActivities>({
  noun: NOUNS.upgrade,
  steps: UPGRADE_STEPS,
  body: runUpgrade,
  stays: 'The engine manages its own VM already: that stays.',
});

export async function upgradeHostedEngine(input: OperationInput<UpgradeRequest>): Promise<OperationResult> {
  return run(input);
}
