/** Networks, and people. */
import { formatGlobalBlock } from '../../../activities/storage/whiteboard.ts';
import { migrate } from '../world/vm.ts';
import type { World } from '../world/world.ts';
import { edgeMs, everywhere, onHost, someHost, type Fault } from './fault.ts';

const everyLoss = (w: World, set: (id: number) => number) => w.hosts.map((host) => ({ host, loss: set(host.id) }));

export const networkFaults: readonly Fault[] = [
  onHost(
    'management network lost',
    [20, 1800],
    (h, _w, m) => m.setLoss(h, 1),
    (h, _w, m) => m.setLoss(h, 0),
  ),
  onHost(
    'management network lost for a moment',
    [1, 14],
    (h, _w, m) => m.setLoss(h, 1),
    (h, _w, m) => m.setLoss(h, 0),
  ),
  onHost('network away as long as a time-out', [0, 0], (h, w, m) => {
    m.setLoss(h, 1);
    w.during(edgeMs(w), () => m.setLoss(h, 0));
  }),
  onHost(
    'network loses some',
    [60, 1800],
    (h, w, m) => m.setLoss(h, w.random.between(0.01, 0.5)),
    (h, _w, m) => m.setLoss(h, 0),
  ),
  onHost(
    'network loses half',
    [600, 3600],
    (h, _w, m) => m.setLoss(h, 0.5),
    (h, _w, m) => m.setLoss(h, 0),
  ),
  everywhere(
    'every host loses the network',
    [20, 1800],
    (w, m) => {
      for (const host of w.hosts) m.setLoss(host, 1);
    },
    (w, m) => {
      for (const host of w.hosts) m.setLoss(host, 0);
    },
  ),
  everywhere(
    'every host loses the network, one after the other',
    [120, 1800],
    (w, m) => {
      for (const host of w.hosts) w.during(w.random.between(0, 20_000), () => m.setLoss(host, 1));
    },
    (w, m) => {
      for (const host of w.hosts) m.setLoss(host, 0);
    },
  ),
  everywhere(
    'all but one host lose the network',
    [60, 900],
    (w, m) => {
      const spared = w.random.integer(1, w.hosts.length);
      for (const { host, loss } of everyLoss(w, (id) => (id === spared ? 0 : 1))) m.setLoss(host, loss);
    },
    (w, m) => {
      for (const host of w.hosts) m.setLoss(host, 0);
    },
  ),
  onHost(
    'gateway answers only half',
    [60, 900],
    (h, _w, m) => m.setLoss(h, 0.4),
    (h, _w, m) => m.setLoss(h, 0),
  ),
  onHost(
    'bridge down',
    [20, 900],
    (h, _w, m) => {
      h.bridgeUp = false;
      m.notify(h);
    },
    (h, _w, m) => {
      h.bridgeUp = true;
      m.notify(h);
    },
  ),
  onHost(
    'name service down',
    [60, 3600],
    (h) => (h.dnsUp = false),
    (h) => (h.dnsUp = true),
  ),
  everywhere(
    'name service down for all',
    [60, 3600],
    (w) => {
      for (const host of w.hosts) host.dnsUp = false;
    },
    (w) => {
      for (const host of w.hosts) host.dnsUp = true;
    },
  ),
  everywhere(
    'migration network down',
    [60, 3600],
    (w) => (w.migrationNetworkUp = false),
    (w) => (w.migrationNetworkUp = true),
  ),
  onHost(
    'migrations from here fail',
    [300, 3600],
    (h) => (h.migrationFails = true),
    (h) => (h.migrationFails = false),
  ),
];

export const peopleFaults: readonly Fault[] = [
  onHost(
    'local maintenance',
    [60, 1800],
    (h, _w, m) => {
      h.localMaintenance = true;
      m.poke(h, 500);
    },
    (h) => (h.localMaintenance = false),
  ),
  onHost(
    'global maintenance set and cleared',
    [30, 1200],
    (h) => h.main.worker?.setGlobal(true),
    (_h, w) => someHost(w)?.main.worker?.setGlobal(false),
  ),
  {
    name: 'global maintenance stormed from three hosts',
    strike(w) {
      w.say('fault: three administrators set and clear global maintenance');
      for (let round = 0; round < 6; round += 1) {
        w.during(w.random.between(0, 20_000), () => someHost(w)?.main.worker?.setGlobal(w.random.chance(0.5)));
      }
      w.during(90_000, () => someHost(w)?.main.worker?.setGlobal(false));
    },
  },
  {
    name: 'administrator migrates the VM',
    strike(w, m) {
      const from = w.hosts.find((one) => one.vm?.executing === true);
      const to = w.random.pick(w.hosts.filter((one) => one !== from && one.on));
      if (from === undefined || to === undefined || from.vdsm !== 'ok') return;
      w.say(`administrator: migrate to host ${to.id}`);
      migrate(w, from, to, () => undefined, m.notify);
    },
  },
  {
    name: 'engine-driven host maintenance (flag, then migration)',
    strike(w, m) {
      const from = w.hosts.find((one) => one.vm?.executing === true);
      const to = w.random.pick(w.hosts.filter((one) => one !== from && one.on && !one.localMaintenance));
      if (from === undefined || to === undefined) return;
      w.say(`administrator: host ${from.id} into maintenance`);
      from.localMaintenance = true;
      w.later(from, w.random.between(500, 6000), () => migrate(w, from, to, () => undefined, m.notify));
      w.during(w.random.between(120_000, 900_000), () => (from.localMaintenance = false));
    },
  },
  {
    name: 'restore of an old board',
    strike(w) {
      w.say('fault: an old board is restored');
      for (const [id, bytes] of w.oldSlots) {
        w.slots.set(id, bytes);
        w.slotSpoiltMs.set(id, w.now);
      }
      if (w.random.chance(0.5)) w.global = formatGlobalBlock(false);
    },
  },
  {
    name: 'slot cleaned',
    strike(w) {
      const id = w.random.pick([...w.slots.keys()]);
      if (id !== undefined) w.slots.delete(id);
    },
  },
];
