/** Step: proof that our worker serves the host. Another host reads the slot; the host's own VDSM asks our broker's socket. */
import type { StepOutcome } from '../../workflows/model/operation.ts';
import type { Counterparts } from '../counterparts.ts';
import { findHost } from '../engine/deploy-host.ts';
import { unmet } from '../engine/hosted-engine.ts';
import { hostIdOf } from '../engine/host-id.ts';
import { parseAnnouncement } from '../storage/announcement.ts';
import { slotOf } from '../storage/slot.ts';
import { parseHostBlock, type HostBlock } from '../storage/whiteboard.ts';
import { poll, type StepContext } from '../step-context.ts';
import { haStateOrSilence, haText, type HaState } from '../vdsm/ha-state.ts';
import { onHost, type OfHost } from './session.ts';
import { OURS } from './systemd.ts';

const POLL_MS = 500;
/** Storage, its host id for sanlock (up to 140 s after an unclean end), and four beats of listening. */
const LIMIT_MS = 600_000;
const LOG_LINES = 15;

/** What is still missing in a slot; undefined: it is proof. `before`: its writer's clock when it was first seen to be ours. */
export function lackOf(block: HostBlock | undefined, before: number | undefined): string | undefined {
  if (block === undefined) return 'the slot holds no row of a host';
  const said = parseAnnouncement(block.extra);
  if (said === undefined) return `the slot was written by the reference’s agent of ${block.hostname}`;
  if (block.stopped) return 'the host worker said that it stopped';
  const why = said.cannotRun === '' ? '' : ` (${said.cannotRun})`;
  if (block.score <= 0) return `the host worker writes a score of ${block.score}${why}`;
  return before === undefined || block.hostTs === before ? 'the slot was not yet seen to change' : undefined;
}

function lackOfHost(ha: HaState | string, name: string): string | undefined {
  const able = typeof ha !== 'string' && ha.configured && ha.active && ha.score > 0;
  return able ? undefined : `VDSM of ${name} hears of its HA services: ${haText(ha)}`;
}

/** The worker's own last words. */
async function lastWords(counterparts: Counterparts, input: OfHost, context: StepContext): Promise<string> {
  try {
    return await onHost(counterparts, input, context, async (ssh) => {
      const { stdout } = await ssh.run(`journalctl -u ${OURS} -n ${LOG_LINES} --no-pager -o cat`);
      return stdout.trim().slice(-800);
    });
  } catch (error) {
    context.signal.throwIfAborted();
    return `its log can’t be read: ${error instanceof Error ? error.message : String(error)}`;
  }
}

export function verifyHostWorker(counterparts: Counterparts) {
  return async (context: StepContext, input: OfHost): Promise<StepOutcome<readonly string[]>> => {
    const { facts } = input;
    const { name } = facts.host;
    const cluster = counterparts.clusters.get(input.cluster);
    const engine = cluster.engine(input.operationId, context.signal);
    const host = await findHost(engine, name);
    if (host === undefined) {
      const remedy = 'See who removed it, then abort, and start anew.';
      throw unmet('engine/host-gone', `host ${name}`, 'it can’t be looked at', 'the engine knows no such host', remedy);
    }
    const hostId = await hostIdOf(engine, host);
    const slot = await slotOf(cluster, { board: facts.board, hostId, except: name }, input, context);
    const vdsm = cluster.hosts.ensure(facts.host);
    let why = '';
    let first: number | undefined;
    const what = `the host worker to write slot ${hostId} with a score above 0`;
    const proof = await poll(context, { what, everyMs: POLL_MS, limitMs: LIMIT_MS }, async () => {
      const reading = parseHostBlock(await slot.read());
      const block = reading.kind === 'host' ? reading.block : undefined;
      const slotLacks = lackOf(block, first);
      if (first === undefined && block !== undefined && parseAnnouncement(block.extra) !== undefined)
        first = block.hostTs;
      const hostLacks = lackOfHost(await haStateOrSilence(vdsm, context.signal), name);
      why = [slotLacks, hostLacks].filter((text) => text !== undefined).join('; ');
      return why === '' ? block : undefined;
    });
    if (proof !== undefined) {
      const line = `storage: slot ${hostId} is written by Bellwether’s worker on ${proof.hostname}, score ${proof.score}`;
      return { done: 'now', summary: line, value: [line] };
    }
    throw unmet(
      'host/worker-not-proven',
      `host ${name}`,
      `the host worker was started there but does not serve it after ${LIMIT_MS / 60_000} minutes`,
      `${why}. Its log ends: ${await lastWords(counterparts, input, context)}`,
      `Look there (systemctl status ${OURS}; bellwether-host status), repair what it names, then retry; abort puts ovirt-ha-agent and ovirt-ha-broker back.`,
    );
  };
}
