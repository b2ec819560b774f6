/** What a host tells of itself that an install must know (vdsm.md 7). */
import { z } from 'zod';
import type { StepContext } from '../step-context.ts';
import type { VdsmClient } from './client.ts';
import type { Seen } from './preflight-findings.ts';

const list = z.array(z.string()).default([]);
const named = z.record(z.string(), z.unknown()).default({});
const network = z.looseObject({ ports: list, gateway: z.string().default(''), ipv4addrs: list, ipv6addrs: list });

/** Members of the capabilities that the common shape leaves as they come. */
const more = z.looseObject({
  emulatedMachines: list,
  nics: named,
  vlans: named,
  bridges: z.record(z.string(), network).default({}),
  networks: z.record(z.string(), network).default({}),
  bondings: z
    .record(z.string(), z.looseObject({ opts: z.looseObject({ mode: z.string().optional() }).optional() }))
    .default({}),
});

const MANAGEMENT = 'ovirtmgmt';

/** VDSM writes `2026-01-02T03:04:05 GMT`. */
function timeOf(text: string | undefined): number | undefined {
  const at = Date.parse((text ?? '').replace(' GMT', 'Z'));
  return Number.isNaN(at) ? undefined : at;
}

export async function lookAtHost(host: VdsmClient, context: StepContext): Promise<Seen['host']> {
  const { signal } = context;
  const capabilities = await host.call('Host.getCapabilities', {}, { signal });
  const asked = context.now().getTime();
  const stats = await host.call('Host.getStats', {}, { signal });
  const between = (asked + context.now().getTime()) / 2;
  const { emulatedMachines, nics, vlans, bridges, networks, bondings } = more.parse(capabilities);
  const vms = await host.call('Host.getVMList', {}, { signal });
  const told = timeOf(stats.dateTime);
  return {
    cpuThreads: capabilities.cpuThreads ?? 0,
    memFreeMiB: stats.memFree ?? 0,
    virtualisation: capabilities.kvmEnabled ?? false,
    cpuFlags: (capabilities.cpuFlags ?? '').split(','),
    machines: emulatedMachines,
    bridgePorts: bridges[MANAGEMENT]?.ports,
    interfaces: [...Object.keys(nics), ...Object.keys(bondings), ...Object.keys(vlans)],
    bondModes: Object.fromEntries(Object.entries(bondings).map(([name, { opts }]) => [name, opts?.mode ?? ''])),
    addresses: Object.values(networks).flatMap((one) =>
      [...one.ipv4addrs, ...one.ipv6addrs].map((address) => address.split('/')[0] ?? ''),
    ),
    gateway: networks[MANAGEMENT]?.gateway ?? '',
    deployed: stats.haStats?.configured === true || capabilities.hostedEngineDeployed === true,
    pools: await host.call('Host.getConnectedStoragePools', {}, { signal }),
    vms: vms.map((vm) => vm.vmId),
    skewMs: told === undefined ? undefined : told - between,
  };
}
