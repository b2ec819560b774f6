/** The looks as activities; their memory is the worker's. */
import type { LookActivities } from '../../workflows/model/look.ts';
import { asActivity } from '../border.activities.ts';
import type { Counterparts } from '../counterparts.ts';
import { createExamine } from './examine.ts';
import { createLook } from './look.ts';

export function lookActivities(counterparts: Counterparts): LookActivities {
  const look = createLook(counterparts);
  return { lookAtCluster: asActivity(look), examine: asActivity(createExamine(counterparts, look)) };
}
