import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EngineClient } from './client.ts';
import { EngineError, findOrNull, retryAfterMs } from './errors.ts';
import { REFUSALS, findRefusal } from './refusals.ts';
import { FakeEngine, PASSWORD, type Reply, USER } from './testing.ts';

let engine: FakeEngine;
let client: EngineClient;

beforeAll(async () => {
  engine = await FakeEngine.start();
  client = new EngineClient({ baseUrl: engine.url, caFile: engine.caFile, user: USER, password: () => PASSWORD });
});

afterAll(async () => {
  await client.close();
  await engine.stop();
});

/** What the client makes of an answer to a change. */
async function errorFor(reply: Reply): Promise<EngineError> {
  engine.on('PUT /vms/v1', reply);
  try {
    await client.updateVm('v1', { description: 'x' });
  } catch (error) {
    if (error instanceof EngineError) return error;
    throw error;
  }
  throw new Error('no error');
}

const fault = (status: number, detail: string, reason = 'Operation Failed') => ({ status, json: { reason, detail } });

/** Status, the engine's words, and what they must become. */
const WORDS: readonly (readonly [number, string, string, 'retryable' | 'needs-operator' | 'fatal'])[] = [
  [
    409,
    'Failed to ${action} ${type} due to an error on the Data Center master Storage Domain.\n-Please activate it',
    'master-domain-not-active',
    'needs-operator',
  ],
  [
    409,
    'Cannot migrate VM. There is no host that satisfies current scheduling constraints. See below for details:',
    'no-host-fits',
    'needs-operator',
  ],
  [409, 'Cannot upgrade Host. There are no available updates for the host.', 'no-updates', 'needs-operator'],
  [
    409,
    'Cannot upgrade Host. Valid Host statuses for upgrade are Up, Maintenance or Non-Operational.',
    'host-not-updatable',
    'needs-operator',
  ],
  [409, 'Cannot attach Storage. There is no active Host in the Data Center.', 'no-active-host', 'needs-operator'],
  [
    409,
    'Cannot add Storage. The Storage Domain name is already in use.',
    'storage-domain-name-in-use',
    'needs-operator',
  ],
  [409, 'Cannot add Storage. The Storage Domain already exists.', 'storage-domain-already-exists', 'needs-operator'],
  [
    409,
    'Cannot add Storage connection. Storage connection 123 already exists for data1.',
    'storage-connection-in-use',
    'needs-operator',
  ],
  [
    409,
    'Cannot add it.\nThe Storage Domain is already attached to a different Data Center and so on',
    'storage-domain-in-another-dc',
    'needs-operator',
  ],
  [
    409,
    "Cannot detach Storage. The relevant Storage Domain's status is Active.",
    'storage-domain-status',
    'needs-operator',
  ],
  [409, "Cannot attach Storage. Storage Domain doesn't exist.", 'storage-domain-missing', 'needs-operator'],
  [409, 'Cannot import VM. There is no OVF for the specific entity.', 'unsupported-ovf', 'needs-operator'],
  [400, 'Cannot import VM. The OVF configuration could not be parsed.', 'ovf-not-parsed', 'needs-operator'],
  [409, 'Import VM failed - VM ID already exists in the system. Please remove it', 'vm-exists', 'needs-operator'],
  [
    400,
    'Import VM failed - VM Name already exists in the Data Center. Please rename',
    'vm-name-exists',
    'needs-operator',
  ],
  [409, 'MAC Address 56:6f:00:00:00:01 is already in use by VM or snapshot: web.', 'mac-in-use', 'needs-operator'],
  [409, 'MAC Address is already in use: 56:6f:00:00:00:01.', 'mac-in-use', 'needs-operator'],
  [409, 'Cannot remove Disk. The disk is a part of Hosted Engine.', 'hosted-engine-disk', 'needs-operator'],
  [409, 'Cannot remove Disk. The disk contains the hosted engine.', 'hosted-engine-disk', 'needs-operator'],
  [
    409,
    'Cannot remove Disk. The operation is not supported for HOSTED_ENGINE disks.',
    'disk-content-type',
    'needs-operator',
  ],
  [
    409,
    'The operation can be performed only for OVF disks that are in ILLEGAL status.',
    'ovf-disk-status',
    'needs-operator',
  ],
  [
    409,
    'Cannot deactivate Storage. The storage selected contains the self hosted engine.',
    'hosted-engine-storage',
    'needs-operator',
  ],
  [
    409,
    'Cannot edit VM. You are using an unmanaged hosted engine VM. Please add storage',
    'unmanaged-hosted-engine',
    'needs-operator',
  ],
  [
    409,
    'You are using host from data center other than hosted engine VM runs on.',
    'host-in-another-dc',
    'needs-operator',
  ],
  [400, 'Cannot run VM. This VM is not managed by the engine.', 'vm-not-managed', 'needs-operator'],
  [
    409,
    'Cannot remove VM. Delete protection is enabled. In order to delete, disable it',
    'delete-protected',
    'needs-operator',
  ],
  [409, 'Cannot remove VM. VM is running.', 'vm-running', 'needs-operator'],
  [
    400,
    'The VM is a hosted engine and editing is not allowed. See configuration value',
    'editing-disabled',
    'needs-operator',
  ],
  [
    409,
    'A VM running the engine ("hosted engine") cannot be set to highly available as it',
    'engine-vm-not-ha',
    'needs-operator',
  ],
  [
    409,
    'A VM running the engine cannot be set to be optimized as High Performance.',
    'engine-vm-not-high-performance',
    'needs-operator',
  ],
  [
    400,
    'There was an attempt to change Hosted Engine VM values that are locked.',
    'engine-vm-locked-field',
    'needs-operator',
  ],
  [
    409,
    'Memory size (9MB) cannot exceed the minimal memory size of Hosted Engine hosts (8MB).',
    'memory-above-hosts',
    'needs-operator',
  ],
  [409, 'Memory size (9MB) cannot exceed maximum memory size (8MB).', 'memory-above-maximum', 'needs-operator'],
  [400, 'Physical Memory Guaranteed cannot exceed Memory Size.', 'guaranteed-above-memory', 'needs-operator'],
  [400, 'Hosted Engine VM cannot have network interface with empty profile.', 'nic-without-profile', 'needs-operator'],
  [409, 'Cannot deactivate the management interface of the Hosted Engine VM.', 'management-nic', 'needs-operator'],
  [409, 'Cannot backup VM. Backup of Hosted Engine VM is not supported', 'engine-vm-backup', 'needs-operator'],
  [400, 'Cannot edit Host. Hosted Engine is not configured on this host.', 'ha-not-configured', 'needs-operator'],
  [
    409,
    'None of the hosts capable of running the engine VM has score more than 0',
    'no-alternate-host',
    'needs-operator',
  ],
  [409, 'Cannot switch Host to Maintenance mode, Host is not operational.', 'host-not-operational', 'needs-operator'],
  [409, 'Cannot add Host. Host with the same address already exists.', 'host-address-in-use', 'needs-operator'],
  [
    409,
    'Cannot add Host. The Host name is already in use, please choose a unique name',
    'name-in-use',
    'needs-operator',
  ],
  [
    409,
    'Cannot add Host. SSH authentication failed, verify authentication parameters',
    'host-ssh-refused',
    'needs-operator',
  ],
  [
    409,
    'Cannot install Host. Please move Host to Maintenance mode first.',
    'host-not-in-maintenance',
    'needs-operator',
  ],
  [
    409,
    'Cannot remove Host. Host is operational. Please switch Host to Maintenance mode first.',
    'host-not-in-maintenance',
    'needs-operator',
  ],
  [409, 'Cannot remove Host. One or more VMs are still running on this Host.', 'host-runs-vms', 'needs-operator'],
  [409, 'Operation can be performed only when Host status is Up.', 'host-status', 'needs-operator'],
  [403, 'Only users with SuperUser role are authorized to perform actions', 'super-user-needed', 'needs-operator'],
  [403, 'User is not authorized to perform this action.', 'not-permitted', 'needs-operator'],
  [400, 'Host [host.id|name] required for add: Incomplete parameters', 'incomplete-parameters', 'fatal'],
  [400, 'Invalid value: memory', 'invalid-value', 'fatal'],
  [400, 'Invalid Enum value for VmType', 'invalid-value', 'fatal'],
  [400, 'Invalid UUID string: xyz', 'malformed-id', 'fatal'],
  [
    409,
    'Cannot edit VM. Related operation is currently in progress. Please try again later.',
    'object-locked',
    'retryable',
  ],
  [409, 'Cannot ${action} Storage. Storage Domain OVF data is currently being updated.', 'ovf-on-update', 'retryable'],
  [409, 'Cannot edit VM: VM is locked. Please try again in a few minutes.', 'vm-locked', 'retryable'],
  [409, 'Cannot edit VM: Disk is locked. Please try again later.', 'disk-locked', 'retryable'],
  [409, 'Cannot edit VM: The following disks are locked: a, b.', 'disk-locked', 'retryable'],
  [409, 'Cannot edit VM. VM HostedEngine is being imported.', 'vm-being-imported', 'retryable'],
  [409, 'Cannot edit VM: VM is being exported now.', 'vm-being-exported', 'retryable'],
  [409, 'Cannot edit VM. Snapshot is currently being created for VM web.', 'vm-in-snapshot', 'retryable'],
  [409, 'Cannot edit VM. The VM backup operation is currently in progress.', 'vm-in-backup', 'retryable'],
  [
    409,
    'Cannot switch Host h to Maintenance mode. The following operations are running on the Host: x',
    'host-busy',
    'retryable',
  ],
  [
    409,
    'Due to intermittent connectivity to this Host, fence operations are not allowed',
    'host-intermittent',
    'retryable',
  ],
  [
    409,
    'Cannot add Host. Connecting to host via SSH has failed, verify that it is reachable',
    'host-ssh-unreachable',
    'retryable',
  ],
  [409, 'Cannot edit VM. Some other thing is currently in progress.', 'busy', 'retryable'],
];

describe('refusals', () => {
  it.each(WORDS)('%i %j is %s', async (status, words, type, kind) => {
    const error = await errorFor(fault(status, `[${words}]`));
    expect(error.facts).toMatchObject({ type: `engine/${type}`, kind, code: status, subject: 'VM v1' });
    expect(error.facts.remedy).not.toBe('');
    expect(error.facts.outcomeUnknown).toBeUndefined();
  });

  it('has words in this test for every row', () => {
    const used = new Set(WORDS.map(([status, words]) => findRefusal(status, words)));
    expect(REFUSALS.filter((row) => !used.has(row)).map((row) => row.fragment)).toEqual([]);
  });

  it('weigh more than a "busy" beside them', async () => {
    const words = '[VM is locked. Please try again, Import VM failed - VM ID already exists in the system]';
    expect((await errorFor(fault(409, words))).facts.kind).toBe('needs-operator');
  });

  it('name the engine’s key, and its words without the brackets', async () => {
    const { why } = (await errorFor(fault(409, '[Cannot add. The Storage Domain already exists.]'))).facts;
    expect(why).toBe(
      'Cannot add. The Storage Domain already exists (HTTP 409, ACTION_TYPE_FAILED_STORAGE_DOMAIN_ALREADY_EXIST)',
    );
  });

  it('are found through any white space and case', async () => {
    expect((await errorFor(fault(409, '[vm  is\n LOCKED]'))).facts.type).toBe('engine/vm-locked');
  });
});

describe('shapes', () => {
  const words = '[Cannot import. There is no OVF for the specific entity.]';

  it.each([
    ['bare', { status: 409, json: { reason: 'Operation Failed', detail: words } }],
    ['in an action', { status: 409, json: { status: 'failed', fault: { reason: 'Operation Failed', detail: words } } }],
    ['in an action that answers 200', { status: 200, json: { status: 'failed', fault: { detail: words } } }],
    ['plain text', { status: 400, text: words, type: 'text/plain' }],
    ['with a charset', { ...fault(409, words), type: 'application/json;charset=UTF-8' }],
  ])('%s', async (_name, reply) => {
    expect((await errorFor(reply)).facts.type).toBe('engine/unsupported-ovf');
  });

  it('an action may fail without a word', async () => {
    const error = await errorFor({ status: 200, json: { status: 'failed' } });
    expect(error.facts).toMatchObject({ type: 'engine/conflict', kind: 'needs-operator' });
  });

  it('a page of HTML is told in its words', async () => {
    const text = '<!DOCTYPE html><html><style>p{}</style><body><h1>Proxy  Error</h1></body></html>';
    const { why } = (await errorFor({ status: 502, text })).facts;
    expect(why).toBe('Proxy Error (HTTP 502)');
  });

  it('a success that is no JSON is not believed', async () => {
    const error = await errorFor({ status: 200, text: '<html>Log in to the hotel network</html>' });
    expect(error.facts).toMatchObject({ type: 'engine/bad-answer', kind: 'retryable', outcomeUnknown: true });
  });

  it('a success without what belongs in it is not believed either', async () => {
    const error = await errorFor({ json: { id: 'v1' } });
    expect(error.facts).toMatchObject({ type: 'engine/bad-answer', subject: 'VM v1' });
    expect(error.facts.why).toContain('name');
  });
});

describe('statuses without known words', () => {
  it.each([
    [400, 'x', 'engine/refused', 'needs-operator', undefined],
    [401, '', 'engine/credentials-refused', 'needs-operator', undefined],
    [403, '', 'engine/not-permitted', 'needs-operator', undefined],
    [404, '', 'engine/not-found', 'needs-operator', undefined],
    [404, 'x', 'engine/not-found', 'needs-operator', undefined],
    [404, '<html>Not Found</html>', 'engine/starting', 'retryable', undefined],
    [405, '', 'engine/protocol', 'fatal', undefined],
    [409, 'x', 'engine/conflict', 'needs-operator', undefined],
    [429, '', 'engine/overloaded', 'retryable', undefined],
    [500, 'x', 'engine/command-failed', 'needs-operator', undefined],
    [500, '', 'engine/unavailable', 'retryable', true],
    [500, '<html>oops</html>', 'engine/unavailable', 'retryable', true],
    [502, '<html>oops</html>', 'engine/unavailable', 'retryable', true],
    [503, '<html>oops</html>', 'engine/unavailable', 'retryable', undefined],
    [504, '', 'engine/unavailable', 'retryable', true],
  ] as const)('%i %j is %s, %s', async (status, body, type, kind, outcomeUnknown) => {
    const reply = body === 'x' ? fault(status, 'something else') : { status, text: body };
    const { facts } = await errorFor(reply);
    expect(facts).toMatchObject({ type, kind });
    expect(facts.outcomeUnknown).toBe(outcomeUnknown);
  });

  it('leave no outcome open for a read', async () => {
    engine.on('GET /vms', { status: 504, text: '' });
    await expect(client.vms()).rejects.toSatisfy(
      (error) => error instanceof EngineError && error.facts.outcomeUnknown === undefined,
    );
  });

  it('carry the Retry-After', async () => {
    const soon = await errorFor({ status: 503, text: '', headers: { 'Retry-After': '7' } });
    expect(soon.retryAfterMs).toBe(7_000);
    expect((await errorFor({ status: 503, text: '' })).retryAfterMs).toBeUndefined();
    const nowMs = Date.parse('2026-01-01T00:00:00Z');
    expect(retryAfterMs('Thu, 01 Jan 2026 00:00:30 GMT', nowMs)).toBe(30_000);
    expect(retryAfterMs('Wed, 31 Dec 2025 00:00:30 GMT', nowMs)).toBe(0);
    expect(retryAfterMs('soon', nowMs)).toBeUndefined();
  });
});

describe('findOrNull', () => {
  it('is null for the engine’s empty 404, and only for it', async () => {
    engine.on('GET /vms/gone', { status: 404, text: '' });
    engine.on('GET /vms/starting', { status: 404, text: '<html>Not Found</html>' });
    engine.on('GET /vms/here', { json: { id: 'here', name: 'n' } });
    expect(await findOrNull(client.vm('gone'))).toBeNull();
    expect((await findOrNull(client.vm('here')))?.id).toBe('here');
    await expect(findOrNull(client.vm('starting'))).rejects.toThrow('HTTP 404');
  });
});
