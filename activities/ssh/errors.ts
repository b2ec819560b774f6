/** What can go wrong between us and a host's SSH server, in words for people. */
import { CounterpartError, type ErrorFacts } from '../errors.ts';

export function sshError(
  subject: string,
  facts: Pick<ErrorFacts, 'type' | 'kind' | 'what' | 'why' | 'remedy'>,
  cause?: unknown,
): CounterpartError {
  return new CounterpartError({ subject, ...facts }, cause === undefined ? undefined : { cause });
}

const textOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

export function unreachable(subject: string, error: unknown): CounterpartError {
  const facts = {
    type: 'ssh/unreachable',
    kind: 'retryable',
    what: 'its SSH server can’t be reached',
    why: textOf(error),
    remedy:
      'It is tried again by itself; if it lasts, look at sshd, its port and the firewall between this worker and it.',
  } as const;
  return sshError(subject, facts, error);
}

export function refusedLogin(subject: string, how: string, error: unknown): CounterpartError {
  const facts = {
    type: 'ssh/login-refused',
    kind: 'needs-operator',
    what: `root can’t log in ${how}`,
    why: textOf(error),
    remedy:
      'Put the right secret into its file (for a key: its public half into /root/.ssh/authorized_keys there) and let sshd permit root (PermitRootLogin), then retry.',
  } as const;
  return sshError(subject, facts, error);
}

export function wrongHostKey(subject: string, expected: string, seen: readonly string[]): CounterpartError {
  return sshError(subject, {
    type: 'ssh/host-key-mismatch',
    kind: 'needs-operator',
    what: 'it does not show the SSH host key that is known of it, so nothing was sent to it',
    why: `known: ${expected}; shown: ${seen.join(', ') || 'none of a kind that is accepted'}`,
    remedy:
      'Find out why before anything else: it may be another machine. If its key was renewed on purpose, let the engine fetch it anew (edit the host, or reinstall it), then retry.',
  });
}

export function unknownHostKey(subject: string): CounterpartError {
  return sshError(subject, {
    type: 'ssh/host-key-unknown',
    kind: 'needs-operator',
    what: 'nobody says which SSH host key is its own, and none is accepted blindly',
    why: 'the engine tells neither a SHA256 fingerprint nor the public key of it',
    remedy: 'Let the engine fetch the host’s fingerprint (edit the host in the engine, SSH), then retry.',
  });
}

export function commandFailed(subject: string, command: string, why: string): CounterpartError {
  return sshError(subject, {
    type: 'ssh/command-failed',
    kind: 'retryable',
    what: `"${command}" failed there`,
    why,
    remedy: `It is tried again by itself; if it lasts, run it there by hand and repair what it says, then retry.`,
  });
}
