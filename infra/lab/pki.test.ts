import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAuthority, makePki } from './pki.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'lab-pki-'));
  makePki(dir, { engine: ['engine.example.test'], hosts: [{ name: 'host1', address: '127.0.0.1' }] });
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));
const pem = (name: string) => readFileSync(join(dir, 'pki', `${name}.pem`), 'utf8');

async function serve() {
  const server = createServer(
    { key: pem('host1-key'), cert: pem('host1-cert'), ca: pem('ca'), requestCert: true },
    (socket) => socket.end(socket.getPeerX509Certificate()?.subject ?? ''),
  );
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { server, port: address.port };
}

describe('makePki', () => {
  it('makes a chain that Node accepts both ways, by name and by address', async () => {
    const { server, port } = await serve();
    try {
      for (const host of ['host1', 'localhost', '127.0.0.1', '::1']) {
        const leaf = new X509Certificate(pem('host1-cert'));
        expect(host.includes(':') || host.startsWith('1') ? leaf.checkIP(host) : leaf.checkHost(host)).toBe(host);
      }
      const socket = connect({
        port,
        host: '127.0.0.1',
        ca: pem('ca'),
        cert: pem('client-cert'),
        key: pem('client-key'),
      });
      const [chunk] = (await once(socket, 'data')) as [Buffer];
      expect(chunk.toString()).toContain('CN=client');
      socket.destroy();
    } finally {
      server.close();
    }
  });

  it('a certificate of another authority is refused', async () => {
    const { server, port } = await serve();
    try {
      const stranger = createAuthority().issue(['client']);
      const socket = connect({ port, host: '127.0.0.1', ca: pem('ca'), cert: stranger.cert, key: stranger.key });
      let received = '';
      socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
      socket.on('error', () => undefined);
      if (!socket.closed) await new Promise((resolve) => socket.once('close', resolve));
      expect(received).toBe('');
    } finally {
      server.close();
    }
  });

  it('keeps keys private and satisfies the strict checks of OpenSSL', () => {
    expect(statSync(join(dir, 'pki', 'host1-key.pem')).mode & 0o077).toBe(0);
    for (const leaf of ['engine', 'client', 'host1']) {
      const args = [
        'verify',
        '-x509_strict',
        '-CAfile',
        join(dir, 'pki', 'ca.pem'),
        join(dir, 'pki', `${leaf}-cert.pem`),
      ];
      expect(execFileSync('openssl', args, { encoding: 'utf8' })).toContain('OK');
    }
  });
});
