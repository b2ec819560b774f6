/**
 * What a conversion has to say: problems stop it, warnings go with the result.
 *
 * Both are plain data, so that they travel through an API answer, a ticket and a workflow's history unchanged.
 */

/** Something that must be changed before the input can be used. */
export interface ConversionProblem {
  /** 1-based line of the input; absent where the input has no useful lines (a generated OVF). */
  readonly line?: number;
  /** The key, device key or element concerned, e.g. `memSize`, `devices`, `Content/TemplateId`. */
  readonly key: string;
  /** What is wrong, without a full stop. */
  readonly what: string;
  /** What the reader should do next. */
  readonly remedy: string;
}

/** Stable names, for callers that act on a warning. */
export type WarningCode =
  /** A key given more than once: the last one counts, as for the HA agent. */
  | 'duplicate'
  /** Readers of the real systems differ on this text. */
  | 'ambiguous'
  /** A value was missing and the usual one was taken. */
  | 'defaulted'
  /** Written in the manner of an older version and read as its newer form. */
  | 'old-style'
  /** There is no disk that the OVF could describe: the imported VM would have none. */
  | 'no-disk'
  /** No place in the OVF; kept beside it, for the way back only. */
  | 'kept-aside'
  /** The HA agent always puts its own value there. */
  | 'ha-constant'
  /** The embedded domain XML is not used, or not as it stands. */
  | 'engine-xml'
  /** Facts about a disk were not given. */
  | 'disk-facts'
  /** The engine or the HA agent will treat this differently from what one may expect. */
  | 'behaviour';

export interface ConversionWarning {
  readonly code: WarningCode;
  readonly line?: number;
  readonly key: string;
  /** What was done or left out, without a full stop. */
  readonly what: string;
  /** Why, and what it means later. */
  readonly why: string;
}

export interface Refused {
  readonly ok: false;
  /** Never empty. */
  readonly problems: readonly ConversionProblem[];
}

/** One line for a log or a terminal. */
export function problemText(problem: ConversionProblem): string {
  const place = problem.line === undefined ? problem.key : `line ${problem.line}, ${problem.key}`;
  return `${place}: ${problem.what}. ${problem.remedy}`;
}
