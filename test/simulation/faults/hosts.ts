/** Hosts and the worker's process. */
import { setDrift } from '../world/clock.ts';
import { onHost, everywhere, edgeMs, painfulHost, someHost, type Fault } from './fault.ts';

export const hostFaults: readonly Fault[] = [
  onHost(
    'power off',
    [60, 900],
    (h, _w, m) => m.powerOff(h),
    (h, _w, m) => m.powerOn(h),
  ),
  onHost(
    'power off for long',
    [1800, 7200],
    (h, _w, m) => m.powerOff(h),
    (h, _w, m) => m.powerOn(h),
  ),
  onHost(
    'reset and back at once',
    [20, 50],
    (h, _w, m) => m.powerOff(h),
    (h, _w, m) => m.powerOn(h),
  ),
  onHost('boot loop', [0, 1], (h, w, m) => {
    m.powerOff(h);
    for (let round = 1; round <= 4; round += 1) {
      w.during(round * 60_000, () => m.powerOn(h, true));
      if (round < 4) w.during(round * 60_000 + w.random.between(2000, 50_000), () => m.powerOff(h));
    }
  }),
  onHost('hang for a moment', [0, 0], (h, w, m) => m.freeze(h, w.random.between(500, 15_000))),
  onHost('hang for good', [0, 0], (h, w, m) => m.freeze(h, w.timing.hostDeadMs * 2)),
  onHost('hang as long as a time-out', [0, 0], (h, w, m) => m.freeze(h, edgeMs(w))),
  onHost('asleep for a moment', [0, 0], (h, w, m) => m.freeze(h, w.random.between(500, 50_000), true)),
  onHost('asleep as long as a time-out', [0, 0], (h, w, m) => m.freeze(h, edgeMs(w), true)),
  onHost('asleep for long', [0, 0], (h, w, m) => m.freeze(h, w.timing.hostDeadMs * w.random.between(0.8, 2), true)),
  ...[500e-6, -500e-6, 0.01, -0.01].map((drift) =>
    onHost(
      `clock runs ${drift > 0 ? 'fast' : 'slow'} by ${Math.abs(drift) * 1e6} ppm`,
      [600, 7200],
      (h, w) => setDrift(w, h, drift),
      (h, w) => setDrift(w, h, 0),
    ),
  ),
  onHost(
    'local disk full',
    [60, 3600],
    (h) => (h.disk = 'full'),
    (h) => (h.disk = 'ok'),
  ),
  onHost(
    'local disk slow',
    [60, 3600],
    (h) => (h.disk = 'slow'),
    (h) => (h.disk = 'ok'),
  ),
  onHost(
    'second worker started by mistake',
    [5, 900],
    (h, _w, m) => m.startSecondWorker(h),
    (h, _w, m) => m.stopSecondWorker(h),
  ),
  onHost(
    'off and back with a clock of 1970',
    [60, 600],
    (h, _w, m) => {
      m.powerOff(h);
      h.wallOffsetMs = -1.7e12;
    },
    (h, _w, m) => m.powerOn(h),
  ),
  onHost('clean shutdown', [0, 0], (h, w, m) => m.shutDown(h, w.random.between(60_000, 900_000))),
  onHost(
    'memory short',
    [60, 3600],
    (h) => (h.memFreeMb = 8000),
    (h) => (h.memFreeMb = 65_536),
  ),
  onHost(
    'CPU load',
    [60, 3600],
    (h) => (h.cpu = 0.95),
    (h) => (h.cpu = 0.1),
  ),
  {
    name: 'all hosts off and back',
    strike(w, m) {
      w.say('fault: all hosts off and back');
      for (const host of w.hosts) {
        m.powerOff(host);
        w.during(w.random.between(30_000, 240_000), () => m.powerOn(host));
      }
    },
  },
  {
    name: 'two hosts off at once',
    strike(w, m) {
      for (let round = 0; round < 2; round += 1) {
        const host = painfulHost(w);
        if (host === undefined) continue;
        w.say(`fault on host ${host.id}: off`);
        m.powerOff(host);
        w.during(w.random.between(60_000, 900_000), () => m.powerOn(host));
      }
    },
  },
  {
    name: 'starter dies while it waits',
    strike(w, m) {
      const host = w.hosts.find((one) => one.vm?.state === 'launching') ?? someHost(w);
      if (host === undefined) return;
      w.say(`fault on host ${host.id}: off (starter)`);
      m.powerOff(host);
      w.during(w.random.between(60_000, 600_000), () => m.powerOn(host));
    },
  },
  onHost(
    'worker killed',
    [1, 60],
    (h, _w, m) => m.killWorker(h),
    (h, _w, m) => m.startWorker(h),
  ),
  onHost(
    'worker down for long',
    [300, 1800],
    (h, _w, m) => m.killWorker(h),
    (h, _w, m) => m.startWorker(h),
  ),
  onHost(
    'worker stopped (SIGSTOP)',
    [0, 0],
    (h, w) => (h.main.stoppedUntilMs = w.now + w.random.between(1000, 200_000)),
  ),
  onHost('worker stopped as long as a time-out', [0, 0], (h, w) => (h.main.stoppedUntilMs = w.now + edgeMs(w))),
  onHost(
    'worker stops in good order',
    [5, 300],
    (h, _w, m) => {
      h.main.worker?.stop();
      m.killWorker(h);
    },
    (h, _w, m) => m.startWorker(h),
  ),
  everywhere(
    'all workers restarted (upgrade)',
    [1, 30],
    (w, m) => {
      for (const host of w.hosts) m.killWorker(host);
    },
    (w, m) => {
      for (const host of w.hosts) m.startWorker(host);
    },
  ),
  onHost('worker forgets what it kept', [0, 0], (h, w) => {
    h.kept = undefined;
    h.forgotMs = w.now;
  }),
  onHost('wall clock steps', [0, 0], (h, w) => (h.wallOffsetMs += w.random.between(-3.2e11, 3.2e11))),
  onHost('wall clock steps by a second', [0, 0], (h, w) => (h.wallOffsetMs += w.random.chance(0.5) ? 1000 : -1000)),
];
