/** SSH keys of a lab: a host key per machine, and one key with which root may log in everywhere. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import ssh2 from 'ssh2';
import { labPaths, labMachines, type LabFixture } from '../fixture.ts';

/** ssh2 makes one in two hundred that it can't read itself (a leading zero is lost). */
export function keyPair(): { readonly private: string; readonly public: string } {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync('ed25519');
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}

export function makeSshKeys(fixture: LabFixture): void {
  const paths = labPaths(fixture.dir);
  const write = (file: string) => {
    const { private: secret, public: open } = keyPair();
    writeFileSync(file, secret, { mode: 0o600 });
    writeFileSync(`${file}.pub`, `${open}\n`);
  };
  for (const { name } of labMachines(fixture)) {
    mkdirSync(paths.hostDir(name), { recursive: true });
    write(paths.sshHostKey(name));
  }
  write(paths.sshRootKey);
}

/** As the engine shows it once it has been to the host; undefined: no such machine. */
export function hostKeyFingerprint(fixture: LabFixture, name: string): string | undefined {
  const file = `${labPaths(fixture.dir).sshHostKey(name)}.pub`;
  if (!existsSync(file)) return undefined;
  const [, base64 = ''] = readFileSync(file, 'utf8').split(' ');
  const digest = createHash('sha256').update(Buffer.from(base64, 'base64')).digest('base64');
  return `SHA256:${digest.replace(/=+$/, '')}`;
}
