/** The HA host id of a host: the engine's SPM id of it in its data center (engine.md 11.2). */
import { CounterpartError } from '../errors.ts';
import type { EngineClient } from './client.ts';

/** The engine gives no higher one (engine.md 11.2). */
const HOST_ID_MAX = 250;

/**
 * REST shows it nowhere; only a search for it finds the host (engine.md 5). Ids are small: the smallest free one is given.
 * @throws CounterpartError retryable when no id leads to the host: it may just be on its way in or out
 */
export async function hostIdOf(engine: EngineClient, host: { readonly id: string; readonly name: string }) {
  for (let id = 1; id <= HOST_ID_MAX; id += 1) {
    const found = await engine.hosts({ search: `spm_id=${id}` });
    // Other data centers have hosts of the same number.
    if (found.some((candidate) => candidate.id === host.id)) return id;
  }
  throw new CounterpartError({
    type: 'engine/no-host-id',
    kind: 'retryable',
    subject: `host ${host.name}`,
    what: 'its host id was not found',
    why: `a search for spm_id 1 to ${HOST_ID_MAX} does not lead to it`,
    remedy: 'It is looked for again by itself; if it lasts, look at the host in the engine.',
  });
}
