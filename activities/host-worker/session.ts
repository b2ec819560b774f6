/** An SSH session with the host of an operation: address, port and host key from the engine, the login from a secret. */
import ssh2 from 'ssh2';
import type { ServedHost, SshAccess } from '../../workflows/model/host-worker.ts';
import type { StepCall } from '../../workflows/model/operation.ts';
import type { Counterparts } from '../counterparts.ts';
import { findHost } from '../engine/deploy-host.ts';
import { unmet } from '../engine/hosted-engine.ts';
import type { Host } from '../engine/types.ts';
import type { Secrets } from '../secrets.ts';
import { connectSsh, type SshLogin, type SshSession, type SshTarget } from '../ssh/client.ts';
import { sshError } from '../ssh/errors.ts';
import type { StepContext } from '../step-context.ts';

const SSH_PORT = 22;

export type OfHost = StepCall & { readonly facts: ServedHost; readonly ssh: SshAccess };

/** @throws CounterpartError needs-operator when the secret can't be read, or holds no key that can be used */
export async function sshLogin(secrets: Secrets, { access, sshKeySecret }: SshAccess): Promise<SshLogin> {
  if (sshKeySecret !== undefined) {
    const privateKey = `${await secrets.read(sshKeySecret)}\n`;
    const parsed = ssh2.utils.parseKey(privateKey);
    if (!(parsed instanceof Error)) return { privateKey };
    throw sshError(`secret ${sshKeySecret}`, {
      type: 'ssh/key-unusable',
      kind: 'needs-operator',
      what: 'it holds no private SSH key that can be used',
      why: parsed.message,
      remedy: 'Put a private key without a passphrase into it (ssh-keygen -t ed25519 -N ""), then retry.',
    });
  }
  if (access.kind === 'password') return { password: await secrets.read(access.passwordSecret) };
  // The schema asks for it; requests of older doors may still lack it.
  throw unmet(
    'ssh/no-login',
    'the request',
    'it names nothing with which this worker could log in to the host',
    'with access public-key the engine’s own key is used, which only the engine has',
    'Name a secret with root’s private key (sshKeySecret), or use access password; then start anew.',
  );
}

/** As the engine knows it; a host that it does not know yet as the request says. */
export function sshTarget(name: string, address: string, host: Host | undefined, ssh: SshAccess): SshTarget {
  return { subject: `host ${name}`, address, port: host?.ssh?.port ?? ssh.sshPort ?? SSH_PORT };
}

/** Connects, works, and closes. @throws CounterpartError `ssh/*` */
export async function onHost<T>(
  { clusters, secrets }: Counterparts,
  input: OfHost,
  context: StepContext,
  work: (ssh: SshSession) => Promise<T>,
): Promise<T> {
  const { name, address } = input.facts.host;
  const engine = clusters.get(input.cluster).engine(input.operationId, context.signal);
  const host = await findHost(engine, name);
  const login = await sshLogin(secrets, input.ssh);
  const target = sshTarget(name, address, host, input.ssh);
  context.waitsFor(`${target.subject} to answer over SSH`);
  const session = await connectSsh(target, host?.ssh ?? {}, login, context.signal);
  try {
    return await work(session);
  } finally {
    session.close();
  }
}
