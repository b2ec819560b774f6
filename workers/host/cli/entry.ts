/**
 * The bundled program's first lines: the processes that touch storage need a few kilobytes of it and no more, so the rest is
 * only loaded by whoever asks for it.
 */
import { BOARD_PROCESS } from '../env-linux/board-process.ts';

const [, , role] = process.argv;
if (role === 'definition-process') await import('../config/definition-process.ts');
else if (role !== BOARD_PROCESS) {
  // The board's process began with the import above.
  const { main } = await import('./main.ts');
  const { processIo } = await import('./io.ts');
  process.exitCode = await main(process.argv.slice(2), processIo());
}
