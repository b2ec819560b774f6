/** VDSM, the VM, the engine in it. */
import { endVm, shutdownGuest } from '../world/vm.ts';
import type { SimHost, World } from '../world/world.ts';
import { edgeMs, everywhere, onHost, type Fault } from './fault.ts';

const vdsm = (name: string, mode: SimHost['vdsm'], seconds: readonly [number, number]): Fault =>
  onHost(
    name,
    seconds,
    (h) => (h.vdsm = mode),
    (h, _w, m) => {
      h.vdsm = 'ok';
      m.notify(h);
    },
  );

/** Whatever happens to the VM that runs, if one does. */
function onVm(name: string, strike: (host: SimHost, w: World, notify: (host: SimHost) => void) => void): Fault {
  return {
    name,
    strike(w, m) {
      const host = w.hosts.find((one) => one.vm?.executing === true);
      if (host === undefined) return;
      w.say(`fault on the VM: ${name}`);
      strike(host, w, m.notify);
    },
  };
}

const sick = (name: string, how: 'bad' | 'unknown', seconds: readonly [number, number]): Fault =>
  onVm(name, (h, w) => {
    if (h.vm === undefined) return;
    h.vm.sickUntilMs = w.now + w.random.between(seconds[0] * 1000, seconds[1] * 1000);
    h.vm.sickHow = how;
  });

export const vmFaults: readonly Fault[] = [
  vdsm('VDSM restarts', 'down', [2, 30]),
  vdsm('VDSM down for long', 'down', [120, 1200]),
  vdsm('VDSM hangs', 'hung', [5, 120]),
  vdsm('VDSM hangs for long', 'hung', [200, 1200]),
  onHost('VDSM hangs as long as a time-out', [0, 0], (h, w) => {
    h.vdsm = 'hung';
    w.during(edgeMs(w), () => (h.vdsm = 'ok'));
  }),
  onHost(
    'VDSM slow',
    [60, 600],
    (h) => (h.vdsmSlowMs = 8000),
    (h) => (h.vdsmSlowMs = 0),
  ),
  onHost(
    'VDSM has news every 10 s only',
    [60, 900],
    (h) => (h.newsEveryMs = 10_000),
    (h) => (h.newsEveryMs = 0),
  ),
  onHost(
    'creation fails',
    [60, 900],
    (h) => (h.createFault = 'error'),
    (h) => (h.createFault = 'none'),
  ),
  onHost(
    'created VM exits soon',
    [60, 900],
    (h) => (h.createFault = 'exits'),
    (h) => (h.createFault = 'none'),
  ),
  everywhere(
    'creation fails on all hosts',
    [60, 600],
    (w) => {
      for (const host of w.hosts) host.createFault = 'error';
    },
    (w) => {
      for (const host of w.hosts) host.createFault = 'none';
    },
  ),
  onHost(
    'events get lost',
    [60, 900],
    (h) => (h.loseEvents = true),
    (h) => (h.loseEvents = false),
  ),
  onHost('event twice', [0, 0], (h, _w, m) => {
    m.notify(h);
    m.notify(h);
  }),
  onVm('killed', (h, w, notify) => endVm(w, h, 'crashed', notify)),
  onVm('guest powers off', (h, w, notify) => endVm(w, h, 'shutdown', notify)),
  onVm('killed again and again', (h, w, notify) => {
    endVm(w, h, 'crashed', notify);
    for (let round = 1; round <= 4; round += 1) {
      w.during(round * 25_000, () => {
        const now = w.hosts.find((one) => one.vm?.executing === true);
        if (now !== undefined) endVm(w, now, 'crashed', notify);
      });
    }
  }),
  onVm('guest shut down by somebody', (h, w, notify) => shutdownGuest(w, h, notify)),
  everywhere(
    'guest ignores shutdown',
    [300, 1800],
    (w) => {
      w.guestObeys = false;
      for (const host of w.hosts) if (host.vm !== undefined) host.vm.obeys = false;
    },
    (w) => (w.guestObeys = true),
  ),
  everywhere(
    'slow boot',
    [600, 3600],
    (w) => (w.boot = 'slow'),
    (w) => (w.boot = 'normal'),
  ),
  everywhere(
    'never boots',
    [600, 3600],
    (w) => (w.boot = 'never'),
    (w) => (w.boot = 'normal'),
  ),
  sick('engine answers 503 for a moment', 'bad', [5, 200]),
  sick('engine hangs', 'bad', [400, 3600]),
  sick('engine sick as long as the limit', 'bad', [299, 301]),
  sick('engine page cannot be asked', 'unknown', [60, 3600]),
];
