/**
 * The real engine VM as the simulated VDSM's program: starts qemu under its lease and answers for it.
 *
 * Environment: `LAB_QEMU` and `LAB_LEASE` (`settings.ts`), `LAB_SANLOCK_SOCKET`, `LAB_VM_HOST`, `LAB_VM_ID`. SIGTERM is the
 * power button; qemu dies with this process. Exit: 0 the guest shut down, 1 qemu died, 43 another host has the lease, 44 it
 * can't be had for another reason.
 */
import { writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { startLibvirt } from './libvirt.ts';
import { startPlain } from './plain.ts';
import { leaseSchema, pidFile, vmSchema, type VmOrder } from './settings.ts';

const { LAB_QEMU, LAB_LEASE, LAB_SANLOCK_SOCKET, LAB_VM_HOST, LAB_VM_ID } = process.env;

const order: VmOrder = {
  settings: vmSchema.parse(JSON.parse(LAB_QEMU ?? 'null')),
  lease: leaseSchema.parse(JSON.parse(LAB_LEASE ?? 'null')),
  host: LAB_VM_HOST ?? '',
  uuid: LAB_VM_ID ?? '',
  token: process.pid,
  sanlockDir: dirname(LAB_SANLOCK_SOCKET ?? ''),
};
const { libvirtRun, runDir } = order.settings;
const machine = libvirtRun === undefined ? startPlain(order) : startLibvirt(order, libvirtRun);

process.on('message', (message: unknown) => {
  if (!z.object({ moveTo: z.string() }).safeParse(message).success) return;
  process.send?.({ moved: false, why: 'this engine VM is not migrated' });
});
process.on('SIGTERM', () => machine.powerDown());
// The lab is gone.
process.stdin.resume();
process.stdin.on('end', () => machine.kill());

const pid = await machine.up;
if (pid !== undefined) {
  writeFileSync(pidFile(runDir, order.token), `${pid}`);
  process.send?.({ up: true });
}
process.exit(await machine.ended);
