/** All workflows of the bundle. */
export { cluster } from './cluster/cluster.ts';
export { upgradeHostedEngine } from './upgrade/upgrade.ts';
export { installHostedEngine } from './install/install.ts';
export { editEngineVm } from './edit/edit.ts';
export { setGlobalMaintenance } from './global-maintenance/global-maintenance.ts';
export { enterHostMaintenance } from './host-maintenance/enter.ts';
export { leaveHostMaintenance } from './host-maintenance/leave.ts';
export { rollingHostUpdate } from './rolling-update/rolling-update.ts';
export { addHost } from './add-host/add-host.ts';
export { removeHost } from './remove-host/remove-host.ts';
export { backupConfiguration } from './backup/backup.ts';
export { restoreConfiguration } from './restore/restore.ts';
export { reconcile } from './reconcile/reconcile.ts';
export { examine, listBackups, lookAtCluster } from './look/look.ts';
export { followTicket } from './ticket/follow.ts';
export { maintenanceWindow } from './window/window.ts';
export { windowCloser } from './window/closer.ts';
export { notification, notifier } from './notify/notifier.ts';
