/**
 * The template that makes an operation request of a ticket's JSON: conditions and fields, each named by a JSON pointer.
 * A language on purpose too small to compute in; `README.md` beside this explains it with examples.
 */
import { z } from '@hono/zod-openapi';
import { optional } from '../schemas/optional.ts';
import { webhookRequest } from '../schemas/request.ts';
import { isPointer } from './pointer.ts';

export type Scalar = string | number | boolean | null;

/** Holds when the value at `path` passes the one test that is given. */
export interface Condition {
  readonly path: string;
  readonly equals?: Scalar;
  readonly in?: readonly Scalar[];
  readonly exists?: boolean;
  /** One element of the list at `path` fulfils all of these; their pointers begin at the element. */
  readonly some?: readonly Condition[];
}

/** Where a field's value comes from: `path`, `literal` or `fields`, exactly one of them. */
export interface MappedValue {
  readonly path?: string;
  /** Theirs to ours; a value that it does not have is a mistake. */
  readonly map?: Readonly<Record<string, Scalar>>;
  /** Senders that know only texts, and fields that want another kind. */
  readonly as?: 'text' | 'number' | 'boolean';
  /** Longer texts are cut. */
  readonly max?: number;
  /** Put before the text: numbers of one sender must not meet those of another. */
  readonly prefix?: string;
  /** Left out when there is nothing at `path`. */
  readonly optional?: boolean;
  /** Stands in when there is nothing at `path`. */
  readonly default?: unknown;
  readonly literal?: unknown;
  readonly fields?: Readonly<Record<string, MappedValue>>;
}

export interface Mapping {
  /** All of them must hold; else the delivery asks for nothing. */
  readonly when: readonly Condition[];
  readonly request: Readonly<Record<string, MappedValue>>;
  /** Deliveries that carry a comment: an operator's word may be in it. Looked at first. */
  readonly answer?: AnswerMapping;
}

export interface AnswerMapping {
  readonly when: readonly Condition[];
  /** As in the request. */
  readonly ticket: MappedValue;
  readonly user: MappedValue;
  readonly comment: MappedValue;
}

const TESTS = ['equals', 'in', 'exists', 'some'] as const;
const KINDS = ['path', 'literal', 'fields'] as const;

const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()], {
  error: 'a text, a number, true, false or null',
});
const pointer = z.string().refine(isPointer, {
  error: ({ input }) =>
    `${JSON.stringify(input)} is no JSON pointer: "/issue/key", parts led by "/", "~1" for "/" and "~0" for "~" in a name`,
});

const has = (value: object, names: readonly string[]) => names.filter((name) => Object.hasOwn(value, name));

const condition: z.ZodType<Condition> = z.lazy(() =>
  z
    .strictObject({
      path: pointer,
      equals: optional(scalar),
      in: optional(z.array(scalar).min(1)),
      exists: optional(z.boolean()),
      some: optional(z.array(condition).min(1)),
    })
    .refine((value) => has(value, TESTS).length === 1, { error: `needs exactly one of ${TESTS.join(', ')}` }),
);

/** A bare text, number or boolean is short for `{ "literal": … }`. */
const spelledOut = (value: unknown) => (typeof value === 'object' && value !== null ? value : { literal: value });

const mappedValue: z.ZodType<MappedValue> = z.lazy(() =>
  z.preprocess(
    spelledOut,
    z
      .strictObject({
        path: optional(pointer),
        map: optional(z.record(z.string(), scalar)),
        as: optional(z.enum(['text', 'number', 'boolean'])),
        max: optional(z.number().int().min(1)),
        prefix: optional(z.string().min(1)),
        optional: optional(z.boolean()),
        default: optional(z.unknown()),
        literal: optional(z.unknown()),
        fields: optional(z.record(z.string(), mappedValue)),
      })
      .refine((value) => has(value, KINDS).length === 1, { error: `needs exactly one of ${KINDS.join(', ')}` })
      .refine((value) => Object.hasOwn(value, 'path') || Object.keys(value).length === 1, {
        error: 'map, as, max, prefix, optional and default go with path only',
      }),
  ),
);

const OPERATIONS = webhookRequest.options.flatMap((option) => [...option.shape.operation.values]).map(String);
const FIELDS = new Set(webhookRequest.options.flatMap((option) => Object.keys(option.shape)));
const NEEDED = ['operation', 'cluster', 'ticket'];

/** The operations that a mapping can come to, as far as that is written in it. */
function namedOperations({ literal, map, default: otherwise }: MappedValue): unknown[] {
  const named = map === undefined ? [] : Object.values(map);
  return [...named, ...(literal === undefined ? [] : [literal]), ...(otherwise === undefined ? [] : [otherwise])];
}

const answer = z.strictObject({
  when: z.array(condition).min(1, 'needs a condition that tells a comment from all else'),
  ticket: mappedValue,
  user: mappedValue,
  comment: mappedValue,
}) satisfies z.ZodType<AnswerMapping>;

export const mapping = z
  .strictObject({
    when: z.array(condition).default([]),
    request: z.record(z.string(), mappedValue),
    answer: optional(answer),
  })
  .superRefine(({ request }, context) => {
    const wrong = (field: string, message: string) =>
      context.addIssue({ code: 'custom', path: ['request', field], message });
    for (const field of NEEDED) if (!Object.hasOwn(request, field)) wrong(field, 'every request needs it');
    for (const field of Object.keys(request)) {
      if (!FIELDS.has(field))
        wrong(field, `no request has such a field; known are ${[...FIELDS].toSorted().join(', ')}`);
    }
    const operation = request['operation'];
    if (operation === undefined) return;
    const unknown = namedOperations(operation).filter((name) => !OPERATIONS.includes(String(name)));
    for (const name of unknown) {
      wrong('operation', `${JSON.stringify(name)} is no operation; known are ${OPERATIONS.join(', ')}`);
    }
  }) satisfies z.ZodType<Mapping>;
