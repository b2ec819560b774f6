/** What the benchmark and its processes say to each other. */
import { z } from 'zod';

export const doorSettings = z.object({
  address: z.string(),
  namespace: z.string(),
  taskQueue: z.string(),
  clusters: z.array(z.string()),
  secretFile: z.string(),
});
export type DoorSettings = z.infer<typeof doorSettings>;
export const doorReady = z.object({ doorUrl: z.string(), idleUrl: z.string() });

export const workerSettings = z.object({
  address: z.string(),
  namespace: z.string(),
  taskQueue: z.string(),
  codePath: z.string(),
  /** What its steps do: nothing, or park the operation. */
  steps: z.enum(['idle', 'parking']),
  /** Workflows kept in memory. */
  cached: z.number().int(),
});
export type WorkerSettings = z.infer<typeof workerSettings>;
/** Times in milliseconds since the process began; memory in bytes, after a collection. */
export const workerReady = z.object({ loadedMs: z.number(), readyMs: z.number(), rssBytes: z.number() });
export const workerFirst = z.object({ firstStepMs: z.number() });
export const workerMemory = z.object({ rssBytes: z.number(), steps: z.number() });
