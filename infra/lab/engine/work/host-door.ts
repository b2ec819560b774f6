/**
 * Calls to hosts, for real ones through the gateway and for imaginary ones from the database.
 *
 * A lab accepts any new host address although nothing runs there; such a host is imaginary: always reachable, with HA
 * state that only the engine keeps.
 */
import type { Context } from '../context.ts';
import type { HostStats } from '../gateway.ts';
import type { Host, ImaginaryHost } from '../state/model.ts';

/** A newly deployed HA agent needs this long until its score is above zero. */
const SCORE_AFTER_MS = 5_000;
const IMAGINARY_MEMORY = 64 * 1024 ** 3;
const FULL_SCORE = 3400;

function imaginary(context: Context, host: Host): ImaginaryHost | undefined {
  return context.state.imaginary.find((one) => one.hostId === host.id);
}

export function isImaginary(context: Context, host: Host): boolean {
  return imaginary(context, host) !== undefined;
}

/** Rejects while the host cannot be reached. */
export async function statsOf(context: Context, host: Host): Promise<HostStats> {
  const dreamt = imaginary(context, host);
  if (dreamt === undefined) return await context.gateway.hostStats(host);
  const { configured, localMaintenance } = dreamt;
  const active = configured && context.now() >= dreamt.activeFrom;
  const globalMaintenance = context.state.hosts.some(
    (other) => !isImaginary(context, other) && other.ha?.globalMaintenance === true,
  );
  return {
    memoryBytes: IMAGINARY_MEMORY,
    vms: [],
    spm: false,
    ha: {
      configured,
      active,
      score: active && !localMaintenance ? FULL_SCORE : 0,
      globalMaintenance,
      localMaintenance,
    },
  };
}

export async function setLocalMaintenance(context: Context, host: Host, enabled: boolean): Promise<void> {
  const dreamt = imaginary(context, host);
  if (dreamt === undefined) return await context.gateway.setHaMaintenance(host, 'LOCAL', enabled);
  dreamt.localMaintenance = enabled;
  context.changed();
}

/** An imaginary host has nothing to update. */
export async function updatesOffered(context: Context, host: Host): Promise<boolean> {
  return !isImaginary(context, host) && (await context.gateway.updatesOffered(host));
}

export async function deployHostedEngine(context: Context, host: Host, action: 'deploy' | 'undeploy'): Promise<void> {
  const dreamt = imaginary(context, host);
  if (dreamt === undefined) return await context.gateway.deployHostedEngine(host, action);
  dreamt.configured = action === 'deploy';
  dreamt.activeFrom = context.now() + SCORE_AFTER_MS;
  dreamt.localMaintenance = false;
  context.changed();
}

export async function afterHostDeploy(context: Context, host: Host): Promise<void> {
  if (imaginary(context, host) === undefined) await context.gateway.afterHostDeploy(host);
}

/** A host that can do storage work for a data center: the SPM first, imaginary ones never. */
export function storageHost(context: Context): Host | undefined {
  const able = context.state.hosts.filter((host) => host.status === 'up' && !isImaginary(context, host));
  return able.find((host) => host.spm) ?? able[0];
}
