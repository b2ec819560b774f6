import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import ssh2 from 'ssh2';
import { describe, expect, test } from 'vitest';
import { expectedFingerprint, fingerprintOf, kindsToTry } from './host-key.ts';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGVnYWxpdGUtdGVzdC1rZXktMDEyMzQ1Njc4OWFi root@host4';
const bytes = Buffer.from(KEY.split(' ')[1] ?? '', 'base64');

describe('the host key that is known', () => {
  test('is compared as ssh-keygen prints it, with or without padding', () => {
    const shown = fingerprintOf(bytes);
    expect(shown).toMatch(/^SHA256:[A-Za-z0-9+/]{43}$/);
    expect(expectedFingerprint({ fingerprint: `${shown}=` })).toBe(shown);
    expect(expectedFingerprint({ publicKey: KEY })).toBe(shown);
  });

  test('is the key itself where both are told', () => {
    const other = fingerprintOf(Buffer.from('another'));
    expect(expectedFingerprint({ publicKey: KEY, fingerprint: other })).toBe(fingerprintOf(bytes));
  });

  test.each(['MD5:43:51:43:a1:b5:fc:8b:b7:0a:3a:a9:b1:0f:66:73:a8', '43:51:43:a1', 'SHA256:lab', '', 'SHA256:'])(
    'is not known by %j',
    (fingerprint) => expect(expectedFingerprint({ fingerprint })).toBeUndefined(),
  );

  test('is asked for by its own kind, else kind by kind', () => {
    expect(kindsToTry({ publicKey: KEY })).toEqual(['ssh-ed25519']);
    expect(kindsToTry({ publicKey: 'ecdsa-sha2-nistp256 AAAA' })).toEqual(['ecdsa']);
    expect(kindsToTry({ fingerprint: 'SHA256:x' })).toHaveLength(3);
  });

  test('whatever an engine says, it is a fingerprint or nothing', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (fingerprint, publicKey) => {
        const expected = expectedFingerprint({ fingerprint, publicKey });
        expect(expected === undefined || /^SHA256:[A-Za-z0-9+/]{43}$/.test(expected)).toBe(true);
      }),
    );
  });

  test('ssh-keygen says the same', ({ skip }) => {
    const { public: open } = ssh2.utils.generateKeyPairSync('ed25519');
    let said: string;
    try {
      said = execFileSync('ssh-keygen', ['-lf', '-'], {
        input: `${open}\n`,
        encoding: 'utf8',
        stdio: ['pipe', 'pipe', 'ignore'],
      });
    } catch {
      return skip('no ssh-keygen here');
    }
    expect(said).toContain(` ${expectedFingerprint({ publicKey: open }) ?? 'none'} `);
  });
});
