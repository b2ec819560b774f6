import type { Node } from '../codec/tree.ts';
import type { Context } from '../context.ts';
import type { SearchRecord } from '../search/match.ts';
import type { Connection, Disk, Domain } from '../state/model.ts';
import { actions, links, ref } from './links.ts';

/**
 * `storage_domain`.
 *
 * @param under data center whose list is asked: only there the real status shows; in the top list it is `unattached` or absent
 */
export function domainView(context: Context, one: Domain, under?: string): Node {
  const base = under === undefined ? `/storagedomains/${one.id}` : `/datacenters/${under}/storagedomains/${one.id}`;
  const status =
    under === undefined ? (one.attachment === undefined ? 'unattached' : undefined) : one.attachment?.status;
  const committed = context.state.disks
    .filter((disk) => disk.domainId === one.id)
    .reduce((sum, disk) => sum + disk.provisionedSize, 0);
  const top =
    under === undefined ? ['isattached', 'reduceluns', 'refreshluns', 'updateovfstore'] : ['activate', 'deactivate'];
  return {
    id: one.id,
    href: base,
    name: one.name,
    description: one.description,
    comment: one.comment,
    type: one.type,
    ...(status !== undefined && { status }),
    external_status: 'ok',
    master: one.master,
    storage: storageView(context, one),
    storage_format: one.format,
    available: one.freeBytes,
    used: one.totalBytes - one.freeBytes,
    committed,
    block_size: 512,
    critical_space_action_blocker: 5,
    warning_low_space_indicator: 10,
    wipe_after_delete: false,
    discard_after_delete: false,
    supports_discard: false,
    supports_discard_zeroes_data: false,
    backup: false,
    import: false,
    ...(one.attachment && {
      data_centers: { data_center: [ref('datacenters', one.attachment.dataCenterId)] },
      ...(under !== undefined && { data_center: ref('datacenters', one.attachment.dataCenterId) }),
    }),
    actions: actions(base, ...top),
    link: links(
      base,
      ...(under === undefined
        ? ['disks', 'storageconnections', 'vms', 'templates', 'permissions', 'disksnapshots', 'diskprofiles']
        : ['disks']),
    ),
  };
}

function storageView(context: Context, one: Domain): Node {
  const connection = context.state.connections.find((candidate) => candidate.id === one.connectionId);
  if (connection === undefined) return { type: 'nfs' };
  const { type, address, path, mountOptions, nfsVersion } = connection;
  return {
    type,
    address,
    path,
    ...(mountOptions && { mount_options: mountOptions }),
    nfs_version: nfsVersion ?? 'auto',
  };
}

export function domainFields(context: Context, one: Domain): SearchRecord {
  const dataCenter = context.state.dataCenters.find((dc) => dc.id === one.attachment?.dataCenterId)?.name;
  const gib = (bytes: number) => Math.floor(bytes / 1024 ** 3);
  return {
    name: one.name,
    status: one.attachment?.status ?? 'unattached',
    external_status: 'ok',
    datacenter: dataCenter,
    type: one.type,
    size: gib(one.totalBytes),
    free: gib(one.freeBytes),
    used: gib(one.totalBytes - one.freeBytes),
    description: one.description,
    comment: one.comment,
    id: one.id,
  };
}

/** `storage_connection`. */
export function connectionView(one: Connection): Node {
  return {
    ...ref('storageconnections', one.id),
    type: one.type,
    address: one.address,
    path: one.path,
    ...(one.mountOptions && { mount_options: one.mountOptions }),
    ...(one.nfsVersion && { nfs_version: one.nfsVersion }),
  };
}

/** `disk`: `id` is the image, `image_id` the volume (engine.md 8.4). */
export function diskView(one: Disk): Node {
  const base = `/disks/${one.id}`;
  return {
    ...ref('disks', one.id),
    name: one.name,
    alias: one.name,
    description: one.description,
    comment: '',
    image_id: one.volumeId,
    status: one.status,
    content_type: one.contentType,
    format: one.format,
    sparse: one.sparse,
    storage_type: 'image',
    provisioned_size: one.provisionedSize,
    actual_size: one.actualSize,
    total_size: one.actualSize,
    shareable: one.shareable,
    wipe_after_delete: one.wipeAfterDelete,
    propagate_errors: false,
    backup: 'none',
    qcow_version: one.format === 'cow' ? 'qcow2_v3' : undefined,
    storage_domains: { storage_domain: [ref('storagedomains', one.domainId)] },
    actions: actions(base, 'convert', 'copy', 'export', 'move', 'reduce', 'refreshlun', 'sparsify'),
    link: links(base, 'permissions', 'statistics', 'disksnapshots'),
  };
}

export function diskFields(context: Context, one: Disk): SearchRecord {
  return {
    name: one.name,
    alias: one.name,
    description: one.description,
    id: one.id,
    image_id: one.volumeId,
    status: one.status,
    format: one.format,
    provisioned_size: Math.floor(one.provisionedSize / 1024 ** 3),
    disk_content_type: one.contentType,
    storage: context.state.domains.find((domain) => domain.id === one.domainId)?.name,
    'vms.name': context.state.vms.filter((vm) => vm.attachments.some((a) => a.diskId === one.id)).map((vm) => vm.name),
    vm_names: context.state.vms.filter((vm) => vm.attachments.some((a) => a.diskId === one.id)).map((vm) => vm.name),
  };
}
