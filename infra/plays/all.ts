/** Every play, in the order in which the matrix and the demo list them. */
import { BACKUP } from './backup.ts';
import { EDIT } from './edit.ts';
import { GLOBAL_MAINTENANCE, GLOBAL_MAINTENANCE_OFF } from './global-maintenance.ts';
import { ENTER_HOST_MAINTENANCE, HALF_HOST_MAINTENANCE, LEAVE_HOST_MAINTENANCE } from './host-maintenance.ts';
import { ADD_HOST_BELLWETHER, REMOVE_HOST_BELLWETHER } from './host-worker.ts';
import { ADD_HOST, REINSTALL_HOST, REMOVE_DEAD_HOST, REMOVE_ENGINE_HOST, REMOVE_HOST } from './hosts.ts';
import { INSTALL } from './install.ts';
import type { Play } from './play.ts';
import { RECONCILE } from './reconcile.ts';
import { RESTORE, RESTORE_PREVIEW } from './restore.ts';
import { ROLLING_HOST_UPDATE } from './rolling-update.ts';
import { UPGRADE } from './upgrade.ts';

export const PLAYS: readonly Play[] = [
  GLOBAL_MAINTENANCE,
  GLOBAL_MAINTENANCE_OFF,
  EDIT,
  ENTER_HOST_MAINTENANCE,
  LEAVE_HOST_MAINTENANCE,
  HALF_HOST_MAINTENANCE,
  ROLLING_HOST_UPDATE,
  ADD_HOST,
  ADD_HOST_BELLWETHER,
  REINSTALL_HOST,
  REMOVE_HOST,
  REMOVE_HOST_BELLWETHER,
  REMOVE_ENGINE_HOST,
  REMOVE_DEAD_HOST,
  BACKUP,
  RESTORE,
  RESTORE_PREVIEW,
  RECONCILE,
  INSTALL,
  UPGRADE,
];
