/** What a verb is: parameter names in the schema's order (for positional calls), and what it does. */
import type { HostState } from '../host-state.ts';
import type { Params } from '../params.ts';
import type { Json } from '../python.ts';

export interface Verb {
  readonly params: readonly string[];
  /** A result of `true` stands for VDSM's "no result". @throws VdsmError */
  run(host: HostState, params: Params): Json | Promise<Json>;
}

export type VerbTable = Readonly<Record<string, Verb>>;

/** @param params names separated by blanks */
export function verb(params: string, run: Verb['run']): Verb {
  return { params: params.split(' ').filter((name) => name !== ''), run };
}
