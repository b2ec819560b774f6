import { closeSync, openSync, writeSync } from 'node:fs';
import type { EngineClient } from '../../activities/engine/client.ts';
import { BLOCK_BYTES, slotOffset } from '../../activities/storage/whiteboard.ts';
import { labEngine } from '../faults/end-state.ts';
import type { Lab } from '../lab/lab.ts';
import { until } from '../processes.ts';
import { engineHasReadItsOvf } from './archive.ts';
import { HOST_ROOT_SECRET, hostsRunningTheVm, playRequest, type Facts, type Play } from './play.ts';

const SETTLED_LIMIT_MS = 90_000;
/** The engine's event of an installation that ended well. */
const INSTALLED = 504;
const SLOTS_LOOKED_AT = 8;

async function withEngine<T>(lab: Lab, use: (engine: EngineClient) => Promise<T>): Promise<T> {
  const engine = labEngine(lab);
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}

/** Host ids with a row in the HA metadata, and whose it is. */
function rows(lab: Lab): string {
  const ids = Array.from({ length: SLOTS_LOOKED_AT }, (_, index) => index + 1);
  return ids.flatMap((id) => lab.storage.hostBlock(id)?.hostname ?? []).join(', ');
}

/** What the engine, the host and the HA metadata say of a host. */
export async function outside(lab: Lab, name: string): Promise<Facts> {
  const host = lab.world.hosts.get(name);
  const running = hostsRunningTheVm(lab);
  const inEngine = await withEngine(lab, async (engine) => {
    const found = (await engine.hosts({ allContent: true })).filter((one) => one.name === name);
    const events = await engine.events({ max: 300 });
    return {
      statuses: found.map(({ status }) => status).join(', '),
      score: found[0]?.hostedEngine?.score ?? 0,
      installations: events.filter(({ code, description }) => code === INSTALLED && description.includes(`${name} `)),
    };
  });
  return {
    [`${name} in the engine`]: inEngine.statuses,
    [`${name}'s score in the engine`]: inEngine.score,
    // Of a host that has it: what is taken back leaves its installation in the events.
    [`installations of ${name}`]: host?.deployed === true ? inEngine.installations.length : 0,
    [`hosted engine on ${name}`]: host?.deployed === true,
    [`local maintenance on ${name}`]: host?.deployed === true && host.localMaintenance,
    'rows in the HA metadata': rows(lab),
    'hosts that run the engine VM': running.length,
    [`${name} runs the engine VM`]: running.includes(name),
    'global maintenance in the HA metadata': lab.storage.globalMaintenance(),
  };
}

/** Hosts that the lab begins with were installed once before. */
const ABLE = (name: string): Facts => ({
  [`${name} in the engine`]: 'up',
  [`${name}'s score in the engine`]: 3400,
  [`installations of ${name}`]: 1,
  [`hosted engine on ${name}`]: true,
  [`local maintenance on ${name}`]: false,
  'rows in the HA metadata': 'host1, host2, host3',
  'hosts that run the engine VM': 1,
  [`${name} runs the engine VM`]: false,
  'global maintenance in the HA metadata': false,
});

/** A row as it stays behind when a host is taken out without care; its agent was stopped. */
export function leaveRow(lab: Lab, hostId: number, hostname: string, stopped = true): void {
  lab.storage.writeHostBlock({
    timestamp: 77_000,
    hostId,
    score: 0,
    engineStatus: { vm: 'down', health: 'bad', detail: 'unknown', reason: 'vm not running on this host' },
    hostname,
    localMaintenance: false,
    stopped,
    confTimestamp: 76_990,
    state: stopped ? 'AgentStopped' : 'EngineDown',
  });
}

/** The lab's machine that the engine does not know. */
export function spareOf(lab: Lab) {
  const spare = lab.fixture.spares?.[0];
  if (spare === undefined) throw new Error('the lab has no spare machine');
  return spare;
}

/** Takes hosted engine from a host as an admin does in the engine, and leaves its row. */
export async function undeployByHand(lab: Lab, name: string): Promise<void> {
  await withEngine(lab, async (engine) => {
    const host = (await engine.hosts()).find((one) => one.name === name);
    if (host === undefined) throw new Error(`the lab has no ${name}`);
    const is = (status: string) =>
      until(`${name} ${status}`, async () => (await engine.host(host.id)).status === status, SETTLED_LIMIT_MS);
    await engine.deactivateHost(host.id);
    await is('maintenance');
    const login = { publicKey: true } as const;
    await engine.installHost(host.id, { login, hostedEngine: 'undeploy', activate: true, reboot: false });
    await until(`${name} undeployed`, () => lab.world.hosts.get(name)?.deployed === false, SETTLED_LIMIT_MS);
    await is('up');
  });
}

/** It loses its power for good, and the engine gives it up. */
export async function loseForGood(lab: Lab, name: string): Promise<void> {
  await lab.hosts.find((host) => host.name === name)?.crash();
  const givenUp = (engine: EngineClient) => async () =>
    (await engine.hosts()).some((host) => host.name === name && host.status === 'non_responsive');
  await withEngine(lab, (engine) => until(`the engine to give up ${name}`, givenUp(engine), SETTLED_LIMIT_MS));
}

/** It may have looked before the host's agent spoke for the first time. */
export async function engineKnowsScoreOf(lab: Lab, name: string): Promise<void> {
  const known = (engine: EngineClient) => async () =>
    (await engine.hosts({ allContent: true })).some(
      (host) => host.name === name && (host.hostedEngine?.score ?? 0) > 0,
    );
  await withEngine(lab, (engine) => until(`the engine to know a score of ${name}`, known(engine), SETTLED_LIMIT_MS));
}

/** As `hosted-engine --clean-metadata` does it, once the agent has said good-bye. */
async function clearRow(lab: Lab, hostId: number): Promise<void> {
  await until(
    `the agent of slot ${hostId} gone`,
    () => lab.storage.hostBlock(hostId)?.stopped === true,
    SETTLED_LIMIT_MS,
  );
  const file = openSync(lab.storage.metadataPath, 'r+');
  writeSync(file, Buffer.alloc(BLOCK_BYTES), 0, BLOCK_BYTES, slotOffset(hostId));
  closeSync(file);
}

export const ADD_HOST: Play = {
  name: 'add-host',
  title: 'A new machine becomes a hosted-engine host',
  lab: { managed: true, spare: 1 },
  request: (lab) => ({
    ...playRequest(lab),
    operation: 'add-host',
    host: 'host4',
    address: spareOf(lab).address,
    vdsmPort: spareOf(lab).vdsmPort,
    access: { kind: 'password', passwordSecret: HOST_ROOT_SECRET },
    agent: 'reference',
  }),
  outside: (lab) => outside(lab, 'host4'),
  expected: { ...ABLE('host4'), 'rows in the HA metadata': 'host1, host2, host3, host4' },
  lastAbortable: 5,
};

export const REINSTALL_HOST: Play = {
  name: 'redeploy-host',
  title: 'A host of the engine without hosted engine becomes a hosted-engine host again',
  lab: { managed: true },
  prepare: async (lab) => {
    await undeployByHand(lab, 'host3');
    await clearRow(lab, 3);
  },
  request: (lab) => {
    const [, , host] = lab.fixture.hosts;
    const { address = '', vdsmPort = 0 } = host ?? {};
    const access = { kind: 'public-key' } as const;
    return { ...playRequest(lab), operation: 'add-host', host: 'host3', address, vdsmPort, access, agent: 'reference' };
  },
  outside: (lab) => outside(lab, 'host3'),
  expected: { ...ABLE('host3'), 'installations of host3': 3 },
  lastAbortable: 5,
};

export const REMOVE_HOST: Play = {
  name: 'remove-host',
  title: 'A host stays in the engine without hosted engine',
  lab: { managed: true },
  prepare: (lab) => engineKnowsScoreOf(lab, 'host3'),
  request: (lab) => ({ ...playRequest(lab), operation: 'remove-host', host: 'host3', fromEngine: false }),
  outside: (lab) => outside(lab, 'host3'),
  expected: {
    ...ABLE('host3'),
    "host3's score in the engine": 0,
    'installations of host3': 0,
    'hosted engine on host3': false,
    'rows in the HA metadata': 'host1, host2',
  },
  lastAbortable: 4,
};

/** The engine VM runs on host1. */
export const REMOVE_ENGINE_HOST: Play = {
  name: 'remove-engine-host',
  title: 'The engine VM’s host leaves hosted engine and the engine',
  lab: { managed: true },
  prepare: (lab) => engineKnowsScoreOf(lab, 'host1'),
  request: (lab) => ({ ...playRequest(lab), operation: 'remove-host', host: 'host1', fromEngine: true }),
  outside: (lab) => outside(lab, 'host1'),
  expected: {
    ...ABLE('host1'),
    'host1 in the engine': '',
    "host1's score in the engine": 0,
    'installations of host1': 0,
    'hosted engine on host1': false,
    'rows in the HA metadata': 'host2, host3',
  },
  lastAbortable: 4,
};

/** It was shut down in good order, as its row says, and never came back. */
export const REMOVE_DEAD_HOST: Play = {
  name: 'remove-dead-host',
  title: 'A host that is gone for good leaves hosted engine and the engine',
  lab: { managed: true },
  prepare: async (lab) => {
    await engineHasReadItsOvf(lab);
    await loseForGood(lab, 'host3');
    leaveRow(lab, 3, 'host3');
  },
  request: (lab) => ({ ...playRequest(lab), operation: 'remove-host', host: 'host3', fromEngine: true, dead: true }),
  outside: (lab) => outside(lab, 'host3'),
  expected: {
    'host3 in the engine': '',
    "host3's score in the engine": 0,
    // Nobody took it from the machine.
    'installations of host3': 1,
    'hosted engine on host3': true,
    'local maintenance on host3': false,
    'rows in the HA metadata': 'host1, host2',
    'hosts that run the engine VM': 1,
    'host3 runs the engine VM': false,
    'global maintenance in the HA metadata': false,
  },
  // Then the engine is told that it is dead.
  lastAbortable: 1,
};
