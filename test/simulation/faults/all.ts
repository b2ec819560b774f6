import type { Machines } from '../world/machine.ts';
import { setDrift } from '../world/clock.ts';
import { daemonReturns, join } from '../world/sanlock.ts';
import { formatGlobalBlock } from '../../../activities/storage/whiteboard.ts';
import { frozen, type World } from '../world/world.ts';
import type { Fault } from './fault.ts';
import { hostFaults } from './hosts.ts';
import { networkFaults, peopleFaults } from './network.ts';
import { storageFaults } from './storage.ts';
import { vmFaults } from './vms.ts';

export const FAULTS: readonly Fault[] = [
  ...hostFaults,
  ...storageFaults,
  ...vmFaults,
  ...networkFaults,
  ...peopleFaults,
];

/** Ends every trouble: from here on the cluster must recover by itself. */
export function healAll(w: World, m: Machines): void {
  w.say('all is healed');
  w.endTroubles();
  w.boot = 'normal';
  w.guestObeys = true;
  w.migrationNetworkUp = true;
  w.global = formatGlobalBlock(false);
  for (const host of w.hosts) {
    host.createFault = 'none';
    host.loseEvents = false;
    host.loseWrites = 0;
    host.staleReads = false;
    host.migrationFails = false;
    host.latencyMs = 10;
    host.memFreeMb = 65_536;
    host.cpu = 0.1;
    host.bridgeUp = true;
    host.dnsUp = true;
    host.vdsm = 'ok';
    host.vdsmSlowMs = 0;
    host.newsEveryMs = 0;
    host.disk = 'ok';
    host.sanlock.losesRelease = false;
    if (host.clock.drift !== 0) setDrift(w, host, 0);
    m.stopSecondWorker(host);
    host.localMaintenance = false;
    host.main.stoppedUntilMs = 0;
    host.sanlock.hung = false;
    host.sanlock.slow = 0;
    if (host.vm !== undefined) {
      host.vm.sickUntilMs = 0;
      host.vm.obeys = true;
      if (host.vm.healthyFromMs === Number.POSITIVE_INFINITY) host.vm.healthyFromMs = w.now + 60_000;
    }
    m.setPath(host, 'ok');
    m.setLoss(host, 0);
    m.powerOn(host);
    m.startWorker(host);
    // A wish for global maintenance that is not confirmed yet is taken back.
    host.main.worker?.setGlobal(false);
    if (host.on && host.sanlock.running && !host.sanlock.joined) join(w, host, m.hooks);
    const back = () => {
      if (host.on && !host.sanlock.running && host.vm?.executing !== true) daemonReturns(w, host, m.hooks);
    };
    // Nothing starts on a host that sleeps; and when it wakes, its VM may run on.
    if (frozen(w, host)) w.later(host, 1, back);
    else back();
  }
}
