import { until } from '../processes.ts';
import { labEngine } from '../faults/end-state.ts';
import type { Lab } from '../lab/lab.ts';
import { hostsRunningTheVm, playRequest, type Facts, type Play } from './play.ts';

const SETTLED_LIMIT_MS = 90_000;

async function statusOf(lab: Lab, host: string): Promise<string> {
  const engine = labEngine(lab);
  try {
    return (await engine.hosts()).find(({ name }) => name === host)?.status ?? 'unknown';
  } finally {
    await engine.close();
  }
}

/** What the engine's side and HA's side say of a host, and where the engine VM is. */
async function outside(lab: Lab, host: string): Promise<Facts> {
  const { spmId = 0 } = lab.fixture.hosts.find(({ name }) => name === host) ?? {};
  const block = lab.storage.hostBlock(spmId);
  const running = hostsRunningTheVm(lab);
  return {
    [`${host} in the engine`]: await statusOf(lab, host),
    [`${host}'s local maintenance in the HA metadata`]: block?.localMaintenance === true,
    [`${host}'s score in the HA metadata`]: block?.score ?? -1,
    'hosts that run the engine VM': running.length,
    [`${host} runs the engine VM`]: running.includes(host),
    'global maintenance in the HA metadata': lab.storage.globalMaintenance(),
  };
}

const AWAY = (host: string): Facts => ({
  [`${host} in the engine`]: 'maintenance',
  [`${host}'s local maintenance in the HA metadata`]: true,
  [`${host}'s score in the HA metadata`]: 0,
  'hosts that run the engine VM': 1,
  [`${host} runs the engine VM`]: false,
  'global maintenance in the HA metadata': false,
});

const IN_SERVICE = (host: string): Facts => ({
  ...AWAY(host),
  [`${host} in the engine`]: 'up',
  [`${host}'s local maintenance in the HA metadata`]: false,
  [`${host}'s score in the HA metadata`]: 3400,
});

/**
 * As an admin does it in the engine, where HA maintenance follows by itself or not. An engine that has not asked the host
 * for its HA state yet would not set it: an admin sees that and waits.
 */
export async function deactivate(lab: Lab, host: string): Promise<void> {
  const engine = labEngine(lab);
  const look = async () => {
    const found = (await engine.hosts({ allContent: true })).find(({ name }) => name === host);
    if (found === undefined) throw new Error(`the lab has no ${host}`);
    return found;
  };
  const ready = async () => {
    const { status, hostedEngine } = await look();
    return status === 'up' && hostedEngine !== undefined;
  };
  try {
    await until(`${host} up, its HA state known to the engine`, ready, SETTLED_LIMIT_MS);
    await engine.deactivateHost((await look()).id, { reason: 'by hand' });
    await until(`${host} in maintenance`, async () => (await look()).status === 'maintenance', SETTLED_LIMIT_MS);
  } finally {
    await engine.close();
  }
}

/** The engine VM runs on host1. */
export const ENTER_HOST_MAINTENANCE: Play = {
  name: 'maintenance',
  title: 'The engine VM’s host goes into maintenance, the VM moves away first',
  lab: { managed: true },
  request: (lab) => ({ ...playRequest(lab), operation: 'enter-host-maintenance', host: 'host1', reason: 'new DIMMs' }),
  outside: (lab) => outside(lab, 'host1'),
  expected: AWAY('host1'),
};

export const LEAVE_HOST_MAINTENANCE: Play = {
  name: 'maintenance-end',
  title: 'A host comes out of maintenance, in the engine and for HA',
  lab: { managed: true },
  prepare: (lab) => deactivate(lab, 'host2'),
  request: (lab) => ({ ...playRequest(lab), operation: 'leave-host-maintenance', host: 'host2' }),
  outside: (lab) => outside(lab, 'host2'),
  expected: IN_SERVICE('host2'),
};

/** The engine put the host into maintenance although HA refused, and only warned (event 10453). */
export async function halfInMaintenance(lab: Lab, host: string): Promise<void> {
  const message = 'Failed to set Hosted Engine HA policy';
  await lab.inject({ kind: 'vdsm-error', host, verb: 'Host.setHaMaintenanceMode', code: 61, message, times: 1 });
  await deactivate(lab, host);
}

export const HALF_HOST_MAINTENANCE: Play = {
  name: 'maintenance-half',
  title: 'A host that is in maintenance in the engine, but not for HA, is put right',
  lab: { managed: true },
  prepare: (lab) => halfInMaintenance(lab, 'host3'),
  request: (lab) => ({ ...playRequest(lab), operation: 'enter-host-maintenance', host: 'host3' }),
  outside: (lab) => outside(lab, 'host3'),
  expected: AWAY('host3'),
};
