/**
 * The engine's refusals: English fragments of its answers, and what each one means to us.
 *
 * The engine sends a translated text, never the message key (engine.md 3). Only fragments without `${action}` and
 * `${type}` are stable: the raw placeholders reach clients now and then. This is the one place that says what may be
 * repeated. Order matters: an answer may carry several messages, and a refusal outweighs a "busy" beside it.
 */
import type { ErrorKind } from '../errors.ts';

export interface Refusal {
  /** Statuses with which the text counts. Which of 400 and 409 comes has changed between engine versions. */
  readonly status: readonly number[];
  /** Lower case; blanks of any kind count as one. */
  readonly fragment: string;
  readonly type: `engine/${string}`;
  readonly kind: ErrorKind;
  /** The engine's own key, for whoever searches logs and bug trackers. */
  readonly key: string;
  readonly remedy: string;
}

const REFUSED = [400, 409] as const;
type Row = readonly [fragment: string, type: string, key: string, remedy: string];

function rows(kind: ErrorKind, status: readonly number[], list: readonly Row[]): readonly Refusal[] {
  return list.map(([fragment, type, key, remedy]) => ({ status, fragment, type: `engine/${type}`, kind, key, remedy }));
}

/** Storage and import (engine.md 8.3, 11.1). */
const STORAGE = rows('needs-operator', REFUSED, [
  [
    'data center master storage domain',
    'master-domain-not-active',
    'ACTION_TYPE_FAILED_MASTER_STORAGE_DOMAIN_NOT_ACTIVE',
    "Activate the data center's master storage domain, then retry",
  ],
  [
    'there is no active host in the data center',
    'no-active-host',
    'ACTION_TYPE_FAILED_NO_VDS_IN_POOL',
    'Bring a host of the data center up, then retry',
  ],
  [
    'the storage domain name is already in use',
    'storage-domain-name-in-use',
    'ACTION_TYPE_FAILED_STORAGE_DOMAIN_NAME_ALREADY_EXIST',
    'Rename or remove the domain of that name, or choose another name',
  ],
  [
    'the storage domain already exists',
    'storage-domain-already-exists',
    'ACTION_TYPE_FAILED_STORAGE_DOMAIN_ALREADY_EXIST',
    'The engine knows this domain: attach it instead of importing it again',
  ],
  [
    'already exists for',
    'storage-connection-in-use',
    'ACTION_TYPE_FAILED_STORAGE_CONNECTION_ALREADY_EXISTS',
    'Find the domain that uses this address and path; remove the left-over connection if none does',
  ],
  [
    'the storage domain is already attached to a different data center',
    'storage-domain-in-another-dc',
    'ERROR_CANNOT_ADD_STORAGE_DOMAIN_WITH_ATTACHED_DATA_DOMAIN',
    'Detach the domain from the other data center first',
  ],
  [
    "relevant storage domain's status is",
    'storage-domain-status',
    'ACTION_TYPE_FAILED_STORAGE_DOMAIN_STATUS_ILLEGAL2',
    'Bring the storage domain into the right status, then retry',
  ],
  [
    "storage domain doesn't exist",
    'storage-domain-missing',
    'ACTION_TYPE_FAILED_STORAGE_DOMAIN_NOT_EXIST',
    'Check which storage domains the engine lists',
  ],
  [
    'there is no ovf for the specific entity',
    'unsupported-ovf',
    'ACTION_TYPE_FAILED_UNSUPPORTED_OVF',
    'The domain holds no OVF of this VM: check its OVF_STORE disks, write the OVF, detach and attach the domain',
  ],
  [
    'the ovf configuration could not be parsed',
    'ovf-not-parsed',
    'ACTION_TYPE_FAILED_OVF_CONFIGURATION_NOT_SUPPORTED',
    'Correct the OVF (see engine.log for the parser’s words) and write it again',
  ],
  [
    'vm id already exists in the system',
    'vm-exists',
    'VM_CANNOT_IMPORT_VM_EXISTS',
    'The engine has a VM with this id: verify it, or remove it before importing again',
  ],
  [
    'vm name already exists in the data center',
    'vm-name-exists',
    'VM_CANNOT_IMPORT_VM_NAME_EXISTS',
    'Rename the other VM of this name, then retry',
  ],
  [
    'already in use by vm or snapshot',
    'mac-in-use',
    'NETWORK_MAC_ADDRESS_IN_USE',
    'Free the MAC address, or import with reassignment of bad MAC addresses',
  ],
  [
    'mac address is already in use',
    'mac-in-use',
    'NETWORK_MAC_ADDRESS_IN_USE_DETAILED',
    'Free the MAC address, or import with reassignment of bad MAC addresses',
  ],
  [
    'the disk is a part of hosted engine',
    'hosted-engine-disk',
    'ACTION_TYPE_FAILED_DISK_IS_A_HOSTED_ENGINE_DISK',
    'Leave the disks of the hosted engine alone',
  ],
  [
    'the disk contains the hosted engine',
    'hosted-engine-disk',
    'ACTION_TYPE_FAILED_HOSTED_ENGINE_DISK',
    'Leave the disks of the hosted engine alone',
  ],
  [
    'the operation is not supported for',
    'disk-content-type',
    'ACTION_TYPE_FAILED_DISK_CONTENT_TYPE_NOT_SUPPORTED_FOR_OPERATION',
    'Leave disks of this content type alone',
  ],
  [
    'only for ovf disks that are in',
    'ovf-disk-status',
    'ACTION_TYPE_FAILED_OVF_DISK_NOT_IN_APPLICABLE_STATUS',
    'An OVF_STORE disk can be removed only while it is illegal',
  ],
  [
    'the storage selected contains the self hosted engine',
    'hosted-engine-storage',
    'ACTION_TYPE_FAILED_HOSTED_ENGINE_STORAGE',
    'The domain of the hosted engine can not be taken down while the engine runs on it',
  ],
]);

/** Rules of the engine VM (engine.md 10). */
const ENGINE_VM = rows('needs-operator', REFUSED, [
  [
    'using an unmanaged hosted engine vm',
    'unmanaged-hosted-engine',
    'ACTION_TYPE_FAILED_UNMANAGED_HOSTED_ENGINE',
    'Let the engine VM be imported first (the upgrade operation), then retry',
  ],
  [
    'data center other than hosted engine vm runs on',
    'host-in-another-dc',
    'ACTION_TYPE_FAILED_HOSTED_ENGINE_HOST_IN_ANOTHER_DC',
    "Use a host of the engine VM's data center",
  ],
  [
    'this vm is not managed by the engine',
    'vm-not-managed',
    'ACTION_TYPE_FAILED_CANNOT_RUN_ACTION_ON_NON_MANAGED_VM',
    'The HA agents start and stop the engine VM: go through them, not through the engine',
  ],
  [
    'delete protection is enabled',
    'delete-protected',
    'ACTION_TYPE_FAILED_DELETE_PROTECTION_ENABLED',
    'The engine VM is protected on purpose; leave it so',
  ],
  ['vm is running', 'vm-running', 'ACTION_TYPE_FAILED_VM_IS_RUNNING', 'Wait until the VM is down'],
  [
    'editing is not allowed',
    'editing-disabled',
    'ACTION_TYPE_FAILED_EDITING_HOSTED_ENGINE_IS_DISABLED',
    'Set AllowEditingHostedEngine to true with engine-config and restart the engine',
  ],
  [
    'cannot be set to highly available',
    'engine-vm-not-ha',
    'ACTION_TYPE_FAILED_VM_CANNOT_BE_HIGHLY_AVAILABLE_AND_HOSTED_ENGINE',
    'Leave high availability off: the HA agents do that work for the engine VM',
  ],
  [
    'optimized as high performance',
    'engine-vm-not-high-performance',
    'ACTION_TYPE_FAILED_VM_CANNOT_BE_HIGH_PERFORMANCE_AND_HOSTED_ENGINE',
    'Keep the engine VM of type server',
  ],
  [
    'hosted engine vm values that are locked',
    'engine-vm-locked-field',
    'VM_CANNOT_UPDATE_HOSTED_ENGINE_FIELD',
    'Change only fields that the engine lets one edit on its own VM',
  ],
  [
    'cannot exceed the minimal memory size of hosted engine hosts',
    'memory-above-hosts',
    'ACTION_TYPE_FAILED_PHYSICAL_MEMORY_CANNOT_BE_SMALLER_THAN_MEMORY_SIZE',
    'Choose less memory than the smallest hosted-engine host has',
  ],
  [
    'cannot exceed maximum memory size',
    'memory-above-maximum',
    'ACTION_TYPE_FAILED_MAX_MEMORY_CANNOT_BE_SMALLER_THAN_MEMORY_SIZE',
    'Raise the maximum memory too, or choose less memory',
  ],
  [
    'physical memory guaranteed cannot exceed memory size',
    'guaranteed-above-memory',
    'ACTION_TYPE_FAILED_MIN_MEMORY_CANNOT_EXCEED_MEMORY_SIZE',
    'Lower the guaranteed memory too, or choose more memory',
  ],
  [
    'interface with empty profile',
    'nic-without-profile',
    'HOSTED_ENGINE_VM_CANNOT_HAVE_NIC_WITH_EMPTY_PROFILE',
    'Give the network interface a vNIC profile',
  ],
  [
    'cannot deactivate the management interface',
    'management-nic',
    'DEACTIVATE_MANAGEMENT_NETWORK_FOR_HOSTED_ENGINE',
    "Leave the engine VM's management interface plugged in",
  ],
  [
    'backup of hosted engine vm is not supported',
    'engine-vm-backup',
    'ACTION_TYPE_FAILED_HOSTED_ENGINE_VM_BACKUP_NOT_SUPPORTED',
    'Back the engine up with engine-backup',
  ],
  [
    'hosted engine is not configured on this host',
    'ha-not-configured',
    'ACTION_TYPE_FAILED_VDS_HA_NOT_CONFIGURED',
    'Deploy the hosted engine on the host that runs the engine VM, or set global maintenance through VDSM',
  ],
]);

/** Hosts (engine.md 8.2, 10). */
const HOSTS = rows('needs-operator', REFUSED, [
  [
    'hosts capable of running the engine vm',
    'no-alternate-host',
    'VDS_CANNOT_MAINTENANCE_NO_ALTERNATE_HOST_FOR_HOSTED_ENGINE',
    'Bring another hosted-engine host up with a score above 0, then retry',
  ],
  [
    'cannot switch host to maintenance mode, host is not operational',
    'host-not-operational',
    'VDS_CANNOT_MAINTENANCE_VDS_IS_NOT_OPERATIONAL',
    'Repair or activate the host first',
  ],
  [
    'no host that satisfies current scheduling constraints',
    'no-host-fits',
    'SCHEDULING_ALL_HOSTS_FILTERED_OUT',
    'Bring another host up that can run the VM (for the engine VM: score above 0, enough memory), then retry',
  ],
  [
    'there are no available updates for the host',
    'no-updates',
    'NO_AVAILABLE_UPDATES_FOR_HOST',
    'Nothing to install: let the engine look for updates again if there should be',
  ],
  [
    'valid host statuses for upgrade',
    'host-not-updatable',
    'CANNOT_UPGRADE_HOST_STATUS_ILLEGAL',
    'Bring the host up or into maintenance, then retry',
  ],
  [
    'host with the same address already exists',
    'host-address-in-use',
    'ACTION_TYPE_FAILED_VDS_WITH_SAME_HOST_EXIST',
    'The engine has a host at this address: use it, or remove it first',
  ],
  [
    'name is already in use',
    'name-in-use',
    'ACTION_TYPE_FAILED_NAME_ALREADY_USED',
    'Use the existing object of this name, or choose another name',
  ],
  [
    'ssh authentication failed',
    'host-ssh-refused',
    'VDS_CANNOT_AUTHENTICATE_TO_SERVER',
    "Correct the host's root password, or put the engine's public key into its authorized_keys",
  ],
  [
    'please move host to maintenance mode first',
    'host-not-in-maintenance',
    'VDS_CANNOT_INSTALL_STATUS_ILLEGAL',
    'Move the host to maintenance, then retry',
  ],
  [
    'host is operational. please switch host to maintenance',
    'host-not-in-maintenance',
    'VDS_CANNOT_REMOVE_VDS_STATUS_ILLEGAL',
    'Move the host to maintenance, then retry',
  ],
  [
    'vms are still running on this host',
    'host-runs-vms',
    'VDS_CANNOT_REMOVE_VDS_DETECTED_RUNNING_VM',
    'Migrate or stop the VMs on the host, then retry',
  ],
  [
    'only when host status is',
    'host-status',
    'ACTION_TYPE_FAILED_VDS_STATUS_ILLEGAL',
    'Bring the host into that status, then retry',
  ],
]);

const PERMISSIONS = rows(
  'needs-operator',
  [400, 403, 409],
  [
    [
      'only users with superuser role',
      'super-user-needed',
      'NON_ADMIN_USER_NOT_AUTHORIZED_TO_PERFORM_ACTION_ON_HE',
      'Give the user the SuperUser role',
    ],
    [
      'not authorized to perform this action',
      'not-permitted',
      'USER_NOT_AUTHORIZED_TO_PERFORM_ACTION',
      'Give the user a role that permits this action',
    ],
  ],
);

/** Requests that we made wrongly: repeating them can't help, nor can an operator (engine.md 2). */
const OUR_FAULT = rows(
  'fatal',
  [400],
  [
    [
      'incomplete parameters',
      'incomplete-parameters',
      'Incomplete parameters',
      'This is a defect of Bellwether: report it with this message',
    ],
    [
      'invalid value',
      'invalid-value',
      'Invalid value',
      'Check the value named in the message; if it came from no request, report a defect',
    ],
    [
      'invalid enum value',
      'invalid-value',
      'Invalid Enum value',
      'Check the value named in the message; if it came from no request, report a defect',
    ],
    ['invalid uuid', 'malformed-id', 'Operation failed', 'Check the id in the request'],
  ],
);

const SOON =
  'Nothing to do: it is tried again. If it lasts, look for a task that does not end under Tasks in the engine';

/** Locks and updates under way: the engine says "later" (engine.md 3). */
const BUSY = rows('retryable', REFUSED, [
  ['related operation is currently in progress', 'object-locked', 'ACTION_TYPE_FAILED_OBJECT_LOCKED', SOON],
  ['ovf data is currently being updated', 'ovf-on-update', 'ACTION_TYPE_FAILED_DOMAIN_OVF_ON_UPDATE', SOON],
  ['vm is locked', 'vm-locked', 'ACTION_TYPE_FAILED_VM_IS_LOCKED', SOON],
  ['disk is locked', 'disk-locked', 'ACTION_TYPE_FAILED_DISK_IS_LOCKED', SOON],
  ['following disks are locked', 'disk-locked', 'ACTION_TYPE_FAILED_DISKS_LOCKED', SOON],
  ['is being imported', 'vm-being-imported', 'ACTION_TYPE_FAILED_VM_IS_BEING_IMPORTED', SOON],
  ['is being exported', 'vm-being-exported', 'ACTION_TYPE_FAILED_VM_DURING_EXPORT', SOON],
  ['snapshot is currently being created', 'vm-in-snapshot', 'ACTION_TYPE_FAILED_SNAPSHOT_IS_BEING_TAKEN_FOR_VM', SOON],
  ['backup operation is currently in progress', 'vm-in-backup', 'ACTION_TYPE_FAILED_VM_BACKUP_LOCKED', SOON],
  ['operations are running on the host', 'host-busy', 'VDS_CANNOT_MAINTENANCE_HOST_WITH_RUNNING_OPERATIONS', SOON],
  [
    'intermittent connectivity to this host',
    'host-intermittent',
    'ACTION_TYPE_FAILED_VDS_INTERMITENT_CONNECTIVITY',
    SOON,
  ],
  [
    'connecting to host via ssh has failed',
    'host-ssh-unreachable',
    'VDS_CANNOT_CONNECT_TO_SERVER',
    'Check that the host is up and that the engine reaches its SSH port',
  ],
  ['currently in progress', 'busy', 'related text', SOON],
]);

export const REFUSALS: readonly Refusal[] = [...STORAGE, ...ENGINE_VM, ...HOSTS, ...PERMISSIONS, ...OUR_FAULT, ...BUSY];

/** The row for an answer, if its text is known. */
export function findRefusal(status: number, text: string): Refusal | undefined {
  const plain = text.replace(/\s+/g, ' ').toLowerCase();
  return REFUSALS.find((row) => row.status.includes(status) && plain.includes(row.fragment));
}
