/** What restoring any item needs: the place, the backup, and the errors that all items share. */
import type { StorageFacts } from '../../workflows/model/backup.ts';
import type { StepCall } from '../../workflows/model/operation.ts';
import type { RestorableItem } from '../../workflows/model/requests.ts';
import type { Backup } from '../archive/read-backup.ts';
import { CounterpartError } from '../errors.ts';
import type { StepContext } from '../step-context.ts';
import type { VdsmClient } from '../vdsm/client.ts';
import { readConfigurationArchive, type Configuration } from './configuration-archive.ts';
import { readHostedEngineConf } from './hosted-engine-conf.ts';
import type { Place } from './volumes.ts';

export interface RestorePlace {
  readonly spm: VdsmClient;
  readonly place: Place;
  readonly facts: StorageFacts;
  readonly call: StepCall;
  readonly context: StepContext;
  readonly from: Backup;
}

/** What would change, and what the reader must know beside it. */
export interface Difference {
  readonly lines: readonly string[];
  readonly notes: readonly string[];
}

export function unusable(item: RestorableItem, why: string): CounterpartError {
  return new CounterpartError({
    type: 'restore/unusable-item',
    kind: 'needs-operator',
    subject: item,
    what: 'it can’t be restored from this backup',
    why,
    remedy: 'Abort, and choose another backup (bellwether backup list) or other items.',
  });
}

function foreign(type: string, why: string): CounterpartError {
  return new CounterpartError({
    type,
    kind: 'needs-operator',
    subject: 'backup',
    what: 'it is of another hosted engine than the one that is here now',
    why,
    remedy: 'Abort, and choose a backup that was taken of this hosted engine.',
  });
}

/** The five files in the backup. @throws CounterpartError `restore/unusable-item` */
export async function configurationOf(backup: Backup, item: RestorableItem): Promise<Configuration & { raw: Buffer }> {
  const raw = await backup.find('configuration.tar');
  if (raw === undefined) throw unusable(item, 'the backup holds no configuration archive');
  const archive = await readConfigurationArchive(raw);
  if (!archive.ok) throw unusable(item, `its configuration archive can’t be read: ${archive.problem}`);
  return { ...archive.members, raw };
}

/**
 * A backup from before a redeployment names another storage domain or another VM: what it holds would break this one.
 * @returns the engine VM's id in the backup
 */
export async function requireSameHostedEngine(backup: Backup, facts: StorageFacts, present: Buffer): Promise<string> {
  const then = readHostedEngineConf((await configurationOf(backup, 'hosted-engine.conf'))['hosted-engine.conf']);
  const [domain, vm] = [then.get('sdUUID') ?? 'none', then.get('vmid') ?? 'none'];
  if (domain !== facts.domain.id)
    throw foreign('restore/other-domain', `it names storage domain ${domain}, the hosts use ${facts.domain.id}`);
  const archive = await readConfigurationArchive(present);
  // What can't be read now may be the very reason for the restore.
  const now = archive.ok ? readHostedEngineConf(archive.members['hosted-engine.conf']).get('vmid') : undefined;
  if (now !== undefined && now !== vm)
    throw foreign('restore/other-vm', `its engine VM is ${vm}, the shared hosted-engine.conf names ${now}`);
  return vm;
}
