/** VDSM's words for a VM's state, as the core wants them (vdsm.md 8, ha-agent.md 4.4). */
import type { VdsmVerbs } from '../../../../activities/vdsm/verbs.ts';
import type { ExitCause, VmFact, VmState } from '../../core/types.ts';

type VmStats = VdsmVerbs['VM.getStats']['result'];

const STATES: Readonly<Record<string, VmState>> = {
  WaitForLaunch: 'launching',
  Paused: 'paused',
  'Powering down': 'stopping',
  'Migration Source': 'leaving',
  'Migration Destination': 'arriving',
  Down: 'down',
};

/** Three texts, of sanlock, libvirt and qemu; matched loosely, as they are for people. */
const LOCK_HELD = /-243\b|lease is held by another|another process using the image/i;
const EXIT = { error: 1, lostQemu: 2, startFailed: 3, migrated: 4, admin: 6, guest: 7, whileStarting: 10 } as const;

/** Why a VM that is down went down. A guest that was told to stop, or stopped, did not crash. */
function exitCause({ exitCode, exitReason, exitMessage = '' }: VmStats): ExitCause {
  if (LOCK_HELD.test(exitMessage)) return 'lock-held';
  if (exitReason === EXIT.migrated) return 'migrated';
  if (exitReason === EXIT.error || exitReason === EXIT.startFailed || exitReason === EXIT.whileStarting)
    return 'failed';
  if (exitCode === 0 && (exitReason === EXIT.admin || exitReason === EXIT.guest)) return 'shutdown';
  return 'crashed';
}

/** @param atMs when VDSM was asked */
export function vmFact(stats: VmStats, atMs: number): VmFact {
  const state = STATES[stats.status] ?? 'up';
  const { pauseCode, exitMessage } = stats;
  if (state === 'down') {
    return { atMs, state, exit: exitCause(stats), detail: exitMessage ? `Down: ${exitMessage}` : 'Down' };
  }
  return { atMs, state, detail: state === 'paused' && pauseCode ? `Paused (${pauseCode})` : stats.status };
}

/** VDSM does not know the VM: the normal answer on every other host. */
export function absent(atMs: number): VmFact {
  return { atMs, state: 'absent', detail: 'unknown' };
}
