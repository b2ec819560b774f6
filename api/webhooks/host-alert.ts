/** What a host worker sends (workers/host/alerts/webhook.ts): read, and kept with its cluster. */
import { z } from '@hono/zod-openapi';
import type { HostAlert } from '../../workflows/model/cluster.ts';
import { jsonOf, refuse, type AppContext } from '../context.ts';
import type { AppPorts } from '../ports.ts';
import { schemaErrors } from '../schemas/problem.ts';

const words = z.string().max(2000);

export const hostAlert = z
  .object({
    host: z.string().min(1).max(255).openapi({ example: 'host1.example.test', description: 'Who tells it.' }),
    kind: z.string().min(1).max(100).openapi({ example: 'engine-started', description: 'What happened, in one word.' }),
    text: words.openapi({ description: 'What happened.' }),
    cause: words.openapi({ description: 'Why.' }),
    effect: words.openapi({ description: 'What it means for the engine.' }),
    did: words.openapi({ description: 'What the worker did.' }),
    todo: words.openapi({ description: 'What a person should do.' }),
    atIso: z.iso.datetime().openapi({ description: 'When.' }),
  })
  .openapi('HostAlert');

/** @param id of the delivery, already verified */
export async function receiveAlert(
  c: AppContext,
  ports: Pick<AppPorts, 'alerts' | 'logger'>,
  cluster: string,
  id: string,
  bytes: Uint8Array,
): Promise<Response> {
  const json = jsonOf(c, bytes);
  if (!json.ok) return json.response;
  const parsed = hostAlert.safeParse(json.value);
  if (!parsed.success) return refuse(c, 'invalid-request', 'nothing was kept', { errors: schemaErrors(parsed.error) });
  const { host, kind, text, did, todo, atIso: at } = parsed.data;
  const alert: HostAlert = { id, at, host, kind, text, did, todo };
  const reply = await ports.alerts.tell(cluster, alert);
  if (reply.outcome === 'unavailable') return refuse(c, 'temporal-unavailable', reply.why);
  ports.logger.warn({ cluster, ...alert }, 'a host worker told');
  return c.json({ kept: true }, 202);
}
