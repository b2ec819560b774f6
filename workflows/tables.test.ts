/** The table of operations in README.md is that of the code. After a change: `UPDATE_README=1 npx vitest run workflows`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import * as workflows from './index.ts';
import { ADD_HOST_STEPS } from './model/add-host.ts';
import { BACKUP_STEPS } from './model/backup.ts';
import { EDIT_STEPS } from './model/engine-vm.ts';
import { GLOBAL_MAINTENANCE_STEPS } from './model/global-maintenance.ts';
import { HOST_WORKER_STEPS } from './model/host-worker.ts';
import { ENTER_HOST_MAINTENANCE_STEPS, LEAVE_HOST_MAINTENANCE_STEPS } from './model/host-maintenance.ts';
import { INSTALL_STEPS } from './model/install.ts';
import type { StepPlan } from './model/operation.ts';
import { RECONCILE_STEPS } from './model/reconcile.ts';
import { REMOVE_HOST_STEPS } from './model/remove-host.ts';
import { WORKFLOW_TYPES, type OperationRequest } from './model/requests.ts';
import { RESTORE_STEPS } from './model/restore.ts';
import { ROLLING_UPDATE_STEPS } from './model/rolling-update.ts';
import { UPGRADE_STEPS } from './model/upgrade.ts';

const STEPS: readonly (readonly [OperationRequest['operation'], readonly StepPlan[], string?])[] = [
  ['install', INSTALL_STEPS],
  ['upgrade', UPGRADE_STEPS],
  ['add-host', ADD_HOST_STEPS, `with agent bellwether: ${HOST_WORKER_STEPS.map(({ name }) => name).join(' → ')}`],
  ['remove-host', REMOVE_HOST_STEPS],
  ['enter-host-maintenance', ENTER_HOST_MAINTENANCE_STEPS],
  ['leave-host-maintenance', LEAVE_HOST_MAINTENANCE_STEPS],
  [
    'rolling-host-update',
    ROLLING_UPDATE_STEPS,
    'for each host: HOST-check → HOST-maintenance → HOST-update → HOST-return',
  ],
  ['global-maintenance', GLOBAL_MAINTENANCE_STEPS],
  ['edit-engine-vm', EDIT_STEPS],
  ['backup', BACKUP_STEPS],
  ['restore', RESTORE_STEPS],
  ['reconcile', RECONCILE_STEPS, 'when there is something to repair: back-up-before → repair-… for each → verify'],
];

function table(): string {
  const rows = STEPS.map(([operation, steps, added]) => {
    const names = steps.map(({ name, skippable }) => (skippable === true ? `*${name}*` : name)).join(' → ');
    const more = added === undefined ? '' : `; before the last, ${added}`;
    return `| \`${operation}\` | \`${WORKFLOW_TYPES[operation]}\` | ${names}${more} |`;
  });
  return ['| operation | workflow | steps (in italics: may be skipped) |', '| --- | --- | --- |', ...rows].join('\n');
}

const FILE = new URL('README.md', import.meta.url);
const PART = /(<!-- operations -->\n)([\s\S]*?)(\n<!-- end of operations -->)/;

test('the table in README.md is that of the code', () => {
  const readme = readFileSync(FILE, 'utf8');
  if (process.env['UPDATE_README'] === '1') writeFileSync(FILE, readme.replace(PART, `$1${table()}$3`));
  expect(PART.exec(readFileSync(FILE, 'utf8'))?.[2]).toBe(table());
});

test('every operation has its row, its workflow, and the report as its last step', () => {
  expect(STEPS.map(([operation]) => operation).toSorted()).toEqual(Object.keys(WORKFLOW_TYPES).toSorted());
  for (const type of Object.values(WORKFLOW_TYPES)) expect(Object.keys(workflows)).toContain(type);
  for (const [, steps] of STEPS) expect(steps.at(-1)?.name).toBe('report');
});
