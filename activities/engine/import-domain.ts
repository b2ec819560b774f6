/** Steps: import the hosted-engine storage domain into the engine, wait until it is active, and take it out again. */
import type { StepCall, StepOutcome } from '../../workflows/model/operation.ts';
import type { UpgradeFacts } from '../../workflows/model/upgrade.ts';
import type { Counterparts } from '../counterparts.ts';
import { CounterpartError } from '../errors.ts';
import { poll, type StepContext } from '../step-context.ts';
import { reconnectDomain } from '../vdsm/reconnect.ts';
import type { EngineClient } from './client.ts';

type Input = StepCall & { readonly facts: UpgradeFacts };

/** The name that hosted engines give their domain (engine.md 16). */
export const DOMAIN_NAME = 'hosted_storage';
const POLL_MS = 250;
const ACTIVE_LIMIT_MS = 600_000;

async function attachedStatus(engine: EngineClient, facts: UpgradeFacts): Promise<string | undefined> {
  const domains = await engine.dataCenterStorageDomains(facts.dataCenter.id);
  const found = domains.find((domain) => domain.id === facts.domain.id);
  return found === undefined ? undefined : (found.status ?? 'unknown');
}

async function isKnown(engine: EngineClient, facts: UpgradeFacts): Promise<boolean> {
  return (await engine.storageDomains()).some((domain) => domain.id === facts.domain.id);
}

/** A host for the engine to look at the storage through: any that is up. */
async function lookingHost(engine: EngineClient, facts: UpgradeFacts): Promise<string> {
  const hosts = await engine.hosts({ allContent: false });
  const host = hosts.find((candidate) => candidate.status === 'up' && candidate.clusterId === facts.cluster.id);
  if (host !== undefined) return host.name;
  throw new CounterpartError({
    type: 'engine/no-host-up',
    kind: 'retryable',
    subject: `cluster ${facts.cluster.name}`,
    what: 'the engine has no host to import the domain through',
    why: hosts.map((candidate) => `${candidate.name} ${candidate.status}`).join('; ') || 'no host at all',
    remedy: 'Bring a host up; it is tried again by itself.',
  });
}

function unsupported(facts: UpgradeFacts): CounterpartError {
  return new CounterpartError({
    type: 'engine/import-by-hand',
    kind: 'needs-operator',
    subject: `storage domain ${facts.domain.id}`,
    what: `a ${facts.domain.type} domain can’t be imported by this version`,
    why: 'only file domains (nfs, glusterfs) are imported by path',
    remedy: `Import it in the engine (Storage, Import Domain) under the name ${DOMAIN_NAME}, then retry: the step then finds it done.`,
  });
}

/** What the engine says when an earlier try, whose answer was lost, is still at work or has just ended. */
const MEANWHILE = new Set(['engine/storage-domain-already-exists', 'engine/storage-connection-in-use']);
const MEANWHILE_LIMIT_MS = 60_000;

async function importedMeanwhile(
  context: StepContext,
  engine: EngineClient,
  facts: UpgradeFacts,
  error: unknown,
): Promise<{ id: string }> {
  if (!(error instanceof CounterpartError) || !MEANWHILE.has(error.facts.type)) throw error;
  const what = 'an earlier try to import the domain to end';
  const known = await poll(context, { what, everyMs: POLL_MS, limitMs: MEANWHILE_LIMIT_MS }, async () =>
    (await isKnown(engine, facts)) ? true : undefined,
  );
  if (known === undefined) throw error;
  return { id: facts.domain.id };
}

export function importDomain({ clusters }: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<null>> => {
    const { facts } = input;
    const engine = clusters.get(input.cluster).engine(input.operationId, context.signal);
    if ((await attachedStatus(engine, facts)) !== undefined) {
      return { done: 'before', summary: 'the engine has the domain already', value: null };
    }
    if (!(await isKnown(engine, facts))) {
      const { type, address, path } = facts.domain;
      if (type !== 'nfs' && type !== 'glusterfs') throw unsupported(facts);
      const host = await lookingHost(engine, facts);
      const { name = DOMAIN_NAME, mountOptions } = facts.domain;
      const options = mountOptions === undefined ? {} : { mountOptions };
      const request = { name, host, storageType: type, address, path, ...options };
      const imported = await engine
        .importFileStorageDomain(request)
        .catch((error: unknown) => importedMeanwhile(context, engine, facts, error));
      if (imported.id !== facts.domain.id) {
        throw new CounterpartError({
          type: 'engine/another-domain',
          kind: 'needs-operator',
          subject: `${address}:${path}`,
          what: 'the engine found another storage domain there',
          why: `it imported ${imported.id}, the hosts use ${facts.domain.id}`,
          remedy:
            'Look at the path in hosted-engine.conf (storage=), remove the wrong domain from the engine, then retry.',
        });
      }
    }
    await engine.attachStorageDomain(facts.dataCenter.id, facts.domain.id);
    const where = `${facts.domain.address}:${facts.domain.path}`;
    return {
      done: 'now',
      summary: `${DOMAIN_NAME} imported from ${where} and attached to ${facts.dataCenter.name}`,
      value: null,
    };
  };
}

/** States from which a domain does not come by itself. */
const STUCK = new Set(['maintenance', 'inactive', 'unattached']);
/** The engine takes an attachment back when its work failed half way, as when the SPM host is lost meanwhile. */
const REATTACH_LIMIT = 3;

export function awaitDomainActive({ clusters }: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<null>> => {
    const { facts } = input;
    const engine = clusters.get(input.cluster).engine(input.operationId, context.signal);
    if ((await attachedStatus(engine, facts)) === 'active') {
      return { done: 'before', summary: 'the domain is active', value: null };
    }
    let last = 'unknown';
    let helped = false;
    let reattached = 0;
    const active = await poll(
      context,
      { what: `storage domain ${DOMAIN_NAME} to become active`, everyMs: POLL_MS, limitMs: ACTIVE_LIMIT_MS },
      async () => {
        const status = await attachedStatus(engine, facts);
        last = status ?? `not attached, after ${reattached + 1} attempts to attach it`;
        if (last === 'active') return true;
        if (status === undefined) {
          if (reattached === REATTACH_LIMIT) return false;
          reattached += 1;
          await engine.attachStorageDomain(facts.dataCenter.id, facts.domain.id);
        } else if (STUCK.has(last) && !helped) {
          helped = true;
          await engine.activateStorageDomain(facts.dataCenter.id, facts.domain.id);
        }
        return undefined;
      },
    );
    const again =
      reattached === 0 ? '' : `; the engine had given up attaching it and was asked again (${reattached} times)`;
    if (active === true) return { done: 'now', summary: `the domain became active${again}`, value: null };
    throw new CounterpartError({
      type: 'engine/domain-not-active',
      kind: 'needs-operator',
      subject: `storage domain ${DOMAIN_NAME}`,
      what: 'it did not become active',
      why: active === false ? `it is ${last}` : `it is ${last} after ${ACTIVE_LIMIT_MS / 60_000} minutes`,
      remedy: 'Look at the engine’s events for the domain and at the storage, repair it, then retry.',
    });
  };
}

async function takeDown(engine: EngineClient, facts: UpgradeFacts, context: StepContext): Promise<void> {
  const { dataCenter, domain } = facts;
  const status = await attachedStatus(engine, facts);
  if (status === undefined) return;
  if (status !== 'maintenance') {
    await engine.deactivateStorageDomain(dataCenter.id, domain.id);
    await poll(
      context,
      { what: `storage domain ${DOMAIN_NAME} to go to maintenance`, everyMs: POLL_MS, limitMs: ACTIVE_LIMIT_MS },
      async () => ((await attachedStatus(engine, facts)) === 'maintenance' ? true : undefined),
    );
  }
  await engine.detachStorageDomain(dataCenter.id, domain.id);
  await poll(
    context,
    { what: `storage domain ${DOMAIN_NAME} to be detached`, everyMs: POLL_MS, limitMs: ACTIVE_LIMIT_MS },
    async () => ((await attachedStatus(engine, facts)) === undefined ? true : undefined),
  );
}

/** Compensation: the engine forgets the domain; what lies on storage stays, and stays connected on the hosts. */
export function removeDomain({ clusters }: Counterparts) {
  return async (context: StepContext, input: Input): Promise<StepOutcome<null>> => {
    const { facts } = input;
    const cluster = clusters.get(input.cluster);
    const engine = cluster.engine(input.operationId, context.signal);
    if (facts.domainKnownBefore) {
      return { done: 'before', summary: 'kept: the engine had the domain before', value: null };
    }
    const known = await isKnown(engine, facts);
    if (known) {
      await takeDown(engine, facts, context);
      await engine.removeStorageDomain(facts.domain.id, { host: await lookingHost(engine, facts), format: false });
    }
    const again = await reconnectDomain(cluster, facts, context);
    if (!known && again.length === 0)
      return { done: 'before', summary: 'the engine does not have the domain', value: null };
    const reconnected = again.length === 0 ? '' : `; connected again on ${again.join(', ')}`;
    return {
      done: 'now',
      summary: `the engine forgot the domain; its data stayed on storage${reconnected}`,
      value: null,
    };
  };
}
