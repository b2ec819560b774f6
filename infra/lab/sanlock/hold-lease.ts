/**
 * Loaded before a VM's program (`node --import .../hold-lease.ts engine-main.ts`): the program begins once its lease is
 * held, as libvirt starts a VM, and the lease goes with the process.
 *
 * Environment: `LAB_SANLOCK_SOCKET`, and `LAB_LEASE` as JSON `{lockspace, name, path, offset}`. Exit 43: another host has it;
 * 44: it can't be had for another reason. A message `{moveTo: socketPath}` hands it over to another host's daemon (live
 * migration) and is answered with `{moved: true}` or `{moved: false, why}`.
 *
 * As a real VM, the program does not notice that its daemon dies (lab.md 1, hazard 4).
 */
import { z } from 'zod';
import { requests } from '../../../workers/host/env-linux/sanlock/codec.ts';
import { type Connection, openConnection } from '../../../workers/host/env-linux/sanlock/connection.ts';
import { isHeld, refusal } from '../../../workers/host/env-linux/sanlock/errors.ts';

const HELD = 43;
const FAILED = 44;
const LIMIT_MS = 10_000;

const lease = z
  .object({ lockspace: z.string(), name: z.string(), path: z.string(), offset: z.number() })
  .parse(JSON.parse(process.env['LAB_LEASE'] ?? 'null'));
const moveSchema = z.object({ moveTo: z.string() });

/** Waits as libvirt does: for as long as sanlock has not made up its mind. */
async function take(socketPath: string): Promise<Connection> {
  const connection = await openConnection(socketPath, LIMIT_MS);
  connection.tell(requests.register(process.pid));
  const { result } = await connection.ask(requests.acquire(lease), 'Failed to acquire lock', undefined);
  if (result >= 0) {
    connection.unref();
    return connection;
  }
  connection.close();
  throw refusal(`${lease.lockspace}:${lease.name}`, 'Failed to acquire lock', result);
}

function giveUp(error: unknown): never {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(isHeld(error) ? HELD : FAILED);
}

let socketPath = process.env['LAB_SANLOCK_SOCKET'] ?? '';
let held = await take(socketPath).catch(giveUp);

/** The source gives the lease up, then the target takes it: for a moment nobody has it, and the lab’s VM does not pause. */
async function move(to: string): Promise<{ readonly moved: true } | { readonly moved: false; readonly why: string }> {
  const source = held;
  try {
    if (!source.closed) await source.ask(requests.release(lease), 'Failed to release lock', LIMIT_MS);
  } catch {
    // The source's daemon is dead: its lease can't be given up, and the target will say so.
  }
  source.close();
  try {
    held = await take(to);
    socketPath = to;
    return { moved: true };
  } catch (error) {
    held = await take(socketPath).catch(giveUp);
    return { moved: false, why: error instanceof Error ? error.message : String(error) };
  }
}

let moving: Promise<void> = Promise.resolve();
process.on('message', (message: unknown) => {
  const wish = moveSchema.safeParse(message);
  if (!wish.success) return;
  moving = moving.then(async () => {
    const answer = await move(wish.data.moveTo);
    // Whoever asked may be gone: no reason for a VM to end.
    if (process.connected) process.send?.(answer, undefined, undefined, () => undefined);
  });
});
// The program lives as long as it wants to.
process.channel?.unref();
