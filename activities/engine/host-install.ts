/** Installation of a host by the engine, watched to its end (engine.md 8.2, 9, 19.2). */
import { CounterpartError } from '../errors.ts';
import { poll, type StepContext } from '../step-context.ts';
import type { EngineClient } from './client.ts';
import { hostEvents } from './host-events.ts';
import type { Host } from './types.ts';

const POLL_MS = 1000;
/** Packages over a slow line, and a reboot of a large machine. */
const INSTALL_LIMIT_MS = 50 * 60_000;
/** Silent after the installation: the engine gives a host so long to come back (engine.md 9). */
const SILENCE_LIMIT_MS = 600_000;
/** At rest and yet not as wanted: the engine has answered before it began, or it left off. */
const REST_LIMIT_MS = 120_000;
const EVENTS_TOLD_MAX = 5;

const UNDER_WAY = new Set(['installing', 'reboot', 'installing_os', 'initializing', 'connecting', 'unassigned']);
/** No waiting helps. */
const FAILED = new Set(['install_failed', 'non_operational', 'error', 'pending_approval']);

export function isInstalling(host: Host): boolean {
  return UNDER_WAY.has(host.status);
}

export interface InstallWatch {
  readonly host: { readonly id: string; readonly name: string };
  /** Index of the engine's event after which trouble counts. */
  readonly eventsFrom: number;
  /** What is being done, e.g. `the installation of host4`. */
  readonly what: string;
  /** Asked of a host at rest: whether this is the end. */
  readonly isDone: (host: Host) => boolean | Promise<boolean>;
}

/** What the engine itself says, oldest first. */
async function troubleOf(engine: EngineClient, { host, eventsFrom }: InstallWatch): Promise<string[]> {
  const events = await hostEvents(engine, host.id, eventsFrom);
  return events
    .filter((event) => event.severity !== 'normal')
    .slice(0, EVENTS_TOLD_MAX)
    .map((event) => `event ${event.code}: ${event.description}`)
    .toReversed();
}

async function failure(engine: EngineClient, watch: InstallWatch, host: Host, why: string): Promise<CounterpartError> {
  const detail = host.statusDetail === undefined ? '' : ` (${host.statusDetail})`;
  const events = await troubleOf(engine, watch);
  return new CounterpartError({
    type: host.status === 'install_failed' ? 'engine/install-failed' : 'engine/host-not-installed',
    kind: 'needs-operator',
    subject: `host ${host.name}`,
    what: `${watch.what} did not come to a good end`,
    why: [`${why}: its status is ${host.status}${detail}`, ...events].join('; '),
    remedy: `Remove the cause (on the engine VM: /var/log/ovirt-engine/host-deploy/), then retry: the host that is there is installed again, no second one is added.`,
  });
}

/**
 * Waits until the engine has done with the host.
 * @returns the host as it came out
 * @throws CounterpartError needs-operator at once when it failed, with the engine's events about it
 */
export async function awaitInstalled(engine: EngineClient, watch: InstallWatch, context: StepContext): Promise<Host> {
  let host = await engine.host(watch.host.id);
  let restsSince: number | undefined;
  const options = { what: `${watch.what} to end`, everyMs: POLL_MS, limitMs: INSTALL_LIMIT_MS };
  const end = await poll(context, options, async () => {
    host = await engine.host(watch.host.id);
    if (FAILED.has(host.status)) return 'the engine gave up';
    if (UNDER_WAY.has(host.status)) restsSince = undefined;
    else if (await watch.isDone(host)) return 'done';
    else {
      const now = context.now().getTime();
      restsSince ??= now;
      const answers = host.status === 'up' || host.status === 'maintenance';
      if (now - restsSince > (answers ? REST_LIMIT_MS : SILENCE_LIMIT_MS)) return 'nothing more happens';
    }
    return undefined;
  });
  if (end === 'done') return host;
  throw await failure(engine, watch, host, end ?? `not done after ${INSTALL_LIMIT_MS / 60_000} minutes`);
}
