/**
 * The engine VM's definition, looked for again and again, so that what was edited in the engine holds at the next start; a
 * start takes what was found last and never waits for storage.
 */
import { CounterpartError } from '../../../activities/errors.ts';
import { parseOvfStoreDescription } from '../../../activities/storage/ovf-store-description.ts';
import { listVolumes } from '../../../activities/storage/volumes.ts';
import type { VdsmClient } from '../../../activities/vdsm/client.ts';
import { BLANK_UUID } from '../../../activities/vdsm/verbs.ts';
import { forkSelf } from '../env-linux/fork-self.ts';
import { repeat } from '../env-linux/repeat.ts';
import type { Definition, DefinitionAnswer, DefinitionRequest } from './definition-read.ts';
import type { HostedEngineFacts, VolumePlace } from './hosted-engine.ts';

export type { Definition } from './definition-read.ts';

/** Of the bundle's entry; repeated here so that the readers are not loaded with it. */
const DEFINITION_PROCESS = 'definition-process';
/** The storage gets this long. */
const READ_MS = 30_000;
/** Unchanged OVF_STOREs are read again after this, as the shared files beside them say nothing of a change. */
const AGAIN_MS = 600_000;

export interface DefinitionWatch {
  current(): Definition | undefined;
  /** @throws CounterpartError `host/no-definition` */
  domainXml(): string;
  /** Why other sources were not taken. */
  notes(): readonly string[];
  /** The shared broker.conf, as it was read last. */
  brokerConf(): string | undefined;
  stop(): void;
}

export interface DefinitionOptions {
  readonly client: VdsmClient;
  readonly facts: HostedEngineFacts;
  readonly everyMs: number;
  readonly changed: (definition: Definition) => void;
}

function isAnswer(message: unknown): message is DefinitionAnswer {
  return typeof message === 'object' && message !== null && 'notes' in message;
}

/** @throws Error when the process ends without an answer, or not in time */
function readApart(request: DefinitionRequest): Promise<DefinitionAnswer> {
  return new Promise((resolve, reject) => {
    const child = forkSelf(DEFINITION_PROCESS, 'config/definition-process.ts');
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      reject(new Error(`the storage did not answer within ${READ_MS / 1000} s`));
    }, READ_MS);
    child.on('message', (message: unknown) => {
      if (isAnswer(message)) resolve(message);
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      // After an answer this changes nothing.
      reject(new Error(`the process that reads it ended with ${signal ?? `code ${code}`}`));
    });
    child.send(request);
  });
}

async function requestOf({ client, facts }: DefinitionOptions, signal: AbortSignal): Promise<DefinitionRequest> {
  const prepared = async ({ image, volume }: VolumePlace) => {
    const ids = { storagepoolID: BLANK_UUID, storagedomainID: facts.domain, imageID: image, volumeID: volume };
    return (await client.call('Image.prepare', ids, { signal })).path;
  };
  const copies: { name: string; description: string; path: string }[] = [];
  for (const found of await listVolumes(client, facts.domain, signal)) {
    const { volume: name, description, diskType } = found;
    const isStore = diskType === 'OVFS' || parseOvfStoreDescription(description) !== undefined;
    if (isStore) copies.push({ name, description, path: await prepared(found) });
  }
  return { vmId: facts.vmId, copies, configuration: await prepared(facts.configuration) };
}

/** Begins to look. What was found stays until something better is. */
export function watchDefinition(options: DefinitionOptions): DefinitionWatch {
  let current: Definition | undefined;
  let notes: readonly string[] = ['not looked for yet'];
  let brokerConf: string | undefined;
  let read: { readonly key: string; readonly atMs: number } | undefined;
  const look = async (signal: AbortSignal) => {
    const request = await requestOf(options, signal);
    const key = JSON.stringify(request);
    if (read?.key === key && performance.now() - read.atMs < AGAIN_MS) return;
    const answer = await readApart(request);
    read = { key, atMs: performance.now() };
    ({ notes } = answer);
    brokerConf = answer.brokerConf ?? brokerConf;
    const { found } = answer;
    // A source that has become unreadable is no reason to forget what it said.
    if (found === undefined || (found.xml === undefined && current?.xml !== undefined)) return;
    const before = current;
    current = found;
    if (before?.xml !== found.xml || before?.source !== found.source) options.changed(found);
  };
  const looks = repeat(options.everyMs, 2 * READ_MS, (signal) =>
    look(signal).catch((error: unknown) => {
      notes = [`the storage or VDSM did not answer: ${error instanceof Error ? error.message : String(error)}`];
    }),
  );
  return {
    current: () => current,
    notes: () => notes,
    brokerConf: () => brokerConf,
    domainXml() {
      if (current?.xml !== undefined) return current.xml;
      throw new CounterpartError({
        type: 'host/no-definition',
        kind: 'needs-operator',
        subject: `engine VM ${options.facts.vmId}`,
        what: 'this host has no definition to start it with',
        why: notes.join('; ') || 'no source has one',
        remedy:
          'Look at the OVF_STORE disks and the configuration volume; the engine writes the OVF_STORE anew when its VM is edited.',
      });
    },
    stop: () => looks.stop(),
  };
}
