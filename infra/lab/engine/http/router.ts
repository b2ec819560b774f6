import { EngineFault, notFound } from './engine-fault.ts';
import type { Route } from './call.ts';

export interface Found {
  readonly route: Route;
  readonly path: Readonly<Record<string, string>>;
}

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i;

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** A table of routes; literal segments win over variables. */
export class Router {
  readonly #routes: readonly { readonly route: Route; readonly parts: readonly string[] }[];

  constructor(routes: readonly Route[]) {
    this.#routes = routes
      .map((route) => ({ route, parts: route.path.split('/').filter((part) => part !== '') }))
      .sort((a, b) => literals(b.parts) - literals(a.parts));
  }

  /**
   * @throws 404 with an empty body (no such path), 405 (path known, method not), 400 (malformed id)
   */
  find(method: string, segments: readonly string[]): Found {
    const fitting = this.#routes.filter(({ parts }) => fits(parts, segments));
    const hit = fitting.find(({ route }) => route.method === method);
    if (hit === undefined) {
      throw fitting.length > 0
        ? new EngineFault(405, 'Method Not Allowed', `[${method} is not supported here]`)
        : notFound();
    }
    const path: Record<string, string> = {};
    hit.parts.forEach((part, index) => {
      const value = segments[index] ?? '';
      if (part.startsWith(':') && !UUID.test(value)) {
        throw new EngineFault(400, 'Operation failed', `Invalid UUID string: ${value}`);
      }
      if (/^[:*]/.test(part)) path[part.slice(1)] = part.startsWith(':') ? value.toLowerCase() : value;
    });
    return { route: hit.route, path };
  }
}

function literals(parts: readonly string[]): number {
  return parts.filter((part) => !/^[:*]/.test(part)).length;
}

function fits(parts: readonly string[], segments: readonly string[]): boolean {
  return (
    parts.length === segments.length && parts.every((part, index) => /^[:*]/.test(part) || part === segments[index])
  );
}
