import { closeSync, existsSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { readHostWorker } from '../../activities/host-worker/files.ts';
import { must } from '../../activities/host-worker/machine.ts';
import { OURS, THEIRS } from '../../activities/host-worker/systemd.ts';
import { connectSsh } from '../../activities/ssh/client.ts';
import { parseAnnouncement } from '../../activities/storage/announcement.ts';
import { BLOCK_BYTES, parseHostBlock, slotOffset } from '../../activities/storage/whiteboard.ts';
import { hostWorkerFiles } from '../../workers/orchestrator/config.ts';
import { labPaths } from '../lab/fixture.ts';
import type { Lab } from '../lab/lab.ts';
import { hostKeyFingerprint } from '../lab/machine/keys.ts';
import { until } from '../processes.ts';
import { ensureHostBundle } from '../start/host-bundle.ts';
import { engineKnowsScoreOf, outside, REMOVE_HOST, spareOf } from './hosts.ts';
import { HOST_KEY_SECRET, playRequest, type Facts, type Play } from './play.ts';

const HOST = 'host4';
const HOST_ID = 4;
const SERVES_LIMIT_MS = 120_000;
const PLACES = [
  '/usr/lib/bellwether-host/bellwether-host.mjs',
  '/etc/systemd/system/bellwether-host.service',
  '/etc/bellwether-host.conf',
];

/** Who writes a host's slot, by its own words. */
function writer(lab: Lab, hostId: number): string {
  const bytes = Buffer.alloc(BLOCK_BYTES);
  const file = openSync(lab.storage.metadataPath, 'r');
  readSync(file, bytes, 0, BLOCK_BYTES, slotOffset(hostId));
  closeSync(file);
  const reading = parseHostBlock(bytes);
  if (reading.kind !== 'host') return reading.kind;
  return parseAnnouncement(reading.block.extra) === undefined ? 'reference' : 'bellwether';
}

/** The score itself depends on how busy the machine is that runs the lab. */
async function seen(lab: Lab, name: string, hostId: number): Promise<Facts> {
  const { [`${name}'s score in the engine`]: score, ...facts } = await outside(lab, name);
  const root = join(labPaths(lab.fixture.dir).hostDir(name), 'root');
  return {
    ...facts,
    [`${name}'s score in the engine is above 0`]: Number(score) > 0,
    [`slot ${hostId} is written by`]: writer(lab, hostId),
    [`HA services on ${name}`]: lab.world.hosts.get(name)?.haServices() ?? 'none',
    'files of the host worker there': PLACES.filter((path) => existsSync(join(root, path))).length,
  };
}

/** As an administrator does it by hand, without the orchestrator. */
export async function serveByWorker(lab: Lab, name: string, hostId: number): Promise<void> {
  const files = hostWorkerFiles();
  await ensureHostBundle(files);
  const { address, sshPort = 0 } = lab.fixture.hosts.find((host) => host.name === name) ?? spareOf(lab);
  const login = { privateKey: readFileSync(labPaths(lab.fixture.dir).sshRootKey, 'utf8') };
  const known = { fingerprint: hostKeyFingerprint(lab.fixture, name) ?? '' };
  const target = { subject: `host ${name}`, address, port: sshPort };
  const ssh = await connectSsh(target, known, login, new AbortController().signal);
  try {
    await must(ssh, 'mkdir -p /usr/lib/bellwether-host');
    for (const { path, content, mode } of await readHostWorker(files)) await ssh.put(path, content, mode);
    await must(ssh, `systemctl disable --now ${THEIRS.join(' ')}`);
    await must(ssh, 'systemctl daemon-reload');
    await must(ssh, `systemctl enable --now ${OURS}`);
  } finally {
    ssh.close();
  }
  const serves = () => writer(lab, hostId) === 'bellwether' && (lab.storage.hostBlock(hostId)?.score ?? 0) > 0;
  await until(`the host worker to serve ${name}`, serves, SERVES_LIMIT_MS);
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
  outside: (lab) => seen(lab, HOST, HOST_ID),
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

const { "host3's score in the engine": _score, ...LEFT } = REMOVE_HOST.expected;

export const REMOVE_HOST_BELLWETHER: Play = {
  name: 'remove-host-bellwether',
  title: 'A host that Bellwether’s own worker serves stays in the engine without hosted engine',
  lab: { managed: true },
  prepare: async (lab) => {
    await serveByWorker(lab, 'host3', 3);
    await engineKnowsScoreOf(lab, 'host3');
  },
  request: (lab) => ({ ...REMOVE_HOST.request(lab), sshKeySecret: HOST_KEY_SECRET }),
  outside: (lab) => seen(lab, 'host3', 3),
  expected: {
    ...LEFT,
    "host3's score in the engine is above 0": false,
    'slot 3 is written by': 'empty',
    // The lab's undeploying ends the agent and leaves the unit.
    'HA services on host3': 'reference',
    'files of the host worker there': 0,
  },
  lastAbortable: 5,
};
