/**
 * The process that does board I/O: it may hang in the kernel for ever without holding up the worker.
 *
 * It ends by itself when the worker is gone.
 */
import { readSlots, writeSlot } from './board-io.ts';
import { isRequest, READY, type BoardAnswer, type BoardRequest } from './board-messages.ts';

/** Makes one bundled file act as this process when it is its first argument. */
export const BOARD_PROCESS = 'board-process';

function perform(request: BoardRequest): BoardAnswer {
  const { number, path } = request;
  try {
    if (request.kind === 'read') return { number, ok: true, ...readSlots(path, request.ids) };
    return { number, ok: true, access: writeSlot(path, request.id, request.block), slots: new Map() };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'UNKNOWN';
    return { number, ok: false, code, message: error instanceof Error ? error.message : String(error) };
  }
}

/** Serves requests from the channel of `fork` until it closes. */
export function runBoardProcess(): void {
  process.on('message', (message: unknown) => {
    if (isRequest(message)) process.send?.(perform(message));
  });
  process.on('disconnect', () => process.exit(0));
  // A person's Ctrl-C reaches the whole group; the worker decides when this ends.
  process.on('SIGINT', () => undefined);
  process.send?.(READY);
}

if (process.argv[2] === BOARD_PROCESS) runBoardProcess();
