/** Fields of a shape as rows: by their path, with what may be in them. Pure. */
import { resolved, shapeName, type Reference, type Shape } from './shape.ts';

export interface Field {
  /** `vm.staticIp.address`, `hosts[].name`. */
  readonly name: string;
  readonly type: string;
  /** Shapes that its type is made of, by name. */
  readonly links: readonly string[];
  readonly required: boolean;
  readonly description?: string;
  readonly example?: string;
  readonly preset?: string;
}

/** A shape of several kinds: what all have, and what each has beside it. */
export interface Variants {
  readonly common: readonly Field[];
  readonly kinds: readonly { readonly name: string; readonly fields: readonly Field[] }[];
}

const written = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

function bounds({ minimum, maximum, maxLength, format }: Shape): string {
  const range = [minimum === undefined ? '' : `from ${minimum}`, maximum === undefined ? '' : `to ${maximum}`];
  const length = maxLength === undefined ? '' : `at most ${maxLength} characters`;
  return [format ?? '', range.filter(Boolean).join(' '), length].filter(Boolean).join(', ');
}

/** In words: `string`, `on or off`, `list of Host`. */
export function typeOf(shape: Shape): string {
  if (shape.$ref !== undefined) return shapeName(shape.$ref);
  if (shape.enum !== undefined) return shape.enum.map(written).join(' or ');
  const kinds = shape.oneOf ?? shape.anyOf ?? shape.allOf;
  if (kinds !== undefined) {
    const join = shape.allOf === undefined ? ' or ' : ' and ';
    return kinds.map((kind) => kindName(kind) ?? typeOf(kind)).join(join);
  }
  if (shape.items !== undefined) return `list of ${typeOf(shape.items)}`;
  const type = Array.isArray(shape.type) ? shape.type.join(' or ') : (shape.type ?? 'anything');
  const within = bounds(shape);
  return within === '' ? type : `${type} (${within})`;
}

function linksOf(shape: Shape): string[] {
  if (shape.$ref !== undefined) return [shapeName(shape.$ref)];
  return [shape.items, ...(shape.oneOf ?? []), ...(shape.anyOf ?? []), ...(shape.allOf ?? [])].flatMap((one) =>
    one === undefined ? [] : linksOf(one),
  );
}

const DISCRIMINATORS = ['operation', 'kind', 'type'];

/** What tells this kind from the others: the only value of its `operation`, `kind` or `type`. */
function kindName(shape: Shape): string | undefined {
  for (const field of DISCRIMINATORS) {
    const values = shape.properties?.[field]?.enum;
    if (values !== undefined) return values.map(written).join(' or ');
  }
  return undefined;
}

function fieldOf(name: string, shape: Shape, required: boolean): Field {
  return {
    name,
    type: typeOf(shape),
    links: linksOf(shape),
    required,
    ...(shape.description === undefined ? {} : { description: shape.description }),
    ...(shape.example === undefined ? {} : { example: written(shape.example) }),
    ...(shape.default === undefined ? {} : { preset: written(shape.default) }),
  };
}

/** Rows of what is in a field: of its own shape, not of a named one, which has a place of its own. */
function inner(name: string, shape: Shape): Field[] {
  if (shape.items !== undefined) return inner(`${name}[]`, shape.items);
  const kinds = shape.oneOf ?? shape.anyOf ?? shape.allOf ?? [shape];
  const rows = kinds.flatMap((kind) => (kind.$ref === undefined ? fieldsOf(kind, `${name}.`) : []));
  return rows.filter(({ name: own }, index) => rows.findIndex((other) => other.name === own) === index);
}

/** Every field, the inner ones after the one that they are in. */
export function fieldsOf(shape: Shape, prefix = ''): Field[] {
  return Object.entries(shape.properties ?? {}).flatMap(([key, one]) => {
    const name = `${prefix}${key}`;
    return [fieldOf(name, one, shape.required?.includes(key) === true), ...inner(name, one)];
  });
}

const same = (a: Field, b: Field): boolean => JSON.stringify(a) === JSON.stringify(b);

/** Undefined: the shape is of one kind only. */
export function variantsOf(reference: Pick<Reference, 'shapes'>, shape: Shape): Variants | undefined {
  const kinds = shape.oneOf ?? shape.anyOf;
  if (kinds === undefined) return undefined;
  const all = kinds.map((kind) => {
    const whole = resolved(reference, kind);
    const name =
      kind.$ref === undefined
        ? (kindName(whole) ?? Object.keys(whole.properties ?? {}).join(', '))
        : shapeName(kind.$ref);
    return { name, fields: kind.$ref === undefined ? fieldsOf(whole) : [] };
  });
  const [first, ...others] = all;
  const common = (first?.fields ?? []).filter((field) =>
    others.every(({ fields }) => fields.some((other) => same(field, other))),
  );
  const kept = ({ name, fields }: (typeof all)[number]) => ({
    name,
    fields: fields.filter((field) => !common.some((other) => same(field, other))),
  });
  return { common, kinds: all.map(kept) };
}
