/** Who could run the engine VM instead of a host, and why each of the others could not. Pure. */
import type { Host } from './types.ts';

/** Undefined: it could. The engine's own rule (engine.md 10), told field by field. */
export function whyUnable(host: Host): string | undefined {
  const { status, hostedEngine } = host;
  const why = [
    ...(status === 'up' ? [] : [`status ${status}`]),
    ...(hostedEngine === undefined ? ['hosted engine is not deployed there, or its HA services do not answer'] : []),
    ...(hostedEngine?.active === false ? ['HA agent not active'] : []),
    ...(hostedEngine?.localMaintenance === true ? ['local maintenance'] : []),
    ...(hostedEngine !== undefined && hostedEngine.score <= 0 ? [`score ${hostedEngine.score}`] : []),
  ];
  return why.length === 0 ? undefined : `${host.name}: ${why.join(', ')}`;
}

export interface OtherHosts {
  /** Names of the hosts that could run it now. */
  readonly able: readonly string[];
  /** A line for each of the others. */
  readonly unable: readonly string[];
}

/** @param hosts of the cluster, with all content */
export function otherHosts(hosts: readonly Host[], name: string): OtherHosts {
  const others = hosts.filter((host) => host.name !== name);
  return {
    able: others.filter((host) => whyUnable(host) === undefined).map((host) => host.name),
    unable: others.flatMap((host) => whyUnable(host) ?? []),
  };
}
