/** What the front door needs of an audit trail; on Node it is a file (`file.ts`). */
import type { Trusted } from './from.ts';
import type { AuditFields, AuditLine } from './line.ts';

export interface AuditQuery {
  /** ISO times; `until` is left out itself. */
  readonly since?: string;
  readonly until?: string;
  /** Only lines with a lower number: to read on. */
  readonly before?: number;
  readonly limit: number;
}

export interface AuditPage {
  /** Newest first. */
  readonly lines: readonly AuditLine[];
  /** There are older ones within the query. */
  readonly more: boolean;
}

export interface AuditTrail {
  /** Resolves with the line's number when it is on disk. @throws when it can't be written. */
  append(kind: 'asked' | 'answered', fields: AuditFields): Promise<number>;
  /** @throws when it can't be read */
  read(query: AuditQuery): Promise<AuditPage>;
}

export interface AuditOptions {
  readonly trail: AuditTrail;
  /** True: what can't be written down is refused. */
  readonly required: boolean;
  readonly trusted?: Trusted;
}

/** Nothing was changed: it could not be written down who asked. */
export class AuditUnavailable extends Error {
  override readonly name = 'AuditUnavailable';
}
