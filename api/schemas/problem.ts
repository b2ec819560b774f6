/** RFC 9457 problem details, as documented and as the command line reads them. */
import { z } from '@hono/zod-openapi';
import type { ProblemDetails, ProblemError } from '../problems.ts';
import { optional } from './optional.ts';

const problemError = z.object({
  path: optional(z.string().openapi({ description: 'Of the field in the body, e.g. data.cluster.' })),
  line: optional(z.number().int().openapi({ description: 'Of the vm.conf, from 1.' })),
  key: optional(z.string()),
  what: z.string(),
  remedy: optional(z.string()),
}) satisfies z.ZodType<ProblemError>;

export const problemDetails = z
  .object({
    type: z.string().openapi({ example: '/problems/operation-exists', format: 'uri-reference' }),
    title: z.string(),
    status: z.number().int(),
    detail: z.string(),
    instance: optional(z.string()),
    errors: optional(z.array(problemError)),
    operation: optional(z.string().openapi({ description: 'Path of the operation concerned.' })),
    operations: optional(
      z
        .array(z.object({ id: z.string(), state: z.string(), step: optional(z.string()) }))
        .openapi({ description: 'Operations under way, as Temporal knows them without a worker.' }),
    ),
  })
  .openapi('Problem') satisfies z.ZodType<ProblemDetails>;

/** zod's issues as errors of a problem document. */
export function schemaErrors(error: z.ZodError): ProblemError[] {
  return error.issues.map((issue) => ({ path: issue.path.map(String).join('.') || '(body)', what: issue.message }));
}
