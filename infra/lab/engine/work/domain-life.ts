/** Attaching, activating and taking away storage domains (engine.md 8.3). */
import type { Context, EventFacts } from '../context.ts';
import type { VolumeFacts } from '../gateway.ts';
import { identifyOvf } from '../ovf/reader.ts';
import type { Connection, ContentType, Disk, Domain, Host } from '../state/model.ts';
import { isHostedEngine } from '../views/vm.ts';
import { isImaginary, storageHost } from './host-door.ts';
import { createMissingStores, ovfStoreDisk, vmsOn } from './ovf-update.ts';

const LOCKED_MS = 1_500;
const ACTIVATING_MS = 1_000;
/** An engine's next OVF update comes within the hour; nobody waits so long here. */
const STORES_AGAIN_MS = 20_000;

/** Four letter tags on storage and the API's names (engine.md 8.4). */
export const CONTENT_TYPES: Readonly<Record<string, ContentType>> = {
  HEVD: 'hosted_engine',
  HESD: 'hosted_engine_sanlock',
  HEMD: 'hosted_engine_metadata',
  HECI: 'hosted_engine_configuration',
  OVFS: 'ovf_store',
};

/** The engine's rule: a domain is the hosted engine's when a disk of the hosted-engine VM lies on it. */
export function isHostedEngineDomain(context: Context, domain: Domain): boolean {
  return vmsOn(context, domain).some(isHostedEngine);
}

export function connectionOf(context: Context, domain: Domain): Connection {
  const found = context.state.connections.find((one) => one.id === domain.connectionId);
  if (found === undefined) throw new TypeError(`domain ${domain.id} has no connection`);
  return found;
}

function facts(domain: Domain): EventFacts {
  const { attachment } = domain;
  return {
    domainId: domain.id,
    ...(attachment && { dataCenterId: attachment.dataCenterId, correlationId: attachment.correlationId }),
  };
}

/** Attaches (unattached again after a failure) and activates (inactive after one): `locked`, `activating`, `active`. */
export async function attach(context: Context, domain: Domain): Promise<void> {
  const { attachment } = domain;
  const host = storageHost(context);
  if (attachment === undefined) return;
  try {
    if (host === undefined) throw new Error('no host is up');
    await connectEverywhere(context, domain, host);
    const dataCenter = context.state.dataCenters.find((one) => one.id === attachment.dataCenterId);
    // The first domain makes the data center's pool.
    if (dataCenter?.status === 'uninitialized' && context.fixture.bare === true)
      await context.gateway.createPool(host, dataCenter.id, domain.id);
    else await context.gateway.attachDomain(host, attachment.dataCenterId, domain.id);
    await context.sleep(LOCKED_MS);
    context.event(964, 'normal', `Storage Domain ${domain.name} was attached to the Data Center.`, facts(domain));
  } catch (error) {
    const hostedEngine = context.fixture.heDomain.id === domain.id;
    context.event(
      hostedEngine ? 10461 : 965,
      'error',
      `Failed to attach Storage Domain ${domain.name}: ${messageOf(error)}`,
      facts(domain),
    );
    delete domain.attachment;
    context.changed();
    return;
  }
  try {
    await activate(context, domain, host);
    announceHostedEngineDomain(context, domain);
  } catch (error) {
    attachment.status = 'inactive';
    context.event(969, 'error', `Failed to activate Storage Domain ${domain.name}: ${messageOf(error)}`, facts(domain));
    context.changed();
  }
}

function announceHostedEngineDomain(context: Context, domain: Domain): void {
  const engineVms = new Set(context.state.vms.filter(isHostedEngine).map((vm) => vm.id));
  const holdsIt = context.state.unregistered.some((one) => one.domainId === domain.id && engineVms.has(one.id));
  if (holdsIt || context.fixture.heDomain.id === domain.id) {
    context.event(10460, 'normal', 'Hosted Engine Storage Domain imported successfully.', facts(domain));
  }
}

/** Every host of the pool mounts the domain; one that cannot is not waited for, monitoring would deal with it. */
async function connectEverywhere(context: Context, domain: Domain, first: Host): Promise<void> {
  const connection = connectionOf(context, domain);
  await context.gateway.connectStorage(first, connection);
  const others = context.state.hosts.filter(
    (host) => host.status === 'up' && host !== first && !isImaginary(context, host),
  );
  await Promise.allSettled(others.map((host) => context.gateway.connectStorage(host, connection)));
}

/** From `maintenance` (or `locked`) to `active`: activation, then what lies on the domain is read. */
export async function activate(context: Context, domain: Domain, host: Host): Promise<void> {
  const { attachment } = domain;
  if (attachment === undefined) return;
  attachment.status = 'activating';
  context.changed();
  context.flush();
  await context.gateway.activateDomain(host, attachment.dataCenterId, domain.id);
  await readContent(context, domain, host);
  await context.sleep(ACTIVATING_MS);
  attachment.status = 'active';
  const dataCenter = context.state.dataCenters.find((one) => one.id === attachment.dataCenterId);
  if (dataCenter?.status === 'uninitialized' || dataCenter?.status === 'maintenance') {
    domain.master = true;
    dataCenter.status = 'up';
  }
  context.event(
    968,
    'normal',
    `Storage Domain ${domain.name} (Data Center ${dataCenter?.name ?? ''}) was activated.`,
    facts(domain),
  );
  context.flush();
  // An OVF_STORE that cannot be made is no reason to fail the activation; it is tried again later.
  await createMissingStores(context, domain).catch((error: unknown) => {
    context.event(190, 'warning', `Failed to create OVF store disk for Storage Domain ${domain.name}.`, facts(domain));
    context.log(`OVF_STORE of ${domain.name}: ${messageOf(error)}`);
    context.inBackground(`OVF_STORE of ${domain.name}`, async () => {
      await context.sleep(STORES_AGAIN_MS);
      await createMissingStores(context, domain);
    });
  });
}

/** Sizes, OVF_STORE disks, and an unregistered entity for each OVF of a VM that is not in the database. */
async function readContent(context: Context, domain: Domain, host: Host): Promise<void> {
  const poolId = domain.attachment?.dataCenterId ?? '';
  const stats = await context.gateway.domainStats(host, domain.id);
  domain.totalBytes = stats.total;
  domain.freeBytes = stats.free;
  const stores = await context.gateway.readOvfStores(host, poolId, domain.id);
  for (const store of stores) {
    if (!context.state.disks.some((disk) => disk.id === store.image)) {
      context.state.disks.push(ovfStoreDisk(store.image, store.volume, domain));
    }
  }
  // The newest copy that was written completely; an older one must not bring back what it no longer says.
  const newest = stores
    .filter((store) => store.updated)
    .reduce<(typeof stores)[number] | undefined>(
      (best, one) => (best === undefined || one.lastUpdated > best.lastUpdated ? one : best),
      undefined,
    );
  context.state.unregistered = context.state.unregistered.filter((one) => one.domainId !== domain.id);
  const known = new Set(context.state.vms.filter((vm) => vm.origin !== 'hosted_engine').map((vm) => vm.id));
  for (const entry of newest?.entries ?? []) {
    if (!entry.name.endsWith('.ovf')) continue;
    try {
      const { id, name } = identifyOvf(entry.text);
      if (!known.has(id)) context.state.unregistered.push({ id, name, domainId: domain.id, ovf: entry.text });
    } catch (error) {
      context.event(
        1017,
        'warning',
        `Could not read ${entry.name} from the OVF_STORE of Storage Domain ${domain.name}: ${messageOf(error)}`,
        facts(domain),
      );
    }
  }
  context.changed();
}

/** `preparing_for_maintenance`, then `maintenance`; a failure brings it back to `active`. */
export async function deactivate(context: Context, domain: Domain, host: Host): Promise<void> {
  const { attachment } = domain;
  if (attachment === undefined) return;
  try {
    await context.gateway.deactivateDomain(host, attachment.dataCenterId, domain.id);
    await context.sleep(ACTIVATING_MS);
    attachment.status = 'maintenance';
    context.event(
      970,
      'normal',
      `Storage Domain ${domain.name} was deactivated and moved to Maintenance.`,
      facts(domain),
    );
  } catch (error) {
    attachment.status = 'active';
    context.event(
      971,
      'error',
      `Failed to deactivate Storage Domain ${domain.name}: ${messageOf(error)}`,
      facts(domain),
    );
  }
  context.changed();
}

/** Detaching forgets the domain's disks and unregistered entities in the database; the files stay. */
export function forgetContent(context: Context, domain: Domain): void {
  context.state.disks = context.state.disks.filter((disk) => disk.domainId !== domain.id);
  context.state.unregistered = context.state.unregistered.filter((one) => one.domainId !== domain.id);
  context.changed();
}

/** A disk record for a volume on storage. */
export function diskOf(volume: VolumeFacts, domainId: string, name: string): Disk {
  return {
    id: volume.image,
    volumeId: volume.volume,
    name,
    description: '',
    domainId,
    provisionedSize: volume.capacity,
    actualSize: volume.actualSize,
    format: volume.format,
    sparse: volume.sparse,
    status: volume.legal ? 'ok' : 'illegal',
    contentType: CONTENT_TYPES[volume.diskType] ?? 'data',
    shareable: false,
    wipeAfterDelete: false,
  };
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
