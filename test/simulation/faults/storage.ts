/** Storage paths, the board's content, and sanlock. */
import { BLOCK_BYTES } from '../../../activities/storage/whiteboard.ts';
import { bytesOf } from '../blocks.ts';
import { daemonDies, daemonReturns } from '../world/sanlock.ts';
import type { PathMode, SimHost, World } from '../world/world.ts';
import { edgeMs, everywhere, onHost, type Fault } from './fault.ts';

const path = (name: string, mode: PathMode, seconds: readonly [number, number]): Fault =>
  onHost(
    name,
    seconds,
    (h, _w, m) => m.setPath(h, mode),
    (h, _w, m) => m.setPath(h, 'ok'),
  );

const outage = (name: string, mode: PathMode, seconds: readonly [number, number]): Fault =>
  everywhere(
    name,
    seconds,
    (w, m) => {
      for (const host of w.hosts) m.setPath(host, mode);
    },
    (w, m) => {
      for (const host of w.hosts) m.setPath(host, 'ok');
    },
  );

/** Somebody's slot gets other bytes; its owner writes it anew at its next beat, if it lives. */
function onSlot(name: string, spoil: (bytes: Buffer, w: World) => Buffer): Fault {
  return {
    name,
    strike(w) {
      const id = w.random.pick([...w.slots.keys()]);
      const bytes = id === undefined ? undefined : w.slots.get(id);
      if (id === undefined || bytes === undefined) return;
      w.say(`fault on slot ${id}: ${name}`);
      w.slotSpoiltMs.set(id, w.now);
      w.slots.set(id, spoil(bytesOf(bytes), w));
    },
  };
}

function withText(text: string): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  block.write(text, 'latin1');
  return block;
}

const boardFaults: readonly Fault[] = [
  onSlot('bit rot', (bytes, w) => {
    const at = w.random.integer(0, 160);
    bytes.writeUInt8((bytes.readUInt8(at) ^ (1 << w.random.integer(0, 7))) & 0xff, at);
    return bytes;
  }),
  onSlot('zeroed', () => Buffer.alloc(BLOCK_BYTES)),
  onSlot('torn write', (bytes, w) => bytes.fill(0, w.random.integer(1, 511))),
  onSlot('newer version', () => withText('9|9|whatever a newer agent writes')),
  onSlot('number that is none', () => withText('1|1|soon|2|3400|{}|h|0|0')),
  onSlot('not UTF-8', () => Buffer.alloc(BLOCK_BYTES, 0xc3)),
  onSlot('foreign metadata', () => withText('CAP=1073741824\nCTIME=1581000000\nDESCRIPTION={}\n')),
  onSlot('misdirected write of a neighbour', (bytes, w) => bytesOf(w.random.pick([...w.slots.values()]) ?? bytes)),
  {
    name: 'garbage in a slot of nobody',
    strike(w) {
      w.slots.set(
        w.random.integer(100, 1999),
        withText(w.random.chance(0.5) ? '\u00ff\u00fe|' : '1|1|1|7|3400|[]|x|0|0'),
      );
    },
  },
  {
    name: 'old block of a host that was removed',
    strike(w) {
      const bytes = w.random.pick([...w.slots.values()]);
      if (bytes !== undefined) w.slots.set(w.random.integer(20, 99), bytesOf(bytes));
    },
  },
  {
    name: 'garbage in block 0',
    strike(w) {
      if (w.global.toString('latin1').startsWith('maintenance=0')) w.global = withText('CAP=1\nmaintenance=maybe');
    },
  },
];

/** Whether its worker sees what happens and VDSM does at once what it says. */
function canAct(w: World, { on, kind, main, disk, vdsm, vdsmSlowMs, newsEveryMs, ...host }: SimHost): boolean {
  const awake = host.frozenUntilMs <= w.now && main.stoppedUntilMs <= w.now && main.worker !== undefined;
  const served = vdsm === 'ok' && vdsmSlowMs === 0 && newsEveryMs === 0 && disk !== 'slow';
  return on && kind === 'bellwether' && awake && served && !host.localMaintenance;
}

const sanlockFaults: readonly Fault[] = [
  onHost('sanlock dies', [0, 0], (h, w, m) => daemonDies(w, h, m.hooks)),
  {
    name: 'sanlock dies and is back before the watchdog',
    strike(w, m) {
      // Without a worker or VDSM nothing on a host could end the VM (lab.md 1).
      const host = w.random.pick(w.hosts.filter((h) => canAct(w, h)));
      if (host === undefined) return;
      if (
        w.global.toString('latin1').startsWith('maintenance=1') ||
        host.main.worker?.agent?.last()?.decision.memory.pending
      )
        return;
      w.say(`fault on host ${host.id}: sanlock dies and comes back`);
      daemonDies(w, host, m.hooks);
      // A daemon that is back frees the lease of a VM that still runs (lab.md 1), and only a worker that saw the daemon gone and
      // was free to act can help that. Where one was not (an order under way, maintenance), it comes back later.
      const back = () => {
        const acted = host.main.worker?.agent?.last()?.decision.memory.rule === 'lease-lost' && canAct(w, host);
        if (host.vm?.executing === true && !acted) w.later(host, 1000, back);
        else daemonReturns(w, host, m.hooks);
      };
      w.later(host, w.random.between(1000, 20_000), back);
    },
  },
  onHost(
    'sanlock hangs',
    [5, 60],
    (h) => (h.sanlock.hung = true),
    (h) => (h.sanlock.hung = false),
  ),
  onHost(
    'sanlock hangs for long',
    [60, 300],
    (h) => (h.sanlock.hung = true),
    (h) => (h.sanlock.hung = false),
  ),
  onHost(
    'renewals slow to 0.9 of the limit',
    [300, 900],
    (h, w) => (h.sanlock.slow = w.timing.profile.ioSeconds * 5200),
    (h) => (h.sanlock.slow = 0),
  ),
  onHost(
    'renewals slow to the limit',
    [300, 900],
    (h, w) => (h.sanlock.slow = w.timing.profile.ioSeconds * 6000),
    (h) => (h.sanlock.slow = 0),
  ),
  onHost(
    'renewals slow to 1.1 of the limit',
    [300, 900],
    (h, w) => (h.sanlock.slow = w.timing.profile.ioSeconds * 6800),
    (h) => (h.sanlock.slow = 0),
  ),
  onHost(
    'releases of the lease are lost',
    [60, 1800],
    (h) => (h.sanlock.losesRelease = true),
    (h) => (h.sanlock.losesRelease = false),
  ),
  onHost(
    'events of the lease are lost',
    [300, 900],
    (h) => (h.loseEvents = true),
    (h) => (h.loseEvents = false),
  ),
];

export const storageFaults: readonly Fault[] = [
  path('storage hangs', 'hang', [5, 60]),
  path('storage hangs for long', 'hang', [100, 1800]),
  path('storage answers EIO', 'eio', [5, 60]),
  path('storage answers EIO for long', 'eio', [100, 1800]),
  path('storage reads but does not write', 'readonly', [30, 900]),
  onHost('storage away as long as a time-out', [0, 0], (h, w, m) => {
    m.setPath(h, w.random.chance(0.5) ? 'hang' : 'eio');
    w.during(edgeMs(w), () => m.setPath(h, 'ok'));
  }),
  outage('storage hangs for all', 'hang', [10, 100]),
  outage('storage hangs for all for long', 'hang', [120, 1800]),
  outage('storage answers EIO to all', 'eio', [30, 1200]),
  onHost(
    'slow storage',
    [60, 900],
    (h) => (h.latencyMs = 800),
    (h) => (h.latencyMs = 10),
  ),
  onHost(
    'very slow storage',
    [60, 300],
    (h, w) => (h.latencyMs = w.timing.profile.ioSeconds * 800),
    (h) => (h.latencyMs = 10),
  ),
  onHost(
    'writes get lost',
    [30, 600],
    (h) => (h.loseWrites = 0.5),
    (h) => (h.loseWrites = 0),
  ),
  onHost(
    'stale reads',
    [5, 60],
    (h) => (h.staleReads = true),
    (h, w) => {
      h.staleReads = false;
      h.staleEndedMs = w.now;
    },
  ),
  ...boardFaults,
  ...sanlockFaults,
];
