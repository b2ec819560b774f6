import { z } from '@hono/zod-openapi';

/**
 * A key that may be missing.
 *
 * `z.exactOptional` has the right type for `exactOptionalPropertyTypes`, but the OpenAPI generator lists such a key as
 * required. So the schema is a plain optional, typed as an exact one. That holds at run time because our inputs are
 * parsed JSON, which has no `undefined`.
 */
export function optional<T extends z.ZodType>(inner: T): z.ZodExactOptional<T> {
  const schema: unknown = z.optional(inner);
  return schema as z.ZodExactOptional<T>;
}
