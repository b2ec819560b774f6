/** Every play, in the order in which the matrix and the demo list them. */
import { EDIT } from './edit.ts';
import { GLOBAL_MAINTENANCE, GLOBAL_MAINTENANCE_OFF } from './global-maintenance.ts';
import type { Play } from './play.ts';

export const PLAYS: readonly Play[] = [GLOBAL_MAINTENANCE, GLOBAL_MAINTENANCE_OFF, EDIT];
