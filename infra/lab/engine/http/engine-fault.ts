/** A refusal of the engine, in the words and with the code a client sees (engine.md 3). */
export class EngineFault extends Error {
  readonly status: number;
  readonly reason: string;
  readonly detail: string;
  /** 404 of a missing object has no body at all. */
  readonly empty: boolean;

  constructor(status: number, reason: string, detail: string, empty = false) {
    super(`${status} ${reason}: ${detail}`);
    this.name = 'EngineFault';
    this.status = status;
    this.reason = reason;
    this.detail = detail;
    this.empty = empty;
  }
}

/** A command refused by validation, or failed: the detail is a Java list printed with brackets. */
export function refused(status: 400 | 403 | 409 | 500, ...texts: readonly string[]): EngineFault {
  return new EngineFault(status, 'Operation Failed', `[${texts.join(', ')}]`);
}

/** A missing object on the path: 404 with an empty body. */
export function notFound(): EngineFault {
  return new EngineFault(404, '', '', true);
}

/** An object named in a body which does not exist: 404 with a fault. */
export function entityNotFound(what: string): EngineFault {
  return new EngineFault(404, 'Operation Failed', `Entity not found: ${what}`);
}

export function incomplete(detail: string): EngineFault {
  return new EngineFault(400, 'Incomplete parameters', detail);
}

export function invalidValue(detail: string): EngineFault {
  return new EngineFault(400, 'Invalid value', detail);
}

/** Text of ACTION_TYPE_FAILED_OBJECT_LOCKED, which clients retry. */
export const BUSY = 'Related operation is currently in progress. Please try again later.';
