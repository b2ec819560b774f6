/** The looks as activities; their memory is the worker's. */
import { BACKUPS_LISTED_MAX, type LookActivities, type LookInput } from '../../workflows/model/look.ts';
import { listBackups } from '../archive/backups.ts';
import { asActivity } from '../border.activities.ts';
import type { Counterparts } from '../counterparts.ts';
import type { StepContext } from '../step-context.ts';
import { createExamine } from './examine.ts';
import { createLook } from './look.ts';

export function lookActivities(counterparts: Counterparts): LookActivities {
  const look = createLook(counterparts);
  const list = async ({ signal }: StepContext, { cluster }: LookInput) => {
    const { name } = counterparts.clusters.get(cluster);
    const { backups, damaged } = await listBackups(counterparts.archive, name, { signal });
    const more = Math.max(backups.length, damaged.length) > BACKUPS_LISTED_MAX;
    const newest = <T>(all: readonly T[]): readonly T[] => all.slice(0, BACKUPS_LISTED_MAX);
    return { version: 1 as const, cluster: name, backups: newest(backups), damaged: newest(damaged), more };
  };
  return {
    lookAtCluster: asActivity(look),
    examine: asActivity(createExamine(counterparts, look)),
    listBackups: asActivity(list),
  };
}
