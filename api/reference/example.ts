/** An example of each call, made of the document’s own examples. Pure. */
import { resolved, type Call, type Reference, type Shape } from './shape.ts';

export interface Example {
  readonly method: string;
  /** With its parameters, from `/` on. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON. */
  readonly body?: string;
}

type Shapes = Pick<Reference, 'shapes'>;

function objectOf(shapes: Shapes, { properties = {}, required = [] }: Shape): Record<string, unknown> {
  const shown = Object.entries(properties).filter(
    ([name, one]) => required.includes(name) || resolved(shapes, one).example !== undefined,
  );
  return Object.fromEntries(shown.map(([name, one]) => [name, valueOf(shapes, one)]));
}

/** A value of this shape: its own example, else what is allowed, needed fields first. */
function valueOf(shapes: Shapes, given: Shape): unknown {
  const shape = resolved(shapes, given);
  const [kind] = shape.oneOf ?? shape.anyOf ?? shape.allOf ?? [];
  if (shape.example !== undefined) return shape.example;
  if (shape.default !== undefined) return shape.default;
  if (shape.enum !== undefined) return shape.enum[0];
  if (kind !== undefined) return valueOf(shapes, kind);
  if (shape.items !== undefined) return [valueOf(shapes, shape.items)];
  if (shape.properties !== undefined) return objectOf(shapes, shape);
  if (shape.type === 'integer' || shape.type === 'number') return shape.minimum ?? 0;
  return shape.type === 'boolean' ? false : '…';
}

const text = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

export function exampleOf(shapes: Shapes, { method, path, operation }: Call): Example {
  const parameters = operation.parameters ?? [];
  const exampleFor = (name: string): string => {
    const found = parameters.find((one) => one.in === 'path' && one.name === name);
    return encodeURIComponent(text(found?.schema.example ?? found?.example ?? name));
  };
  const headers = parameters.flatMap(({ in: place, name, schema, example }): [string, string][] => {
    const value = schema.example ?? example;
    return place === 'header' && value !== undefined ? [[name, text(value)]] : [];
  });
  const json = operation.requestBody?.content?.['application/json'];
  const body = json === undefined ? undefined : JSON.stringify(json.example ?? valueOf(shapes, json.schema));
  return {
    method,
    path: path.replaceAll(/\{(\w+)\}/g, (_, name: string) => exampleFor(name)),
    headers: Object.fromEntries([...(body === undefined ? [] : [['content-type', 'application/json']]), ...headers]),
    ...(body === undefined ? {} : { body }),
  };
}

const quoted = (words: string): string => `'${words.replaceAll("'", `'\\''`)}'`;

/** For a shell. `withToken`: it is a call of somebody who has one. */
export function curlOf({ method, path, headers, body }: Example, withToken: boolean): string {
  const parts = [
    `curl -sS${method === 'GET' ? '' : ` -X ${method}`} "$BELLWETHER_URL${path}"`,
    ...(withToken ? ['-H "Authorization: Bearer $TOKEN"'] : []),
    ...Object.entries(headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    ...(body === undefined ? [] : [`-d ${quoted(body)}`]),
  ];
  return parts.join(' \\\n  ');
}
