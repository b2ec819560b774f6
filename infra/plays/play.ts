/**
 * An operation on a lab: what stands before it, what is asked for, and what must be seen from outside in the end. The demo
 * shows one (`npm run demo -- --operation NAME`), the crash matrix disturbs each of them in every way.
 */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Archive } from '../../activities/archive/client.ts';
import type { OperationRequest } from '../../workflows/model/requests.ts';
import { labPaths } from '../lab/fixture.ts';
import type { Lab } from '../lab/lab.ts';
import type { LabOptions } from '../lab/make-fixture.ts';

/** What is so, by what it is about; freed of what differs from run to run (ids, times). */
export type Facts = Readonly<Record<string, string | number | boolean>>;

export interface Play {
  /** As after `npm run demo -- --operation`. */
  readonly name: string;
  /** What it shows, for people. */
  readonly title: string;
  readonly lab: Omit<LabOptions, 'dir' | 'speed' | 'cluster'>;
  /** Brings about what must stand before. */
  readonly prepare?: (lab: Lab, archive: Archive) => Promise<void>;
  readonly request: (lab: Lab) => OperationRequest;
  /** Looks from outside: at hosts, storage, engine and S3, never at the operation's own words. */
  readonly outside: (lab: Lab, archive: Archive) => Promise<Facts>;
  readonly expected: Facts;
  /** The last step (from 1) that an abort takes back wholly: behind it lies the point of no return. All unless given. */
  readonly lastAbortable?: number;
}

export const PLAY_TICKET = 'CHG0001234';

/** What every request of a play says. */
export function playRequest(lab: Lab) {
  return {
    version: 1,
    cluster: lab.fixture.cluster.name,
    key: PLAY_TICKET,
    ticket: PLAY_TICKET,
    requestedBy: 'play',
    ifBusy: 'queue',
  } as const;
}

/** Name of the secret that holds the root password of the lab's hosts. */
export const HOST_ROOT_SECRET = 'lab-host-root';
/** Name of the secret that holds root's private SSH key for the lab's hosts. */
export const HOST_KEY_SECRET = 'lab-host-key';
/** Name of the secret that holds the password of the lab's `admin@internal`. */
export const ENGINE_ADMIN_SECRET = 'lab-engine-admin';

/** The worker's folder of secrets for a lab, made in `dir`. */
export function labSecrets(lab: Lab, dir: string, enginePassword: string): string {
  const folder = join(dir, 'secrets');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, HOST_ROOT_SECRET), `${lab.fixture.hostRootPassword}\n`, { mode: 0o600 });
  copyFileSync(labPaths(lab.fixture.dir).sshRootKey, join(folder, HOST_KEY_SECRET));
  writeFileSync(join(folder, ENGINE_ADMIN_SECRET), `${enginePassword}\n`, { mode: 0o600 });
  return folder;
}

/** Facts that are not as they must be, a line each. */
export function differences(expected: Facts, seen: Facts): string[] {
  const names = new Set([...Object.keys(expected), ...Object.keys(seen)]);
  return [...names].flatMap((name) =>
    seen[name] === expected[name] ? [] : [`${name}: ${String(seen[name])} instead of ${String(expected[name])}`],
  );
}

/** Hosts on which the engine VM runs, by name. */
export function hostsRunningTheVm(lab: Lab): string[] {
  return [...lab.world.hosts.values()].flatMap((host) => {
    const vm = host.vms.get(lab.fixture.vm.id);
    return host.alive && vm !== undefined && vm.status !== 'Down' ? [host.name] : [];
  });
}
