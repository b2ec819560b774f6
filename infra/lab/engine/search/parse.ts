/** The engine's search language (engine.md 5): `field op value [and|or ...] [sortby field asc|desc] [page N]`. */

export type Operator = '=' | '!=' | '<' | '>' | '<=' | '>=';

export interface Condition {
  readonly kind: 'condition';
  /** Lower case; absent: free text, any field. */
  readonly field?: string;
  readonly operator: Operator;
  readonly value: string;
}

export interface Group {
  readonly kind: 'and' | 'or';
  readonly parts: readonly Expression[];
}

export type Expression = Condition | Group;

export interface Search {
  readonly where?: Expression;
  readonly sortBy?: { readonly field: string; readonly descending: boolean };
  readonly page?: number;
}

/** The expression cannot be read. */
export class BadSearch extends Error {}

interface Token {
  readonly text: string;
  readonly kind: 'word' | 'quoted' | 'operator' | 'open' | 'close';
}

const TOKEN = /\s*(?:"([^"]*)"|(!=|<=|>=|=|<|>)|([()])|([^\s"=<>!()]+))/y;

function tokens(source: string): Token[] {
  const out: Token[] = [];
  TOKEN.lastIndex = 0;
  const end = source.trimEnd().length;
  while (TOKEN.lastIndex < end) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(source);
    if (match === null) throw new BadSearch(`unexpected text at ${at + 1}`);
    const [, quoted, operator, bracket, word] = match;
    if (quoted !== undefined) out.push({ text: quoted, kind: 'quoted' });
    else if (operator !== undefined) out.push({ text: operator, kind: 'operator' });
    else if (bracket !== undefined) out.push({ text: bracket, kind: bracket === '(' ? 'open' : 'close' });
    else out.push({ text: word ?? '', kind: 'word' });
  }
  return out;
}

class Reader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(list: readonly Token[]) {
    this.#tokens = list;
  }

  peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  next(): Token | undefined {
    const token = this.peek();
    this.#at += 1;
    return token;
  }

  word(text: string): boolean {
    const token = this.peek();
    if (token?.kind !== 'word' || token.text.toLowerCase() !== text) return false;
    this.#at += 1;
    return true;
  }

  atTail(): boolean {
    const token = this.peek();
    return token === undefined || (token.kind === 'word' && /^(?:sortby|page)$/i.test(token.text));
  }
}

/**
 * Reads a search expression.
 *
 * @throws {BadSearch} with what is wrong
 */
export function parseSearch(source: string): Search {
  // The whole language is not case sensitive; an entity name before a colon (`Hosts: name=x`) is optional.
  const reader = new Reader(tokens(source.replace(/^\s*[a-z]+\s*:\s*/i, '')));
  const where = reader.atTail() ? undefined : orGroup(reader);
  let sortBy: Search['sortBy'];
  let page: number | undefined;
  while (reader.peek() !== undefined) {
    if (reader.word('sortby')) sortBy = sortField(reader);
    else if (reader.word('page')) page = pageNumber(reader);
    else throw new BadSearch(`unexpected '${reader.peek()?.text ?? ''}'`);
  }
  return { ...(where && { where }), ...(sortBy && { sortBy }), ...(page !== undefined && { page }) };
}

function sortField(reader: Reader): { field: string; descending: boolean } {
  const field = reader.next();
  if (field?.kind !== 'word') throw new BadSearch('sortby needs a field');
  const descending = reader.word('desc');
  if (!descending) reader.word('asc');
  return { field: field.text.toLowerCase(), descending };
}

function pageNumber(reader: Reader): number {
  const number = Number(reader.next()?.text);
  if (!Number.isSafeInteger(number) || number < 1) throw new BadSearch('page needs a number from 1');
  return number;
}

function orGroup(reader: Reader): Expression {
  return group(reader, 'or', () => group(reader, 'and', () => condition(reader)));
}

function group(reader: Reader, kind: 'and' | 'or', part: () => Expression): Expression {
  const first = part();
  const parts = [first];
  while (reader.word(kind)) parts.push(part());
  return parts.length === 1 ? first : { kind, parts };
}

function condition(reader: Reader): Expression {
  const first = reader.next();
  if (first === undefined) throw new BadSearch('the expression ends too early');
  if (first.kind === 'open') {
    const inner = orGroup(reader);
    if (reader.next()?.kind !== 'close') throw new BadSearch('a bracket is not closed');
    return inner;
  }
  if (first.kind !== 'word' && first.kind !== 'quoted') throw new BadSearch(`unexpected '${first.text}'`);
  const operator = reader.peek();
  if (first.kind === 'quoted' || operator?.kind !== 'operator') {
    return { kind: 'condition', operator: '=', value: first.text };
  }
  reader.next();
  const value = reader.next();
  if (value === undefined || (value.kind !== 'word' && value.kind !== 'quoted')) {
    throw new BadSearch(`'${first.text}' is compared with nothing`);
  }
  return { kind: 'condition', field: first.text.toLowerCase(), operator: operator.text as Operator, value: value.text };
}
