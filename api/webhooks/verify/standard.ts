/** Standard Webhooks as a scheme; the verifier itself is `../standard.ts`. */
import { verifyStandard } from '../standard.ts';
import type { Scheme } from './scheme.ts';

export const standard: Scheme = {
  verify: (delivery, secrets, now) => verifyStandard(delivery.body, delivery.header, secrets, now),
  covers: 'id, time and body',
  toldAs200: [],
};
