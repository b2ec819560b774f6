/** What an event does to the world. */
import type { EventOfAll, WhatIfEvent } from './events.ts';
import { endVm, loseHost } from './vm.ts';
import { ASSUMED, fallsSilent, hostById, plan, say, type VirtualHost, type VirtualWorld } from './world.ts';

function cutNetwork(world: VirtualWorld, host: VirtualHost): void {
  host.reachable = false;
  plan(world, ASSUMED.sampleMs, () => {
    if (host.host !== undefined) host.host = { ...host.host, network: 0 };
  });
}

function hangStorage(world: VirtualWorld, host: VirtualHost): void {
  fallsSilent(world, host);
  host.storage = false;
}

/** The worker hears of it and acts; the host is off when the VM is gone, or after 90 s. */
function shutDown(world: VirtualWorld, host: VirtualHost): void {
  if (host.host !== undefined) host.host = { ...host.host, shuttingDown: true };
  host.poked = true;
  const givenUpMs = world.now + 90_000;
  const look = () => {
    if (host.vm?.runs === true && world.now < givenUpMs) {
      plan(world, 500, look);
      return;
    }
    endVm(world, host, 'shutdown');
    host.on = false;
    host.joined = false;
    if (world.lease.owner === host.id) Object.assign(world.lease, { owner: undefined, silentSinceMs: undefined });
    say(world, host, 'vm', 'is off');
  };
  plan(world, 500, look);
}

function strikeAll(world: VirtualWorld, kind: EventOfAll): string | undefined {
  if (kind === 'global-maintenance') world.global = true;
  else if (kind === 'network-cut-all') for (const host of world.hosts) cutNetwork(world, host);
  else if (kind === 'storage-hangs-all') for (const host of world.hosts) hangStorage(world, host);
  else {
    const host = world.hosts.find((each) => each.on && each.vm?.runs === true);
    if (host === undefined) return 'The engine VM does not run now, so it cannot die.';
    endVm(world, host, 'crashed');
  }
  return undefined;
}

/** Words for the report where the event changes nothing. */
export function strike(world: VirtualWorld, event: WhatIfEvent): string | undefined {
  if (!('host' in event)) return strikeAll(world, event.kind);
  const host = hostById(world, event.host);
  if (host === undefined) return undefined;
  if (!host.on) return `${host.name} counts as gone already.`;
  if (event.kind === 'host-lost') loseHost(world, host);
  else if (event.kind === 'network-cut') cutNetwork(world, host);
  else if (event.kind === 'storage-hangs') hangStorage(world, host);
  else if (event.kind === 'maintenance') {
    host.localMaintenance = true;
    host.poked = true;
  } else shutDown(world, host);
  return undefined;
}
