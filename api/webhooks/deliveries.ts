/**
 * The delivery log: what came in and what became of it. A projection for people, never the truth (that is Temporal's):
 * losing it loses no operation, and a full disk fails no delivery.
 */
import { z } from '@hono/zod-openapi';
import { optional } from '../schemas/optional.ts';

export const VERDICTS = ['accepted', 'duplicate', 'nothing-to-do', 'refused'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** One line of the log. No bodies, secrets or signatures: a digest tells whether two bodies were the same. */
export const deliveryRecord = z
  .object({
    time: z.string().openapi({ format: 'date-time', example: '2026-11-21T14:26:00.000Z' }),
    instance: z.string().openapi({ description: 'Of the front door’s log line and of the problem document.' }),
    source: z.string().openapi({ example: 'jira' }),
    delivery: optional(z.string().openapi({ description: 'The sender’s id of it, once its signature was verified.' })),
    verdict: z.enum(VERDICTS),
    reason: optional(z.string().openapi({ example: 'signature-refused: no-match' })),
    status: z.number().int().openapi({ description: 'The HTTP status that was answered.', example: 202 }),
    operation: optional(z.string().openapi({ example: 'upgrade/Default/OPS-17' })),
    digest: optional(z.string().openapi({ description: 'SHA-256 of the body, hex.' })),
    size: optional(z.number().int()),
    remote: optional(z.string().openapi({ description: 'Address of the connection’s other end.' })),
  })
  .openapi('Delivery');
export type DeliveryRecord = z.infer<typeof deliveryRecord>;

/** Headers and body of a refused delivery, redacted and cut: of sources in test mode only, in memory only. */
const evidence = z.object({ headers: z.record(z.string(), z.string()), body: z.string() });
export type Evidence = z.infer<typeof evidence>;

export const deliveryList = z
  .object({
    deliveries: z.array(deliveryRecord),
    lastRefused: z.array(deliveryRecord.extend({ evidence: optional(evidence) })).openapi({
      description:
        'Of each source the newest refusal. Sources with "test": true keep headers and body of it, redacted.',
    }),
  })
  .openapi('DeliveryList');
export type DeliveryList = z.infer<typeof deliveryList>;

export const deliveryQuery = z.object({
  source: optional(z.string().max(100).openapi({ description: 'Of this source only.', example: 'servicedesk' })),
  limit: z.coerce.number().int().min(1).max(1000).default(100).openapi({ description: 'So many at most.' }),
});

/** Where lines are kept beyond this process; `delivery-file.ts`. */
export interface DeliveryStore {
  /** Takes the line, and writes it when it can; never throws. */
  append(line: string): void;
  /** The newest lines, oldest first. */
  tail(): Promise<readonly string[]>;
}

export interface DeliveryLog {
  record(record: DeliveryRecord, evidence?: Evidence): void;
  /** Newest first. */
  list(filter: z.infer<typeof deliveryQuery>): Promise<DeliveryList>;
  /** True when a delivery with this id was accepted lately: a repetition. */
  seen(source: string, delivery: string): boolean;
}

const RING = 200;

function parsed(line: string): DeliveryRecord[] {
  try {
    const record = deliveryRecord.safeParse(JSON.parse(line));
    return record.success ? [record.data] : [];
  } catch {
    // Torn by a full disk or a crash.
    return [];
  }
}

const TAKEN: readonly Verdict[] = ['accepted', 'duplicate'];

/** @param logger of which only warnings are used */
export function createDeliveryLog(
  logger: { warn(fields: object, message: string): void },
  store?: DeliveryStore,
): DeliveryLog {
  const ring: DeliveryRecord[] = [];
  const refused = new Map<string, DeliveryRecord & { evidence?: Evidence }>();

  async function stored(): Promise<DeliveryRecord[]> {
    if (store === undefined) return [];
    try {
      return (await store.tail()).flatMap(parsed);
    } catch (error) {
      logger.warn({ error: String(error) }, 'delivery log can’t be read');
      return [];
    }
  }

  return {
    record(record, kept) {
      ring.push(record);
      if (ring.length > RING) ring.shift();
      if (record.verdict === 'refused') {
        refused.set(record.source, kept === undefined ? record : { ...record, evidence: kept });
      }
      store?.append(JSON.stringify(record));
    },
    async list({ source, limit }) {
      // What could not be written is in memory still; what was written before a restart is in the file only.
      const all = new Map([...(await stored()), ...ring].map((record) => [record.instance, record]));
      const newest = [...all.values()]
        .filter((record) => source === undefined || record.source === source)
        .toSorted((a, b) => (a.time < b.time ? 1 : a.time > b.time ? -1 : 0));
      const last = new Map<string, DeliveryRecord & { evidence?: Evidence }>();
      for (const record of newest) {
        if (record.verdict === 'refused' && !last.has(record.source)) last.set(record.source, record);
      }
      for (const [name, record] of refused) {
        const written = last.get(name);
        if (source !== undefined && name !== source) continue;
        if (written === undefined || written.time <= record.time) last.set(name, record);
      }
      return { deliveries: newest.slice(0, limit), lastRefused: [...last.values()] };
    },
    seen: (source, delivery) =>
      ring.some((one) => one.delivery === delivery && one.source === source && TAKEN.includes(one.verdict)),
  };
}
