/** The OpenAPI document as the reference page reads it: parsed from what is served, so the page can’t know anything else. */
import { z } from '@hono/zod-openapi';
import { CALLERS } from '../schemas/everywhere.ts';

const some = z.union([z.string(), z.number(), z.boolean(), z.null()]);

/** A JSON schema, as far as our document uses it. */
const shape = z.object({
  $ref: z.string().optional(),
  type: z.union([z.string(), z.array(z.string())]).optional(),
  description: z.string().optional(),
  format: z.string().optional(),
  pattern: z.string().optional(),
  enum: z.array(some).optional(),
  default: z.json().optional(),
  example: z.json().optional(),
  minimum: z.number().optional(),
  maximum: z.number().optional(),
  maxLength: z.number().optional(),
  required: z.array(z.string()).optional(),
  get properties() {
    return z.record(z.string(), shape).optional();
  },
  get items() {
    return shape.optional();
  },
  get oneOf() {
    return z.array(shape).optional();
  },
  get anyOf() {
    return z.array(shape).optional();
  },
  get allOf() {
    return z.array(shape).optional();
  },
});
export type Shape = z.output<typeof shape>;

const content = z.record(z.string(), z.object({ schema: shape, example: z.json().optional() })).optional();

const parameter = z.object({
  name: z.string(),
  in: z.enum(['path', 'query', 'header']),
  required: z.boolean().optional(),
  description: z.string().optional(),
  example: z.json().optional(),
  schema: shape,
});
export type Parameter = z.output<typeof parameter>;

const answer = z.object({
  description: z.string(),
  headers: z.record(z.string(), z.object({ description: z.string().optional(), schema: shape.optional() })).optional(),
  content,
});

const operation = z.object({
  operationId: z.string(),
  summary: z.string(),
  description: z.string().optional(),
  tags: z.tuple([z.string()]),
  'x-caller': z.enum(CALLERS),
  parameters: z.array(parameter).optional(),
  requestBody: z.object({ required: z.boolean().optional(), content }).optional(),
  responses: z.record(z.string(), answer),
});
export type Operation = z.output<typeof operation>;

const METHODS = ['get', 'post', 'put', 'patch', 'delete'] as const;

const served = z.object({
  info: z.object({ title: z.string(), version: z.string() }),
  tags: z.array(z.object({ name: z.string(), description: z.string() })),
  paths: z.record(z.string(), z.partialRecord(z.enum(METHODS), operation)),
  components: z.object({ schemas: z.record(z.string(), shape) }),
});

/** One method of one path. */
export interface Call {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

export interface Reference {
  readonly title: string;
  readonly version: string;
  readonly groups: readonly { readonly name: string; readonly description: string; readonly calls: readonly Call[] }[];
  /** By name. */
  readonly shapes: Readonly<Record<string, Shape>>;
}

/** @throws when the document has something that the page would not show */
export function readReference(document: unknown): Reference {
  const { info, tags, paths, components } = served.parse(document);
  const calls: Call[] = Object.entries(paths).flatMap(([path, methods]) =>
    METHODS.flatMap((method) => {
      const operation = methods[method];
      return operation === undefined ? [] : [{ method: method.toUpperCase(), path, operation }];
    }),
  );
  const groups = tags.map(({ name, description }) => ({
    name,
    description,
    calls: calls.filter(({ operation }) => operation.tags[0] === name),
  }));
  return { ...info, groups, shapes: components.schemas };
}

/** `Problem` of `#/components/schemas/Problem`. */
export const shapeName = (ref: string): string => ref.replace(/^.*\//, '');

/** What a reference leads to, else the shape itself. */
export function resolved({ shapes }: Pick<Reference, 'shapes'>, one: Shape): Shape {
  return one.$ref === undefined ? one : (shapes[shapeName(one.$ref)] ?? one);
}
