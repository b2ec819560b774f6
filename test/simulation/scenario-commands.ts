/** What scenarios can do to the world, by the words in their files. */
import { BLOCK_BYTES } from '../../activities/storage/whiteboard.ts';
import { bytesOf } from './blocks.ts';
import type { Cluster } from './cluster.ts';
import { setDrift } from './world/clock.ts';
import { daemonDies, daemonReturns } from './world/sanlock.ts';
import { endVm, migrate, shutdownGuest } from './world/vm.ts';
import type { PathMode, SimHost } from './world/world.ts';

export type Command = (cluster: Cluster, words: readonly string[]) => void;

/** Runs `act` on host N or on all; the word after it goes along. */
function each(act: (cluster: Cluster, host: SimHost, word: string) => void): Command {
  return (cluster, [who = '', word = '']) => {
    for (const host of cluster.world.hosts) if (who === 'all' || who === String(host.id)) act(cluster, host, word);
  };
}

function one<T extends string>(word: string, allowed: readonly T[]): T {
  const found = allowed.find((name) => name === word);
  if (found === undefined) throw new Error(`${word}: one of ${allowed.join(', ')} is meant`);
  return found;
}

function block(text: string): Buffer {
  const bytes = Buffer.alloc(BLOCK_BYTES);
  bytes.write(text, 'latin1');
  return bytes;
}

const vm: Command = ({ world, machines }, [what, seconds]) => {
  const host = world.executing()[0];
  if (host?.vm === undefined) return;
  if (what === 'kill') endVm(world, host, 'crashed', machines.notify);
  else if (what === 'poweroff') endVm(world, host, 'shutdown', machines.notify);
  else if (what === 'shutdown') shutdownGuest(world, host, machines.notify);
  else {
    host.vm.sickUntilMs = world.now + Number(seconds) * 1000;
    host.vm.sickHow = what === 'unaskable' ? 'unknown' : 'bad';
  }
};

export const commands: Readonly<Record<string, Command>> = {
  vm,
  'power-off': each(({ machines }, host) => machines.powerOff(host)),
  'power-on': each(({ machines }, host) => machines.powerOn(host, true)),
  shutdown: each(({ machines }, host, seconds) => machines.shutDown(host, Number(seconds) * 1000)),
  freeze: each(({ machines }, host, seconds) => machines.freeze(host, Number(seconds) * 1000)),
  sleep: each(({ machines }, host, seconds) => machines.freeze(host, Number(seconds) * 1000, true)),
  drift: each(({ world }, host, ppm) => setDrift(world, host, Number(ppm) / 1e6)),
  disk: each((_, host, word) => (host.disk = one<SimHost['disk']>(word, ['ok', 'full', 'slow']))),
  'second-worker': each(({ machines }, host, word) => {
    if (one(word, ['start', 'stop']) === 'start') machines.startSecondWorker(host);
    else machines.stopSecondWorker(host);
  }),
  release: each((_, host, word) => (host.sanlock.losesRelease = one(word, ['lost', 'kept']) === 'lost')),
  news: each((_, host, seconds) => (host.newsEveryMs = Number(seconds) * 1000)),
  storage: each(({ machines }, host, mode) =>
    machines.setPath(host, one<PathMode>(mode, ['ok', 'hang', 'eio', 'readonly'])),
  ),
  network: each(({ machines }, host, word) => machines.setLoss(host, word === 'lost' ? 1 : Number(word))),
  bridge: each(({ machines }, host, word) => {
    host.bridgeUp = word === 'up';
    machines.notify(host);
  }),
  cpu: each((_, host, load) => (host.cpu = Number(load))),
  memory: each((_, host, mb) => (host.memFreeMb = Number(mb))),
  maintenance: each(({ machines }, host, word) => {
    host.localMaintenance = word === 'on';
    machines.poke(host, 100);
  }),
  global: each((_, host, word) => host.main.worker?.setGlobal(word === 'on')),
  worker: each(({ machines, world }, host, word) => {
    if (word === 'kill') machines.killWorker(host);
    else if (word === 'start') machines.startWorker(host);
    else host.main.stoppedUntilMs = world.now + Number(word) * 1000;
  }),
  vdsm: each(({ machines }, host, word) => {
    host.vdsm = one<SimHost['vdsm']>(word, ['ok', 'down', 'hung']);
    machines.notify(host);
  }),
  create: each((_, host, word) => (host.createFault = one<SimHost['createFault']>(word, ['none', 'error', 'exits']))),
  sanlock: each(({ world, machines }, host, word) => {
    if (word === 'dies') daemonDies(world, host, machines.hooks);
    else daemonReturns(world, host, machines.hooks);
  }),
  watchdog: each((_, host, seconds) => (host.sanlock.watchdogSeconds = Number(seconds))),
  clock: each((_, host, seconds) => (host.wallOffsetMs += Number(seconds) * 1000)),
  boot: ({ world }, [how = '']) => (world.boot = one(how, ['normal', 'slow', 'never'])),
  guest: ({ world }, [how]) => {
    world.guestObeys = how === 'obeys';
    for (const host of world.hosts) if (host.vm !== undefined) host.vm.obeys = how === 'obeys';
  },
  migration: ({ world }, [how]) => (world.migrationNetworkUp = how === 'up'),
  slot: ({ world }, [id, what]) => {
    if (what === 'removed') world.slots.delete(Number(id));
    else if (what?.startsWith('copy-of-')) {
      const other = world.slots.get(Number(what.slice('copy-of-'.length)));
      if (other !== undefined) world.slots.set(Number(id), bytesOf(other));
    } else if (what === 'newer') world.slots.set(Number(id), block('9|9|of a newer agent'));
    else world.slots.set(Number(id), block(id === '0' ? 'CAP=1\nmaintenance=maybe' : '1|1|soon|x|{}|a|0|0'));
  },
  'block-0': ({ world }) => (world.global = block('CAP=1\nmaintenance=maybe')),
  'admin-migrates': ({ world, machines }, [to]) => {
    const from = world.executing()[0];
    const target = world.host(Number(to));
    if (from !== undefined && target !== undefined) migrate(world, from, target, () => undefined, machines.notify);
  },
};
