/** The part of pino that the clients use. Nothing that may hold a secret (parameters, bodies) is ever logged. */
export interface Logger {
  debug(facts: object, message: string): void;
  info(facts: object, message: string): void;
  warn(facts: object, message: string): void;
}

export const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {} };
