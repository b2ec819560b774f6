/** What the first look of adding a host found. */
import type { HostFacts } from './host-maintenance.ts';
import type { BoardFacts } from './hosted-engine.ts';

export interface AddHostFacts {
  readonly board: BoardFacts;
  readonly cluster: { readonly id: string; readonly name: string };
  readonly engineVm: { readonly id: string; readonly name: string };
  readonly host: { readonly name: string; readonly address: string; readonly vdsmPort?: number };
  /** What the engine knew of the host before; an undo leaves it so. Without it the operation adds the host, and removes it. */
  readonly known?: HostFacts;
  /** Hosted engine is deployed there already: it is only looked at. */
  readonly deployed: boolean;
  /** Index of the engine's newest event at the start: trouble since then belongs to this operation. */
  readonly eventsFrom: number;
}
