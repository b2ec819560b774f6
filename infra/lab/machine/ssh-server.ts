/** A simulated machine's sshd: root by password or by the lab's key; commands and files as `Shell` has them. */
import { once } from 'node:events';
import ssh2, { type AuthContext, type Connection, type ServerChannel } from 'ssh2';
import { serveSftp } from './sftp.ts';
import type { Shell } from './shell.ts';

export interface SshServerOptions {
  readonly address: string;
  readonly port: number;
  readonly hostKey: string;
  readonly rootPassword: string;
  /** As in authorized_keys. */
  readonly rootKey: string;
  readonly shell: Shell;
  /** Told of each try to log in. */
  readonly onLogin?: (method: string) => void;
}

export interface SshServer {
  close(): Promise<void>;
}

function permits(context: AuthContext, { rootPassword, rootKey }: SshServerOptions): boolean {
  if (context.username !== 'root') return false;
  if (context.method === 'password') return context.password === rootPassword;
  if (context.method !== 'publickey') return false;
  const allowed = ssh2.utils.parseKey(rootKey);
  if (allowed instanceof Error || Array.isArray(allowed)) return false;
  const same = context.key.algo === allowed.type && allowed.getPublicSSH().equals(context.key.data);
  if (!same || context.signature === undefined || context.blob === undefined) return same;
  // It answers an Error where its type says it doesn't.
  const verdict: unknown = allowed.verify(context.blob, context.signature, context.hashAlgo);
  return verdict === true;
}

async function execute(channel: ServerChannel, command: string, shell: Shell): Promise<void> {
  const { code, out, err } = await shell.run(command);
  channel.write(out);
  channel.stderr.write(err);
  channel.exit(code);
  channel.end();
}

function serve(connection: Connection, shell: Shell): void {
  connection.on('session', (accept) => {
    const session = accept();
    session.on('exec', (take, _refuse, { command }) => void execute(take(), command, shell));
    session.on('sftp', (take) => serveSftp(take(), shell));
  });
}

/** Listens when it resolves. */
export async function startSshServer(options: SshServerOptions): Promise<SshServer> {
  const connections = new Set<Connection>();
  const server = new ssh2.Server({ hostKeys: [options.hostKey] }, (connection) => {
    connections.add(connection);
    connection.on('error', () => undefined);
    connection.once('close', () => connections.delete(connection));
    connection.on('authentication', (context) => {
      options.onLogin?.(context.method);
      if (permits(context, options)) context.accept();
      else context.reject(['password', 'publickey']);
    });
    connection.once('ready', () => serve(connection, options.shell));
  });
  server.listen(options.port, options.address);
  await once(server, 'listening');
  return {
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const connection of connections) connection.end();
      await closed;
    },
  };
}
