/**
 * The guest in plain qemu: `sanlock client command` takes the lease and then becomes qemu, so qemu owns it as under libvirt:
 * no lease, no VM, and the lease is gone with the process (lab.md 1). The kernel kills qemu with the process that started it.
 */
import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isHeld, refusal } from '../../../../workers/host/env-linux/sanlock/errors.ts';
import { LEASE_REFUSED } from '../../vdsm/engine-process.ts';
import { Qmp } from './qmp.ts';
import { guestWords, LEASE_FAILED, type Machine, type VmOrder } from './settings.ts';

const POLL_MS = 25;
const SAID_MAX = 4096;

function qemuArgs(order: VmOrder, monitor: string): readonly string[] {
  const { kernel, initrd, disk, tap, memoryMb } = order.settings;
  // qemu's own lock on the disk would hide two VMs at once on this one machine: the lease alone is tested.
  const drive = `file=${disk.replaceAll(',', ',,')},format=raw,if=none,id=d0,cache=none,aio=native,file.locking=off`;
  return [
    ['-M', 'q35', '-accel', 'tcg,tb-size=16', '-m', `${memoryMb}`, '-nodefaults', '-display', 'none', '-no-reboot'],
    ['-kernel', kernel, '-initrd', initrd, '-append', guestWords(order), '-serial', `file:${monitor}.serial`],
    ['-drive', drive, '-device', 'virtio-blk-pci,drive=d0'],
    ['-netdev', `tap,id=n0,ifname=${tap},script=no,downscript=no`, '-device', 'virtio-net-pci,netdev=n0,romfile='],
    ['-qmp', `unix:${monitor},server=on,wait=off`],
  ].flat();
}

function command(order: VmOrder, monitor: string): readonly string[] {
  const { settings, lease } = order;
  const place = `${lease.path.replaceAll(':', '\\:')}:${lease.offset}`;
  const owned = [settings.sanlock, 'client', 'command', '-r', `${lease.lockspace}:${lease.name}:${place}`];
  // Each of these becomes the next one: the pid that is spawned is qemu's.
  return [
    ...settings.inside,
    'setpriv',
    '--pdeathsig',
    'KILL',
    ...owned,
    '-c',
    settings.qemu,
    ...qemuArgs(order, monitor),
  ];
}

/** What sanlock answered when it gave no lease. */
function exitCode(code: number | null, wasUp: boolean, said: string): number {
  if (wasUp) return code === 0 ? 0 : 1;
  const [, refused] = /acquire done (-\d+)/.exec(said) ?? [];
  if (refused === undefined) return LEASE_FAILED;
  return isHeld(refusal('engine', 'Failed to acquire lock', Number(refused))) ? LEASE_REFUSED : LEASE_FAILED;
}

export function startPlain(order: VmOrder): Machine {
  const monitorPath = `${order.settings.runDir}/q${order.token}`;
  const [program = '', ...args] = command(order, monitorPath);
  const env = { ...process.env, SANLOCK_RUN_DIR: order.sanlockDir, SANLOCK_PRIVILEGED: '0' };
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [said, wasUp] = ['', false];
  const life = { running: true };
  let monitor: Qmp | undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      process.stdout.write(text);
      said = (said + text).slice(-SAID_MAX);
    });
  }
  const ended = new Promise<number>((resolve) => {
    const end = (code: number | null) => {
      life.running = false;
      rmSync(monitorPath, { force: true });
      resolve(exitCode(code, wasUp, said));
    };
    child.once('close', end);
    child.once('error', (error) => {
      process.stdout.write(`${error.message}\n`);
      end(127);
    });
  });
  /** Waits as libvirt does: for as long as sanlock has not made up its mind. */
  async function become(): Promise<number | undefined> {
    while (life.running && monitor === undefined) {
      monitor = await Qmp.open(monitorPath).catch(() => undefined);
      if (monitor === undefined) await sleep(POLL_MS);
    }
    wasUp = (await monitor?.status().catch(() => '')) === 'running';
    return wasUp ? child.pid : undefined;
  }
  return {
    up: become(),
    ended,
    powerDown() {
      // One that does not run yet has nothing to shut down.
      if (monitor === undefined) child.kill('SIGKILL');
      else void monitor.powerDown().catch(() => undefined);
    },
    kill: () => void child.kill('SIGKILL'),
  };
}
