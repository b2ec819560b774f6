/**
 * The bundled program's first lines: the processes that touch storage need a few kilobytes of it and no more, and the worker
 * none of the other commands, so the rest is only loaded by whoever asks for it.
 */
import { BOARD_PROCESS } from '../env-linux/board-process.ts';

const argv = process.argv.slice(2);
const [role] = argv;
if (role === 'definition-process') await import('../config/definition-process.ts');
else if (role !== BOARD_PROCESS) {
  // The board's process began with the import above.
  const { processIo } = await import('./io.ts');
  const { fileOfRun, runAlone } = await import('./run-alone.ts');
  const file = fileOfRun(argv);
  if (file === undefined) {
    const { main } = await import('./main.ts');
    process.exitCode = await main(argv, processIo());
  } else process.exitCode = await runAlone(file, processIo());
}
