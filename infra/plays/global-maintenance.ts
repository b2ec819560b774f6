import { hostsRunningTheVm, playRequest, type Facts, type Play } from './play.ts';
import type { Lab } from '../lab/lab.ts';

async function outside(lab: Lab): Promise<Facts> {
  return {
    'global maintenance in the HA metadata': lab.storage.globalMaintenance(),
    'hosts that run the engine VM': hostsRunningTheVm(lab).length,
  };
}

const EXPECTED = { 'hosts that run the engine VM': 1 };

/** On until a time a few seconds away, off by itself then. */
export const GLOBAL_MAINTENANCE: Play = {
  name: 'global-maintenance',
  title: 'Global maintenance is switched on',
  lab: { managed: true },
  request: (lab) => ({ ...playRequest(lab), operation: 'global-maintenance', mode: 'on', reason: 'storage firmware' }),
  outside,
  expected: { ...EXPECTED, 'global maintenance in the HA metadata': true },
};

export const GLOBAL_MAINTENANCE_OFF: Play = {
  name: 'global-maintenance-off',
  title: 'Global maintenance that somebody left on is switched off',
  lab: { managed: true },
  prepare: async (lab) => lab.storage.setGlobalMaintenance(true),
  request: (lab) => ({ ...playRequest(lab), operation: 'global-maintenance', mode: 'off' }),
  outside,
  expected: { ...EXPECTED, 'global maintenance in the HA metadata': false },
};
