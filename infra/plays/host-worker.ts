import { hostKeyFingerprint } from '../lab/machine/keys.ts';
import { parseAnnouncement } from '../../activities/storage/announcement.ts';
import { BLOCK_BYTES, parseHostBlock, slotOffset } from '../../activities/storage/whiteboard.ts';
import { closeSync, existsSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { labPaths } from '../lab/fixture.ts';
import type { Lab } from '../lab/lab.ts';
import { outside, spareOf } from './hosts.ts';
import { HOST_KEY_SECRET, playRequest, type Facts, type Play } from './play.ts';

const HOST = 'host4';
const HOST_ID = 4;
const PLACES = [
  '/usr/lib/bellwether-host/bellwether-host.mjs',
  '/etc/systemd/system/bellwether-host.service',
  '/etc/bellwether-host.conf',
];

/** Who writes the host's slot, by its own words. */
function writer(lab: Lab): string {
  const bytes = Buffer.alloc(BLOCK_BYTES);
  const file = openSync(lab.storage.metadataPath, 'r');
  readSync(file, bytes, 0, BLOCK_BYTES, slotOffset(HOST_ID));
  closeSync(file);
  const reading = parseHostBlock(bytes);
  if (reading.kind !== 'host') return reading.kind;
  return parseAnnouncement(reading.block.extra) === undefined ? 'reference' : 'bellwether';
}

/** The score itself depends on how busy the machine is that runs the lab. */
async function seen(lab: Lab): Promise<Facts> {
  const { [`${HOST}'s score in the engine`]: score, ...facts } = await outside(lab, HOST);
  const root = join(labPaths(lab.fixture.dir).hostDir(HOST), 'root');
  return {
    ...facts,
    [`${HOST}'s score in the engine is above 0`]: Number(score) > 0,
    [`slot ${HOST_ID} is written by`]: writer(lab),
    [`HA services on ${HOST}`]: lab.world.hosts.get(HOST)?.haServices() ?? 'none',
    'files of the host worker there': PLACES.filter((path) => existsSync(join(root, path))).length,
  };
}

export const ADD_HOST_BELLWETHER: Play = {
  name: 'add-host-bellwether',
  title: 'A new machine becomes a hosted-engine host, served by Bellwether’s own worker',
  lab: { managed: true, spare: 1 },
  request: (lab) => {
    const { address, vdsmPort, sshPort = 0 } = spareOf(lab);
    return {
      ...playRequest(lab),
      operation: 'add-host',
      host: HOST,
      address,
      vdsmPort,
      access: { kind: 'public-key' },
      agent: 'bellwether',
      sshPort,
      sshKeySecret: HOST_KEY_SECRET,
      sshFingerprint: hostKeyFingerprint(lab.fixture, HOST) ?? '',
    };
  },
  outside: seen,
  expected: {
    [`${HOST} in the engine`]: 'up',
    [`${HOST}'s score in the engine is above 0`]: true,
    [`installations of ${HOST}`]: 1,
    [`hosted engine on ${HOST}`]: true,
    [`local maintenance on ${HOST}`]: false,
    'rows in the HA metadata': 'host1, host2, host3, host4',
    'hosts that run the engine VM': 1,
    [`${HOST} runs the engine VM`]: false,
    'global maintenance in the HA metadata': false,
    [`slot ${HOST_ID} is written by`]: 'bellwether',
    [`HA services on ${HOST}`]: 'bellwether',
    'files of the host worker there': PLACES.length,
  },
  lastAbortable: 9,
};
