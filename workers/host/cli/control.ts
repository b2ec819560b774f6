/** Commands that the running worker carries out: words to a `ControlCommand` and lines back. */
import { userInfo } from 'node:os';
import { CounterpartError } from '../../../activities/errors.ts';
import { sendCommand } from '../control/client.ts';
import type { ControlCommand } from '../control/protocol.ts';

/** Who is at the keyboard, also behind sudo. */
export function whoAmI(env: NodeJS.ProcessEnv = process.env): string {
  return env['SUDO_USER'] ?? userInfo().username;
}

export function wrongWord(subject: string, word: string, known: string): CounterpartError {
  return new CounterpartError({
    type: 'host/usage',
    kind: 'needs-operator',
    subject,
    what: `"${word}" is not understood`,
    why: `it can be ${known}`,
    remedy: 'See bellwether-host --help.',
  });
}

/** `2026-11-22T03:00`, `03:00` (the next one) or `+90m`, `+2h`, to ISO. */
export function parseUntil(text: string, now: Date): string {
  const [, amount, unit] = /^\+(\d{1,4})(m|h)$/.exec(text) ?? [];
  if (amount !== undefined)
    return new Date(now.getTime() + Number(amount) * (unit === 'h' ? 3_600_000 : 60_000)).toISOString();
  const [, hours, minutes] = /^(\d{1,2}):(\d{2})$/.exec(text) ?? [];
  if (hours !== undefined && Number(hours) < 24 && Number(minutes) < 60) {
    const at = new Date(now);
    at.setHours(Number(hours), Number(minutes), 0, 0);
    if (at <= now) at.setDate(at.getDate() + 1);
    return at.toISOString();
  }
  const at = new Date(text);
  if (!/^\d{4}-\d{2}-\d{2}/.test(text) || Number.isNaN(at.getTime()))
    throw wrongWord('--until', text, 'a time (2026-11-22T03:00), an hour (03:00) or a span (+90m, +2h)');
  if (at <= now) throw wrongWord('--until', text, 'a time in the future');
  return at.toISOString();
}

export function integer(subject: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value)) throw wrongWord(subject, text, 'a whole number');
  return value;
}

/** The lines that the worker answers. @throws CounterpartError */
export async function order(socket: string, command: ControlCommand): Promise<string> {
  const lines = await sendCommand(socket, command);
  return lines.map((line) => `${line}\n`).join('');
}
