/**
 * The oVirt engine's REST API as the operations use it: one method per call, named by the engine's own terms.
 *
 * Every method throws `EngineError` (errors.ts). Each change may fail with `outcomeUnknown`: look before repeating.
 * "Complete" of an action never means that the thing is done: poll the object (engine.md 4).
 */
import type { z } from 'zod';
import * as codec from './codec.ts';
import { unreadableAnswer } from './errors.ts';
import * as requests from './requests.ts';
import type { CallOptions } from './requests.ts';
import { type Call, type EngineOptions, EngineTransport, correlationIdOf, pathOf } from './transport.ts';
import type {
  Cluster,
  DataCenter,
  Disk,
  DiskAttachment,
  EngineEvent,
  EngineInfo,
  Health,
  Host,
  Job,
  Nic,
  VnicProfile,
  StorageDomain,
  UnregisteredVm,
  Vm,
} from './types.ts';

export { EngineError, findOrNull } from './errors.ts';
export { nameIs } from './requests.ts';
export { type EngineLogger, type EngineOptions, correlationIdOf } from './transport.ts';

/** The whole phrase: the page says "DB Down!" and the like otherwise (engine.md 7). */
const HEALTHY = 'DB Up!Welcome to Health Status!';
/** `register` answers only when its job has ended. */
const REGISTER_TIMEOUT_MS = 600_000;

type Read = Omit<Call, 'method' | 'body' | 'correlationId' | 'signal' | 'timeoutMs'>;
type Change = Read & Pick<Call, 'body'>;

export class EngineClient {
  readonly #options: EngineOptions;
  readonly #transport: EngineTransport;
  readonly #signal: AbortSignal | undefined;

  /**
   * Opens nothing yet. `shared` is for views of the same client: see `withCorrelation`.
   * @throws EngineError `engine/bad-address`
   */
  constructor(options: EngineOptions, shared?: { transport: EngineTransport; signal: AbortSignal | undefined }) {
    this.#options = options;
    this.#transport = shared?.transport ?? new EngineTransport(options);
    this.#signal = shared?.signal;
  }

  /** The same client (token, connections) for one operation; `signal` stops its calls. Close only the first one. */
  withCorrelation(correlationId: string, signal?: AbortSignal): EngineClient {
    return new EngineClient(
      { ...this.#options, correlationId },
      { transport: this.#transport, signal: signal ?? this.#signal },
    );
  }

  /** Logs out and closes the connections. Never throws. */
  close(): Promise<void> {
    return this.#transport.close();
  }

  /** Logs in and reads the API's root. */
  test(options?: CallOptions): Promise<EngineInfo> {
    const { origin } = this.#transport;
    return this.#get({ path: '', subject: `engine ${origin}`, act: 'read the API root' }, codec.engineInfo, options);
  }

  /** The health page, without a token. A page that says "unwell" is an answer; only no answer is an error. */
  async health(options?: CallOptions): Promise<Health> {
    const { origin } = this.#transport;
    const context = { subject: `engine ${origin}`, act: 'read the health page' };
    const answer = await this.#transport.page('/ovirt-engine/services/health', { ...context, ...this.#with(options) });
    const text = answer.body.toString('utf8');
    return {
      healthy: answer.status === 200 && text.includes(HEALTHY),
      status: answer.status,
      text: text.slice(0, 200),
    };
  }

  // Data centers and clusters

  dataCenters(search?: string, options?: CallOptions): Promise<DataCenter[]> {
    const read = { path: '/datacenters', query: { search }, subject: 'data centers', act: 'list them' };
    return this.#get(read, codec.dataCenterList, options);
  }

  /** A shared data center; it stays `uninitialized` until its first data domain is attached. */
  addDataCenter(name: string, options?: CallOptions): Promise<DataCenter> {
    const change = { body: { name, local: false }, subject: `data center ${name}`, act: 'add it' };
    return this.#made('/datacenters', change, codec.dataCenter, options);
  }

  /** Its CPU type is that of the first host which comes up in it. */
  addCluster(name: string, dataCenter: string, options?: CallOptions): Promise<Cluster> {
    const body = { name, data_center: { id: dataCenter } };
    return this.#made('/clusters', { body, subject: `cluster ${name}`, act: 'add it' }, codec.cluster, options);
  }

  clusters(search?: string, options?: CallOptions): Promise<Cluster[]> {
    const read = { path: '/clusters', query: { search }, subject: 'clusters', act: 'list them' };
    return this.#get(read, codec.clusterList, options);
  }

  // Storage

  /** All the engine knows; their `status` is not the one in a data center. */
  storageDomains(search?: string, options?: CallOptions): Promise<StorageDomain[]> {
    const read = { path: '/storagedomains', query: { search }, subject: 'storage domains', act: 'list them' };
    return this.#get(read, codec.storageDomainList, options);
  }

  /** Those attached to a data center, with their real status. */
  dataCenterStorageDomains(dataCenter: string, options?: CallOptions): Promise<StorageDomain[]> {
    const path = pathOf('datacenters', dataCenter, 'storagedomains');
    const read = { path, subject: `data center ${dataCenter}`, act: 'list its storage domains' };
    return this.#get(read, codec.storageDomainList, options);
  }

  /** @throws EngineError `engine/not-found` when it is not attached there. */
  dataCenterStorageDomain(dataCenter: string, domain: string, options?: CallOptions): Promise<StorageDomain> {
    const path = pathOf('datacenters', dataCenter, 'storagedomains', domain);
    const read = { path, subject: `storage domain ${domain}`, act: `read it in data center ${dataCenter}` };
    return this.#get(read, codec.storageDomain, options);
  }

  /** Imports the file domain that lies at this address (the engine *creates* one where none lies: look first). */
  importFileStorageDomain(request: requests.ImportDomainRequest, options?: CallOptions): Promise<StorageDomain> {
    const body = requests.importDomainBody(request);
    const subject = `storage domain ${request.name} at ${request.address}:${request.path}`;
    return this.#made('/storagedomains', { body, subject, act: 'import it' }, codec.storageDomain, options);
  }

  /** The domain is `locked` first, then `active`; meanwhile the engine reads its OVF_STOREs. */
  attachStorageDomain(dataCenter: string, domain: string, options?: CallOptions): Promise<StorageDomain> {
    const act = `attach it to data center ${dataCenter}`;
    const change = { body: { id: domain }, subject: `storage domain ${domain}`, act };
    return this.#made(pathOf('datacenters', dataCenter, 'storagedomains'), change, codec.storageDomain, options);
  }

  activateStorageDomain(dataCenter: string, domain: string, options?: CallOptions): Promise<void> {
    const path = pathOf('datacenters', dataCenter, 'storagedomains', domain, 'activate');
    return this.#act({ path, subject: `storage domain ${domain}`, act: 'activate it' }, options);
  }

  /** To maintenance; the engine updates the OVF_STOREs first. */
  deactivateStorageDomain(dataCenter: string, domain: string, options?: CallOptions): Promise<void> {
    const path = pathOf('datacenters', dataCenter, 'storagedomains', domain, 'deactivate');
    return this.#act({ path, subject: `storage domain ${domain}`, act: 'move it to maintenance' }, options);
  }

  /** Only from maintenance. */
  detachStorageDomain(dataCenter: string, domain: string, options?: CallOptions): Promise<void> {
    const path = pathOf('datacenters', dataCenter, 'storagedomains', domain);
    return this.#delete({ path, subject: `storage domain ${domain}`, act: 'detach it' }, options);
  }

  /** Makes the engine forget a detached domain. `format: true` also wipes it; `host` is a name. */
  removeStorageDomain(
    domain: string,
    how: { readonly host: string; readonly format: boolean },
    options?: CallOptions,
  ): Promise<void> {
    const query = { host: how.host, format: how.format };
    const change = {
      path: pathOf('storagedomains', domain),
      query,
      subject: `storage domain ${domain}`,
      act: 'remove it',
    };
    return this.#delete(change, options);
  }

  /** Fails with `engine/ovf-on-update` (retryable) while another update runs. */
  updateOvfStore(domain: string, options?: CallOptions): Promise<void> {
    const path = pathOf('storagedomains', domain, 'updateovfstore');
    return this.#act({ path, subject: `storage domain ${domain}`, act: 'update its OVF_STORE disks' }, options);
  }

  /** OVF_STORE disks too. */
  storageDomainDisks(domain: string, options?: CallOptions): Promise<Disk[]> {
    const path = pathOf('storagedomains', domain, 'disks');
    return this.#get({ path, subject: `storage domain ${domain}`, act: 'list its disks' }, codec.diskList, options);
  }

  /** VMs with disks on the domain, or (`unregistered`) those that only its OVF_STOREs know. */
  storageDomainVms(
    domain: string,
    which: { readonly unregistered: boolean },
    options?: CallOptions,
  ): Promise<UnregisteredVm[]> {
    const query = { unregistered: which.unregistered ? true : undefined };
    const path = pathOf('storagedomains', domain, 'vms');
    const read = { path, query, subject: `storage domain ${domain}`, act: 'list its VMs' };
    return this.#get(read, codec.unregisteredVmList, options);
  }

  /** Imports an unregistered VM; answers when the engine's job has ended. Default limit 10 minutes. */
  registerVm(domain: string, vm: string, request: requests.RegisterVmRequest, options?: CallOptions): Promise<void> {
    const path = pathOf('storagedomains', domain, 'vms', vm, 'register');
    const change = { path, body: requests.registerVmBody(request), subject: `VM ${vm}`, act: 'import it' };
    return this.#act(change, { timeoutMs: REGISTER_TIMEOUT_MS, ...options });
  }

  // VMs

  vms(search?: string, options?: CallOptions): Promise<Vm[]> {
    return this.#get({ path: '/vms', query: { search }, subject: 'VMs', act: 'list them' }, codec.vmList, options);
  }

  /** `allContent` adds the OVF. @throws EngineError `engine/not-found` */
  vm(id: string, options?: CallOptions & { readonly allContent?: boolean }): Promise<Vm> {
    const query = { all_content: options?.allContent };
    return this.#get({ path: pathOf('vms', id), query, subject: `VM ${id}`, act: 'read it' }, codec.vm, options);
  }

  vmNics(id: string, options?: CallOptions): Promise<Nic[]> {
    const read = { path: pathOf('vms', id, 'nics'), subject: `VM ${id}`, act: 'list its network interfaces' };
    return this.#get(read, codec.nicList, options);
  }

  vmDiskAttachments(id: string, options?: CallOptions): Promise<DiskAttachment[]> {
    const read = { path: pathOf('vms', id, 'diskattachments'), subject: `VM ${id}`, act: 'list its disks' };
    return this.#get(read, codec.diskAttachmentList, options);
  }

  updateVm(id: string, change: requests.VmChange, options?: CallOptions): Promise<Vm> {
    const body = requests.vmChangeBody(change);
    const call = { method: 'PUT', path: pathOf('vms', id), body, subject: `VM ${id}`, act: 'change it' } as const;
    return this.#read(call, codec.vm, options);
  }

  vnicProfiles(options?: CallOptions): Promise<VnicProfile[]> {
    const read = { path: '/vnicprofiles', subject: 'vNIC profiles', act: 'list them' };
    return this.#get(read, codec.vnicProfileList, options);
  }

  updateNic(vm: string, nic: string, change: requests.NicChange, options?: CallOptions): Promise<Nic> {
    const path = pathOf('vms', vm, 'nics', nic);
    const body = requests.nicChangeBody(change);
    return this.#read({ method: 'PUT', path, body, subject: `vNIC ${nic}`, act: 'change it' }, codec.nic, options);
  }

  /** Grows a disk of a VM; the engine never shrinks one. */
  async growDisk(vm: string, disk: string, bytes: number, options?: CallOptions): Promise<void> {
    const body = { disk: { provisioned_size: bytes } };
    const path = pathOf('vms', vm, 'diskattachments', disk);
    await this.#send({ method: 'PUT', path, body, subject: `disk ${disk}`, act: 'grow it' }, options);
  }

  /** Live migration, also of the engine VM (engine.md 10); without `host` (an id) the scheduler chooses. Answers at once. */
  migrateVm(id: string, options?: CallOptions & { readonly host?: string }): Promise<void> {
    const body = options?.host === undefined ? {} : { host: { id: options.host } };
    return this.#act({ path: pathOf('vms', id, 'migrate'), body, subject: `VM ${id}`, act: 'migrate it' }, options);
  }

  /** Global HA maintenance, through the engine VM's host. Hosts show it after some 15 s: confirm on storage. */
  setGlobalMaintenance(vm: string, enabled: boolean, options?: CallOptions): Promise<void> {
    const body = { maintenance_enabled: enabled };
    const act = `${enabled ? 'enter' : 'leave'} global maintenance`;
    return this.#act({ path: pathOf('vms', vm, 'maintenance'), body, subject: `VM ${vm}`, act }, options);
  }

  // Hosts

  /** `allContent` adds `hostedEngine`. */
  hosts(options?: CallOptions & { readonly allContent?: boolean; readonly search?: string }): Promise<Host[]> {
    const query = { search: options?.search, all_content: options?.allContent };
    return this.#get({ path: '/hosts', query, subject: 'hosts', act: 'list them' }, codec.hostList, options);
  }

  /** @throws EngineError `engine/not-found` */
  host(id: string, options?: CallOptions & { readonly allContent?: boolean }): Promise<Host> {
    const query = { all_content: options?.allContent };
    return this.#get({ path: pathOf('hosts', id), query, subject: `host ${id}`, act: 'read it' }, codec.host, options);
  }

  /** The answer comes at once, with status `installing`; a failed install stays as `install_failed`. */
  addHost(request: requests.AddHostRequest, options?: CallOptions): Promise<Host> {
    const query = requests.addHostQuery(request);
    const body = requests.addHostBody(request);
    return this.#made('/hosts', { query, body, subject: `host ${request.name}`, act: 'add it' }, codec.host, options);
  }

  /** Reinstalls a host in maintenance. Answers at once: poll its status. */
  installHost(id: string, request: requests.InstallHostRequest, options?: CallOptions): Promise<void> {
    const body = requests.installHostBody(request);
    return this.#act(
      { path: pathOf('hosts', id, 'install'), body, subject: `host ${id}`, act: 'reinstall it' },
      options,
    );
  }

  /** Answers at once: poll its status. */
  activateHost(id: string, options?: CallOptions): Promise<void> {
    return this.#act({ path: pathOf('hosts', id, 'activate'), subject: `host ${id}`, act: 'activate it' }, options);
  }

  /** To maintenance, with local HA maintenance. Answers at once: poll its status. */
  deactivateHost(id: string, options?: CallOptions & { readonly reason?: string }): Promise<void> {
    const query = { reason: options?.reason };
    const change = {
      path: pathOf('hosts', id, 'deactivate'),
      query,
      subject: `host ${id}`,
      act: 'move it to maintenance',
    };
    return this.#act(change, options);
  }

  /** Answers at once: events 885 (done), 839 (failed) or 887 (wrong status) of the host tell the end. */
  checkHostForUpdate(id: string, options?: CallOptions): Promise<void> {
    return this.#act(
      { path: pathOf('hosts', id, 'upgradecheck'), subject: `host ${id}`, act: 'look for updates of it' },
      options,
    );
  }

  /** "Confirm host has been rebooted": its VMs count as down, and another host may be SPM. Refused while the host is up. */
  confirmHostDead(id: string, options?: CallOptions): Promise<void> {
    const body = { fence_type: 'manual' };
    return this.#act(
      { path: pathOf('hosts', id, 'fence'), body, subject: `host ${id}`, act: 'take it for dead' },
      options,
    );
  }

  /** Installs the updates that were found, and reboots the host. Answers at once: poll its status. */
  upgradeHost(id: string, options?: CallOptions): Promise<void> {
    const body = { reboot: true };
    return this.#act({ path: pathOf('hosts', id, 'upgrade'), body, subject: `host ${id}`, act: 'update it' }, options);
  }

  /** The engine does not refuse a host that still has the hosted engine: undeploy first, and prove it (8.2). */
  removeHost(id: string, options?: CallOptions & { readonly force?: boolean }): Promise<void> {
    const query = { force: options?.force };
    return this.#delete({ path: pathOf('hosts', id), query, subject: `host ${id}`, act: 'remove it' }, options);
  }

  // Events and jobs

  /** Newest first. */
  events(which: requests.EventQuery = {}, options?: CallOptions): Promise<EngineEvent[]> {
    const id = correlationIdOf(which.correlationId);
    const terms = [
      ...(id === undefined ? [] : [`correlation_id=${id}`]),
      ...(which.search === undefined ? [] : [which.search]),
    ];
    const search = terms.length === 0 ? undefined : terms.join(' and ');
    const query = { search, max: which.max, from: which.from };
    return this.#get({ path: '/events', query, subject: 'events', act: 'list them' }, codec.eventList, options);
  }

  /** Adds an event of our own to the engine's list. */
  addEvent(request: requests.NewEvent, options?: CallOptions): Promise<EngineEvent> {
    const change = { body: requests.newEventBody(request), subject: `event ${request.customId}`, act: 'add it' };
    return this.#made('/events', change, codec.event, options);
  }

  /** Jobs of one operation. A finished one is forgotten after 10 minutes. */
  jobs(correlationId?: string, options?: CallOptions): Promise<Job[]> {
    const id = correlationIdOf(correlationId);
    const query = { search: id === undefined ? undefined : `correlation_id=${id}` };
    return this.#get({ path: '/jobs', query, subject: 'jobs', act: 'list them' }, codec.jobList, options);
  }

  #with(options: CallOptions | undefined): { signal: AbortSignal | undefined; timeoutMs: number | undefined } {
    return { signal: options?.signal ?? this.#signal, timeoutMs: options?.timeoutMs };
  }

  #send(call: Pick<Call, 'method'> & Change, options: CallOptions | undefined): Promise<unknown> {
    return this.#transport.call({ ...call, ...this.#with(options), correlationId: this.#options.correlationId });
  }

  async #read<T extends z.ZodType>(
    call: Pick<Call, 'method'> & Change,
    shape: T,
    options: CallOptions | undefined,
  ): Promise<z.output<T>> {
    const json = await this.#send(call, options);
    const parsed = shape.safeParse(json);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    const where = issue === undefined || issue.path.length === 0 ? 'the answer' : issue.path.join('.');
    const context = { ...call, changes: call.method !== 'GET', engine: this.#transport.origin };
    throw unreadableAnswer(context, `${where}: ${issue?.message ?? 'not understood'}`, parsed.error);
  }

  #get<T extends z.ZodType>(read: Read, shape: T, options: CallOptions | undefined): Promise<z.output<T>> {
    return this.#read({ ...read, method: 'GET' }, shape, options);
  }

  #made<T extends z.ZodType>(
    path: string,
    change: Omit<Change, 'path'>,
    shape: T,
    options: CallOptions | undefined,
  ): Promise<z.output<T>> {
    return this.#read({ ...change, path, method: 'POST' }, shape, options);
  }

  /** An action must have a body, at least an empty one (engine.md 2). */
  async #act(change: Change, options: CallOptions | undefined): Promise<void> {
    await this.#send({ body: {}, ...change, method: 'POST' }, options);
  }

  async #delete(change: Omit<Change, 'body'>, options: CallOptions | undefined): Promise<void> {
    await this.#send({ ...change, method: 'DELETE' }, options);
  }
}
