/** `/lab/faults`: how the lab's parent process injects faults into this one. No part of the engine's API. */
import { timingSafeEqual } from 'node:crypto';

import { z } from 'zod';

import type { LabFault } from '../../faults.ts';
import type { EngineFaults } from '../faults.ts';
import type { Answer } from './answer.ts';
import { htmlError, jsonAnswer } from './answer.ts';
import type { Incoming } from './incoming.ts';
import { formOf } from './incoming.ts';

const times = z.number().int().positive();
const match = z.string().min(1);

const fault = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('engine-error'),
    match,
    status: z.number().int().min(400).max(599),
    reason: z.string(),
    detail: z.string(),
    times,
  }),
  z.object({ kind: z.literal('engine-drop'), match, times }),
  z.object({ kind: z.literal('engine-slow'), match, delayMs: z.number().nonnegative() }),
  z.object({ kind: z.literal('engine-host-update'), host: z.string().min(1), times }),
  z.object({ kind: z.literal('engine-token-expired') }),
  z.object({ kind: z.literal('data-center-status'), status: z.string().min(1) }),
  z.object({
    kind: z.literal('host-install'),
    address: z.string().min(1),
    outcome: z.enum(['install_failed', 'non_operational']),
    times,
  }),
  z.object({ kind: z.literal('engine-ovf-busy'), times }),
  z.object({ kind: z.literal('engine-ovf-late'), times }),
]) satisfies z.ZodType<LabFault>;

const kinds = z.enum(fault.options.map((option) => option.shape.kind.value));

/** GET lists, POST injects one, DELETE clears all or those of `?kind=`. `undefined` = another path. */
export function labFaults(incoming: Incoming, faults: EngineFaults, key: string): Answer | undefined {
  const { path, form } = formOf(incoming);
  if (path !== '/lab/faults') return undefined;
  if (!sameKey(incoming.header('x-lab-key') ?? '', key)) return htmlError(403, 'Forbidden');
  if (incoming.method === 'GET') return jsonAnswer(200, faults.list());
  if (incoming.method === 'POST') {
    const parsed = fault.safeParse(parse(incoming.body));
    if (!parsed.success) return jsonAnswer(400, { error: z.prettifyError(parsed.error) });
    faults.inject(parsed.data);
    return jsonAnswer(200, parsed.data);
  }
  if (incoming.method !== 'DELETE') return htmlError(405, 'Method Not Allowed');
  const kind = kinds.optional().safeParse(form.get('kind') ?? undefined);
  if (!kind.success) return jsonAnswer(400, { error: z.prettifyError(kind.error) });
  faults.clear(kind.data);
  return jsonAnswer(200, faults.list());
}

function parse(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    return undefined;
  }
}

function sameKey(given: string, key: string): boolean {
  const [a, b] = [Buffer.from(given.trim()), Buffer.from(key.trim())];
  return a.length === b.length && timingSafeEqual(a, b);
}
