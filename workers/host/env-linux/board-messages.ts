/** What the worker and the process that does its board I/O say to each other. Both are of one build, so shapes are only checked. */
import type { Access } from './board-io.ts';

export type BoardRequest =
  | {
      readonly number: number;
      readonly kind: 'read';
      readonly path: string;
      readonly ids: readonly number[] | undefined;
    }
  | {
      readonly number: number;
      readonly kind: 'write';
      readonly path: string;
      readonly id: number;
      readonly block: Uint8Array;
    };

export type BoardAnswer =
  | { readonly number: number; readonly ok: true; readonly access: Access; readonly slots: ReadonlyMap<number, Buffer> }
  | { readonly number: number; readonly ok: false; readonly code: string; readonly message: string };

/** The process's first word: it is up. Nothing is asked of it before, so a slow start is never taken for slow storage. */
export const READY = 'ready';

function numbered(message: unknown): message is { readonly number: number } {
  return typeof message === 'object' && message !== null && 'number' in message && typeof message.number === 'number';
}

export function isRequest(message: unknown): message is BoardRequest {
  return numbered(message) && 'kind' in message && (message.kind === 'read' || message.kind === 'write');
}

export function isAnswer(message: unknown): message is BoardAnswer {
  return numbered(message) && 'ok' in message && typeof message.ok === 'boolean';
}
