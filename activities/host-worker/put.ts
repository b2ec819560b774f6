/** Steps: our worker's files on the host, and its services in the place of the reference's; and the way back. */
import type { StepOutcome } from '../../workflows/model/operation.ts';
import type { Counterparts } from '../counterparts.ts';
import { unmet } from '../engine/hosted-engine.ts';
import type { SshSession } from '../ssh/client.ts';
import { poll, type StepContext } from '../step-context.ts';
import { engineVmPlaces } from '../vdsm/engine-vm-place.ts';
import { haState, haStateOrSilence } from '../vdsm/ha-state.ts';
import { PLACES, readHostWorker, WORKER_DIR } from './files.ts';
import { checksums, filesToPut, must, services } from './machine.ts';
import { onHost, type OfHost } from './session.ts';
import { isEnabled, OURS, runs, servicesText, THEIRS, weServe } from './systemd.ts';

/** Agent before broker: it can do nothing without. */
const THEIR_NAMES = THEIRS.join(' ');
const REVERSED = THEIRS.toReversed().join(' ');
const POLL_MS = 500;
const HEARD_LIMIT_MS = 300_000;

export function putWorkerFiles(counterparts: Counterparts) {
  return async (context: StepContext, input: OfHost): Promise<StepOutcome<boolean>> => {
    const files = await readHostWorker(counterparts.hostWorker);
    return onHost(counterparts, input, context, async (ssh) => {
      const missing = await filesToPut(ssh, files);
      if (missing.length === 0)
        return { done: 'before', summary: 'bundle, unit and configuration are there already', value: false };
      // A worker that runs is stopped first, so that what runs is always what lies there.
      if (runs((await services(ssh)).ours)) await must(ssh, `systemctl stop ${OURS}`);
      await must(ssh, `mkdir -p ${WORKER_DIR}`);
      for (const { path, content, mode } of missing) await ssh.put(path, content, mode);
      await must(ssh, 'systemctl daemon-reload');
      const left = await filesToPut(ssh, files);
      if (left.length > 0)
        throw notAsWritten(
          ssh,
          left.map(({ path }) => path),
        );
      const names = missing.map(({ path, sha256 }) => `${path} (SHA-256 ${sha256.slice(0, 12)}…)`);
      return { done: 'now', summary: `put there and read back: ${names.join(', ')}`, value: true };
    });
  };
}

function notAsWritten({ subject }: SshSession, paths: readonly string[]) {
  return unmet(
    'host/files-differ',
    subject,
    'files of the host worker are not as they were written',
    `other checksums: ${paths.join(', ')}`,
    'Look at the host’s disk, and whether something manages these files there; then retry.',
  );
}

/** In the moments between the two nobody speaks for the engine VM: other hosts might try to start it. */
async function requireVmElsewhere({ clusters }: Counterparts, { facts, cluster: name }: OfHost, signal: AbortSignal) {
  const cluster = clusters.get(name);
  const own = cluster.hosts.ensure(facts.host);
  const places = await engineVmPlaces(cluster.hosts, facts.engineVm.id, signal, own);
  if (!places.some((place) => place.host === facts.host.name)) return;
  if ((await haState(own, signal)).globalMaintenance) return;
  throw unmet(
    'host/engine-vm-here',
    `host ${facts.host.name}`,
    'its HA services can’t be exchanged now',
    `${facts.engineVm.name} runs on it, and between the two nobody would speak for it`,
    'Migrate the engine VM to another host, or switch global maintenance on for the time, then retry.',
  );
}

export function swapServices(counterparts: Counterparts) {
  return async (context: StepContext, input: OfHost): Promise<StepOutcome<boolean>> =>
    onHost(counterparts, input, context, async (ssh) => {
      const found = await services(ssh);
      if (weServe(found)) return { done: 'before', summary: servicesText(found), value: false };
      if (found.theirs.some(runs)) await requireVmElsewhere(counterparts, input, context.signal);
      if (found.theirs.some(({ loaded }) => loaded)) await must(ssh, `systemctl disable --now ${THEIR_NAMES}`);
      await must(ssh, 'systemctl daemon-reload');
      await must(ssh, `systemctl enable ${OURS}`);
      // It is ready only when VDSM and the storage have answered, which the next step waits for.
      await must(ssh, `systemctl start --no-block ${OURS}`);
      const after = await services(ssh);
      if (weServe(after)) return { done: 'now', summary: servicesText(after), value: true };
      throw unmet(
        'host/services-not-exchanged',
        ssh.subject,
        'systemd did not take its orders',
        servicesText(after),
        `Look there: systemctl status ${OURS}, journalctl -u ${OURS}; then retry or abort.`,
      );
    });
}

/** Files of ours that are there; a configuration that somebody changed is his. */
async function oursThere({ hostWorker }: Counterparts, ssh: SshSession): Promise<string[]> {
  // What was put there is taken away even where the orchestrator has lost its own copy.
  const files = await readHostWorker(hostWorker).catch(() => []);
  const there = await checksums(
    ssh,
    Object.values(PLACES).map(({ path }) => path),
  );
  return [...there].flatMap(([path, found]) => {
    const isConf = path === PLACES.conf.path;
    return isConf && !files.some(({ sha256 }) => sha256 === found) ? [] : [path];
  });
}

/** VDSM hears of HA only once the broker answers: until then the host would pass for one without hosted engine. */
async function requireHeard({ clusters }: Counterparts, { facts, cluster }: OfHost, context: StepContext) {
  const vdsm = clusters.get(cluster).hosts.ensure(facts.host);
  const what = `the HA services of ${facts.host.name} to answer VDSM again`;
  const heard = await poll(context, { what, everyMs: POLL_MS, limitMs: HEARD_LIMIT_MS }, async () => {
    const state = await haStateOrSilence(vdsm, context.signal);
    return typeof state !== 'string' && state.configured ? true : undefined;
  });
  if (heard === true) return;
  throw unmet(
    'host/ha-services-silent',
    `host ${facts.host.name}`,
    'its HA services were started again but do not answer VDSM',
    `nothing was heard for ${HEARD_LIMIT_MS / 1000} s`,
    'Look at ovirt-ha-broker and ovirt-ha-agent there (journalctl -u ovirt-ha-broker), then retry.',
  );
}

export function withdrawWorker(counterparts: Counterparts) {
  return async (context: StepContext, input: OfHost): Promise<StepOutcome<null>> =>
    onHost(counterparts, input, context, async (ssh) => {
      // An earlier try may have ended between the removal of the unit and systemd's hearing of it.
      await must(ssh, 'systemctl daemon-reload');
      const found = await services(ssh);
      const files = await oursThere(counterparts, ssh);
      const back = found.theirs.every((unit) => runs(unit) && isEnabled(unit));
      if (files.length === 0 && !found.ours.loaded && back)
        return { done: 'before', summary: servicesText(found), value: null };
      if (found.ours.loaded) await must(ssh, `systemctl disable --now ${OURS}`);
      if (files.length > 0) await must(ssh, `rm -f ${files.join(' ')}`);
      // Only when it is empty, and it need not be there.
      await ssh.run(`rmdir ${WORKER_DIR}`);
      await must(ssh, 'systemctl daemon-reload');
      await must(ssh, `systemctl enable --now ${REVERSED}`);
      const after = await services(ssh);
      await requireHeard(counterparts, input, context);
      const notes = ['/var/lib/bellwether-host stays there: the journal of what the worker decided'];
      return { done: 'now', summary: servicesText(after), notes, value: null };
    });
}

/** Back to what was before, where that was our worker. */
export function restoreWorker(counterparts: Counterparts) {
  const put = putWorkerFiles(counterparts);
  const swap = swapServices(counterparts);
  return async (
    context: StepContext,
    input: OfHost & { readonly facts: { readonly ours?: boolean } },
  ): Promise<StepOutcome<null>> => {
    if (input.facts.ours !== true)
      return { done: 'before', summary: 'the reference’s services served it before', value: null };
    await put(context, input);
    const { done, summary } = await swap(context, input);
    await requireHeard(counterparts, input, context);
    return { done, summary, value: null };
  };
}
