/**
 * The brace language of vm.conf's device lines: `{key:value,key:{...},key:[a,b]}`, without quotes or escapes
 * (engine.md 13, ha-agent.md 5.5).
 *
 * A key ends at the first colon, so values may hold colons: MAC addresses, paths, IPv6 addresses.
 */

export interface BraceMap {
  readonly [key: string]: BraceValue;
}
export type BraceValue = string | BraceMap | readonly BraceValue[];

export type BraceResult =
  | { readonly ok: true; readonly value: BraceMap; readonly duplicates: readonly string[] }
  | { readonly ok: false; readonly what: string; readonly remedy: string };

/** Real files nest three deep (device, specParams, node); the limit keeps hostile ones from using up the stack. */
const DEPTH_MAX = 8;

class BraceFault extends Error {
  readonly remedy: string;
  constructor(what: string, remedy: string) {
    super(what);
    this.remedy = remedy;
  }
}

export function isBraceMap(value: BraceValue | undefined): value is BraceMap {
  return typeof value === 'object' && !Array.isArray(value);
}

/** Text member of a map; undefined when absent or not text. */
export function braceText(map: BraceMap, key: string): string | undefined {
  const value = Object.hasOwn(map, key) ? map[key] : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** Hand-made files and some Python dumps quote; the agent strips the quotes too. */
function unquoted(text: string): string {
  const plain = text.trim();
  const quote = plain[0];
  if (plain.length >= 2 && (quote === "'" || quote === '"') && plain.endsWith(quote)) return plain.slice(1, -1).trim();
  return plain;
}

class Scanner {
  readonly #text: string;
  #at = 0;
  readonly duplicates: string[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  whole(): BraceMap {
    this.#blanks();
    if (this.#text[this.#at] !== '{') {
      throw new BraceFault(`starts with ${this.#here()} instead of {`, 'Write it as {key:value,key:value}.');
    }
    const map = this.#map(1);
    this.#blanks();
    if (this.#at < this.#text.length) {
      throw new BraceFault(`has ${this.#here()} after its closing brace`, 'Remove what follows the last }.');
    }
    return map;
  }

  #here(): string {
    const rest = this.#text.slice(this.#at, this.#at + 12);
    return rest === '' ? 'nothing' : JSON.stringify(rest);
  }

  #blanks(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at += 1;
  }

  #until(stops: string): string {
    const from = this.#at;
    while (this.#at < this.#text.length && !stops.includes(this.#text[this.#at] ?? '')) this.#at += 1;
    return this.#text.slice(from, this.#at);
  }

  #map(depth: number): BraceMap {
    if (depth > DEPTH_MAX) throw new BraceFault(`nests deeper than ${DEPTH_MAX} braces`, 'Flatten it.');
    const entries = new Map<string, BraceValue>();
    this.#at += 1;
    for (;;) {
      this.#blanks();
      if (this.#text[this.#at] === '}') break;
      const key = this.#key();
      if (entries.has(key)) this.duplicates.push(key);
      entries.set(key, this.#value(depth, ',}'));
      this.#blanks();
      if (this.#text[this.#at] === ',') this.#at += 1;
      else if (this.#text[this.#at] !== '}') throw this.#open('brace', '}');
    }
    this.#at += 1;
    return Object.fromEntries(entries);
  }

  #key(): string {
    const key = unquoted(this.#until(':,{}[]'));
    if (this.#at >= this.#text.length) throw this.#open('brace', '}');
    if (this.#text[this.#at] !== ':' || key === '') {
      throw new BraceFault(
        key === ''
          ? `has ${this.#here()} where a key should be`
          : `has ${JSON.stringify(key.slice(0, 40))} without a value`,
        'Write key:value; values cannot hold commas or braces.',
      );
    }
    this.#at += 1;
    return key;
  }

  #open(what: string, sign: string): BraceFault {
    return this.#at >= this.#text.length
      ? new BraceFault(`has an opening ${what} that is never closed`, `Close it with ${sign}, on the same line.`)
      : new BraceFault(`has ${this.#here()} after a closed value`, 'Put a comma between entries.');
  }

  #value(depth: number, stops: string): BraceValue {
    this.#blanks();
    if (this.#text[this.#at] === '{') return this.#map(depth + 1);
    if (this.#text[this.#at] === '[') {
      const from = this.#at;
      const list = this.#list(depth + 1);
      this.#blanks();
      const next = this.#text[this.#at];
      if (next === undefined || stops.includes(next)) return list;
      // `[2001:db8::1]:/export`: an address, not a list.
      this.#at = from;
    }
    const text = this.#until(`${stops}{`);
    if (this.#text[this.#at] === '{') {
      throw new BraceFault(
        `has a brace inside the value ${JSON.stringify(text.slice(0, 40))}`,
        'Put a comma before it.',
      );
    }
    return unquoted(text);
  }

  #list(depth: number): readonly BraceValue[] {
    if (depth > DEPTH_MAX) throw new BraceFault(`nests deeper than ${DEPTH_MAX} braces`, 'Flatten it.');
    const items: BraceValue[] = [];
    this.#at += 1;
    this.#blanks();
    if (this.#text[this.#at] === ']') {
      this.#at += 1;
      return items;
    }
    for (;;) {
      items.push(this.#value(depth, ',]'));
      this.#blanks();
      const next = this.#text[this.#at];
      if (next !== ',' && next !== ']') throw this.#open('bracket', ']');
      this.#at += 1;
      if (next === ']') return items;
    }
  }
}

/** One device text to a map. Never throws; a key given twice counts once, with its last value. */
export function parseBrace(text: string): BraceResult {
  const scanner = new Scanner(text);
  try {
    const value = scanner.whole();
    return { ok: true, value, duplicates: scanner.duplicates };
  } catch (error) {
    if (error instanceof BraceFault) return { ok: false, what: error.message, remedy: error.remedy };
    throw error;
  }
}

/** Inverse of `parseBrace` for every value that it can give. */
export function formatBrace(value: BraceValue): string {
  if (typeof value === 'string') return value;
  if (!isBraceMap(value)) return `[${value.map(formatBrace).join(',')}]`;
  return `{${Object.entries(value)
    .map(([key, member]) => `${key}:${formatBrace(member)}`)
    .join(',')}}`;
}

/** Same content whatever the order of keys; an empty map and an absent value are the same (`specParams:{}`). */
export function sameBrace(a: BraceValue | undefined, b: BraceValue | undefined): boolean {
  if (typeof a === 'string' || typeof b === 'string') return a === b;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, i) => sameBrace(item, b[i]));
  }
  const [left, right] = [isBraceMap(a) ? a : {}, isBraceMap(b) ? b : {}];
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].every((key) =>
    sameBrace(Object.hasOwn(left, key) ? left[key] : undefined, Object.hasOwn(right, key) ? right[key] : undefined),
  );
}
