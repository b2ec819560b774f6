/** All workflows of the bundle. */
export { cluster } from './cluster/cluster.ts';
export { upgradeHostedEngine } from './upgrade/upgrade.ts';
export { setGlobalMaintenance } from './global-maintenance/global-maintenance.ts';
