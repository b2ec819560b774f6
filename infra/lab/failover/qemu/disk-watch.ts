/**
 * Split-brain detector: reads sector 0 of the engine VM's disk, where each guest writes its boot several times a second, and
 * keeps what it saw in the form of `guest-log.ts`.
 */
import { appendFileSync, closeSync, openSync, readSync } from 'node:fs';

const EVERY_MS = 50;
const SECTOR = 512;

/**
 * Looks at `disk` until it is ended; a line in `log` for each new write.
 * @param pidOf of the qemu of a start, as the guest names its start
 */
export function watchDisk(disk: string, log: string, pidOf: (token: string) => string): () => void {
  const fd = openSync(disk, 'r');
  const sector = Buffer.alloc(SECTOR);
  let before = '';
  const timer = setInterval(() => {
    readSync(fd, sector, 0, SECTOR, 0);
    const [whole, boot, host, token] =
      /^boot=([\da-f-]{36}) host=(\S+) pid=(\d+) n=\d+/.exec(sector.toString('latin1')) ?? [];
    if (whole === undefined || token === undefined || whole === before) return;
    before = whole;
    appendFileSync(log, `${boot} ${host} ${pidOf(token)} ${Date.now()}\n`);
  }, EVERY_MS);
  return () => {
    clearInterval(timer);
    closeSync(fd);
  };
}
