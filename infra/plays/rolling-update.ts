import { labEngine } from '../faults/end-state.ts';
import { labPaths } from '../lab/fixture.ts';
import type { Lab } from '../lab/lab.ts';
import { installations, offeredUpdates, offerUpdate } from '../lab/packages.ts';
import { until } from '../processes.ts';
import { engineHasReadItsOvf } from './archive.ts';
import { hostsRunningTheVm, playRequest, type Facts, type Play } from './play.ts';

const KNOWN_LIMIT_MS = 90_000;

const folder = (lab: Lab, host: string) => labPaths(lab.fixture.dir).hostDir(host);

/** The repositories of these hosts have something new. */
export function offerUpdates(lab: Lab, hosts: readonly string[]): void {
  for (const host of hosts) offerUpdate(folder(lab, host), 'vdsm-4.50.6');
}

/** As it does by itself each day: so an abort leaves the engine knowing what it knew before. */
async function engineLooksForUpdates(lab: Lab): Promise<void> {
  const engine = labEngine(lab);
  try {
    for (const { id } of await engine.hosts()) await engine.checkHostForUpdate(id);
    const known = async () => (await engine.hosts()).every(({ updateAvailable }) => updateAvailable);
    await until('the engine to know of the updates', known, KNOWN_LIMIT_MS);
  } finally {
    await engine.close();
  }
}

async function outside(lab: Lab): Promise<Facts> {
  const engine = labEngine(lab);
  try {
    const hosts = await engine.hosts({ allContent: true });
    const of = (read: (host: (typeof hosts)[number]) => string | number | boolean) =>
      lab.fixture.hosts.map(({ name }) => {
        const host = hosts.find((one) => one.name === name);
        return host === undefined ? 'unknown' : String(read(host));
      });
    return {
      'hosts in the engine': of((host) => host.status).join(' '),
      'their scores in the engine': of((host) => host.hostedEngine?.score ?? -1).join(' '),
      'updates the engine knows of': of((host) => host.updateAvailable).join(' '),
      'installations on them': lab.fixture.hosts.map(({ name }) => installations(folder(lab, name)).length).join(' '),
      'updates left': lab.fixture.hosts.flatMap(({ name }) => offeredUpdates(folder(lab, name))).length,
      'hosts that run the engine VM': hostsRunningTheVm(lab).length,
      'global maintenance in the HA metadata': lab.storage.globalMaintenance(),
    };
  } finally {
    await engine.close();
  }
}

export const ROLLING_HOST_UPDATE: Play = {
  name: 'rolling',
  title: 'The hosts are updated one after the other, the engine VM’s own last',
  lab: { managed: true },
  prepare: async (lab) => {
    offerUpdates(lab, ['host1', 'host2', 'host3']);
    await engineHasReadItsOvf(lab);
    await engineLooksForUpdates(lab);
  },
  request: (lab) => ({ ...playRequest(lab), operation: 'rolling-host-update', reason: 'security fixes' }),
  outside,
  expected: {
    'hosts in the engine': 'up up up',
    'their scores in the engine': '3400 3400 3400',
    'updates the engine knows of': 'false false false',
    'installations on them': '1 1 1',
    'updates left': 0,
    'hosts that run the engine VM': 1,
    'global maintenance in the HA metadata': false,
  },
  // The first host's way into maintenance; then its update is installed, and stays.
  lastAbortable: 3,
};
