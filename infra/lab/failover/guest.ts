/**
 * The engine VM of the failover lab: a process with a health page, a disk and nothing else.
 *
 * It holds its lease before its first line runs (`hold-lease.ts` is loaded ahead of it). Every 100 ms it writes its boot
 * into the disk's log: two boots that take turns there are two engine VMs at once.
 */
import { randomUUID } from 'node:crypto';
import { appendFileSync, existsSync } from 'node:fs';
import { createServer } from 'node:http';

const { LAB_GUEST_PORT, LAB_GUEST_DIR, LAB_GUEST_BOOT_MS, LAB_VM_HOST } = process.env;
const BEAT_MS = 100;
const SHUTDOWN_MS = 300;
const GOOD = 'DB Up!Welcome to Health Status!';

const boot = randomUUID();
const disk = `${LAB_GUEST_DIR}/disk.log`;
const write = () => appendFileSync(disk, `${boot} ${LAB_VM_HOST} ${process.pid} ${Date.now()}\n`);

process.send?.({ up: true });
write();
setInterval(write, BEAT_MS);

const server = createServer((_request, response) => {
  const sick = existsSync(`${LAB_GUEST_DIR}/sick`);
  response.writeHead(sick ? 500 : 200, { 'content-type': 'text/plain', connection: 'close' });
  response.end(sick ? 'DB Down!' : GOOD);
});
const listen = () => server.listen(Number(LAB_GUEST_PORT), '127.0.0.1');
// Its forerunner's port may take a moment to be free.
server.on('error', () => setTimeout(listen, BEAT_MS));
setTimeout(listen, Number(LAB_GUEST_BOOT_MS));

process.on('SIGTERM', () => setTimeout(() => process.exit(0), SHUTDOWN_MS));
// The lab is gone.
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
