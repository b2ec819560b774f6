/** What may be changed on a VM, and on the hosted-engine VM in particular (engine.md 10). */
import type { Body } from '../codec/body.ts';
import { choice, flag, int, sub, text } from '../codec/body.ts';
import type { Context } from '../context.ts';
import { refused } from '../http/engine-fault.ts';
import { BIOS_TYPES } from '../ovf/enums.ts';
import type { Vm } from '../state/model.ts';
import { isHostedEngine } from '../views/vm.ts';

const MIB = 1024 * 1024;

export const UNMANAGED =
  'You are using an unmanaged hosted engine VM. Please upgrade the cluster level and wait for the hosted engine VM to be properly imported.';
export const NOT_MANAGED_BY_ENGINE = 'This VM is not managed by the engine.';

function refuse(status: 400 | 409, why: string): never {
  throw refused(status, `Cannot edit VM. ${why}`);
}

/** Changes of memory and processors on an unmanaged engine VM, and the engine's own HA for it, are refused first. */
function checkHostedEngine(vm: Vm, body: Body): void {
  if (!isHostedEngine(vm)) return;
  if (vm.origin !== 'managed_hosted_engine') refuse(409, UNMANAGED);
  if (flag(body, 'high_availability', 'enabled') === true) {
    refuse(409, 'Hosted Engine VM cannot be highly available, because it has its own HA mechanism.');
  }
  if (text(body, 'type')?.toLowerCase() === 'high_performance') {
    refuse(409, 'Hosted Engine VM cannot be of type High Performance.');
  }
  if (lockedFields(vm, body).length > 0) {
    refuse(400, 'There was an attempt to change Hosted Engine VM values that are locked.');
  }
}

/** Fields not in the list of editable ones. A value equal to the present one is no change. */
function lockedFields(vm: Vm, body: Body): readonly string[] {
  const present: readonly (readonly [string, string, readonly string[]])[] = [
    ['delete_protected', String(vm.deleteProtected), ['delete_protected']],
    ['os.type', vm.osType, ['os', 'type']],
    ['bios.type', vm.biosType, ['bios', 'type']],
    ['stateless', String(vm.stateless), ['stateless']],
    ['type', vm.type, ['type']],
    ['time_zone', vm.timeZone, ['time_zone', 'name']],
    ['priority', String(vm.priority), ['high_availability', 'priority']],
    ['emulated machine', vm.emulatedMachine, ['custom_emulated_machine']],
    ['cpu model', vm.cpuModel, ['custom_cpu_model']],
    ['cpu type', vm.cpuModel, ['cpu', 'type']],
    ['serial number', 'host', ['serial_number', 'policy']],
    ['ballooning', String(vm.ballooning), ['memory_policy', 'ballooning']],
    ['start paused', 'false', ['start_paused']],
    ['boot menu', 'false', ['bios', 'boot_menu', 'enabled']],
  ];
  return present
    .filter(([, now, path]) => {
      const wanted = text(body, ...path);
      return wanted !== undefined && wanted.trim().toLowerCase() !== now.toLowerCase();
    })
    .map(([name]) => name);
}

interface Memory {
  readonly memoryMb: number;
  readonly maxMemoryMb: number;
  readonly guaranteedMb: number;
}

function wantedMemory(vm: Vm, body: Body): Memory {
  const mib = (...path: string[]) => {
    const bytes = int(body, ...path);
    return bytes === undefined ? undefined : Math.floor(bytes / MIB);
  };
  return {
    memoryMb: mib('memory') ?? vm.memoryMb,
    maxMemoryMb: mib('memory_policy', 'max') ?? vm.maxMemoryMb,
    guaranteedMb: mib('memory_policy', 'guaranteed') ?? vm.guaranteedMb,
  };
}

function checkMemory(context: Context, vm: Vm, memory: Memory): void {
  if (memory.memoryMb <= 0) refuse(400, 'Memory size must be greater than zero.');
  if (memory.memoryMb > memory.maxMemoryMb) refuse(409, 'Maximum memory size cannot be smaller than memory size.');
  if (memory.guaranteedMb > memory.memoryMb) refuse(409, 'Physical Memory Guaranteed cannot exceed Memory Size.');
  if (!isHostedEngine(vm)) return;
  const hosts = context.state.hosts.filter((host) => host.status === 'up' && host.ha?.configured === true);
  const smallest = Math.min(...hosts.map((host) => host.memoryBytes / MIB));
  if (memory.memoryMb >= smallest)
    refuse(409, 'Physical memory of the hosted engine hosts cannot be smaller than memory size of the VM.');
}

/**
 * Applies an update to the VM's record, all of it or nothing.
 *
 * @throws 400/409 as in the table of engine.md 10
 */
export function updateVm(context: Context, vm: Vm, body: Body): void {
  checkHostedEngine(vm, body);
  const name = text(body, 'name') ?? vm.name;
  if (name === '') refuse(400, 'The VM name must not be empty.');
  if (context.state.vms.some((other) => other !== vm && other.name === name)) {
    refuse(409, 'The VM name is already in use, please choose a unique name and try again.');
  }
  const memory = wantedMemory(vm, body);
  checkMemory(context, vm, memory);
  const topology = sub(body, 'cpu', 'topology') ?? {};
  const sockets = int(topology, 'sockets') ?? vm.sockets;
  const cores = int(topology, 'cores') ?? vm.cores;
  const threads = int(topology, 'threads') ?? vm.threads;
  if (sockets < 1 || cores < 1 || threads < 1)
    refuse(400, 'The number of sockets, cores and threads must be at least 1.');
  const display = choice(body, ['vnc', 'spice'], 'display', 'type') ?? vm.display;
  const migration =
    choice(body, ['migratable', 'user_migratable', 'pinned'], 'placement_policy', 'affinity') ?? vm.migration;
  const other = isHostedEngine(vm) ? {} : freeFields(vm, body);
  Object.assign(vm, memory, other, {
    name,
    description: text(body, 'description') ?? vm.description,
    comment: text(body, 'comment') ?? vm.comment,
    sockets,
    cores,
    threads,
    maxVcpus: Math.max(vm.maxVcpus, sockets * cores * threads),
    ioThreads: int(body, 'io', 'threads') ?? vm.ioThreads,
    display,
    migration,
  } satisfies Partial<Vm>);
  context.changed();
}

/** What only an ordinary VM may change. */
function freeFields(vm: Vm, body: Body): Partial<Vm> {
  return {
    deleteProtected: flag(body, 'delete_protected') ?? vm.deleteProtected,
    osType: text(body, 'os', 'type') ?? vm.osType,
    biosType: choice(body, BIOS_TYPES, 'bios', 'type') ?? vm.biosType,
    stateless: flag(body, 'stateless') ?? vm.stateless,
    type: choice(body, ['desktop', 'server', 'high_performance'], 'type') ?? vm.type,
    timeZone: text(body, 'time_zone', 'name') ?? vm.timeZone,
    highlyAvailable: flag(body, 'high_availability', 'enabled') ?? vm.highlyAvailable,
    priority: int(body, 'high_availability', 'priority') ?? vm.priority,
    emulatedMachine: text(body, 'custom_emulated_machine') ?? vm.emulatedMachine,
    cpuModel: text(body, 'custom_cpu_model') ?? vm.cpuModel,
    ballooning: flag(body, 'memory_policy', 'ballooning') ?? vm.ballooning,
  };
}
