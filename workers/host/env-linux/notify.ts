/**
 * systemd's notifications (Type=notify, WatchdogSec). Node has no datagram sockets of the Unix kind, so systemd's own
 * program says it; the watchdog is fed three times in its period and only after a round of the loop.
 */
import { execFile } from 'node:child_process';

export interface Notifier {
  ready(status: string): void;
  /** Called after each round; feeds the watchdog when it is time. */
  round(status: string): void;
  stopping(): void;
}

const NOTHING: Notifier = { ready: () => {}, round: () => {}, stopping: () => {} };

/** Does nothing where systemd did not ask for it. */
export function systemdNotifier(env: NodeJS.ProcessEnv = process.env): Notifier {
  if (env['NOTIFY_SOCKET'] === undefined) return NOTHING;
  const periodMs = Number(env['WATCHDOG_USEC'] ?? 0) / 1000 / 3;
  const say = (...words: string[]) => {
    execFile('systemd-notify', words, { timeout: 5000 }, () => undefined).unref();
  };
  let fedMs = Number.NEGATIVE_INFINITY;
  return {
    ready: (status) => say('--ready', `--status=${status}`),
    round(status) {
      if (!(periodMs > 0) || performance.now() - fedMs < periodMs) return;
      fedMs = performance.now();
      say('WATCHDOG=1', `STATUS=${status}`);
    },
    stopping: () => say('STOPPING=1'),
  };
}
