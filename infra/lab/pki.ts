/**
 * The lab's certificates: one authority, and a leaf for the engine, for clients and for each host.
 *
 * As on a real deployment (vdsm.md 1) one authority signs everything and TLS is mutual, so each leaf may be server and
 * client. EC P-256 made by node:crypto: a whole set takes milliseconds. Encoded here because node:crypto makes keys and
 * signatures but no certificates.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { bitString, derTrue, integer, octetString, oid, sequence, set, tlv, utcTime, utf8String } from './der.ts';
import { labPaths } from './fixture.ts';

const DAY_MS = 86_400_000;
const ECDSA_SHA256 = '1.2.840.10045.4.3.2';
const KEY_USAGE_CA = Buffer.from([0x06]); // keyCertSign, cRLSign
const KEY_USAGE_LEAF = Buffer.from([0x80]); // digitalSignature: all an EC key does in TLS

interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

interface Authority {
  readonly name: Buffer;
  readonly keys: KeyPair;
}

export interface PkiNames {
  /** Names the engine answers to; the first is its certificate's CN. */
  readonly engine: readonly string[];
  readonly hosts: readonly { readonly name: string; readonly address: string }[];
}

function name(commonName: string): Buffer {
  const attribute = (type: string, value: string) => set(sequence(oid(type), utf8String(value)));
  return sequence(attribute('2.5.4.10', 'Bellwether lab'), attribute('2.5.4.3', commonName));
}

function keyId(key: KeyObject): Buffer {
  return createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest();
}

function ipBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  // The URL parser of Node gives no bytes; loopback is the only IPv6 address a lab has.
  if (address !== '::1') throw new RangeError(`only ::1 is supported as an IPv6 address, not ${address}`);
  return Buffer.concat([Buffer.alloc(15), Buffer.from([1])]);
}

function alternativeNames(names: readonly string[]): Buffer {
  const entries = [...new Set(names)].map((one) =>
    isIP(one) === 0 ? tlv(0x82, Buffer.from(one, 'ascii')) : tlv(0x87, ipBytes(one)),
  );
  return sequence(...entries);
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return critical ? sequence(oid(id), derTrue(), octetString(value)) : sequence(oid(id), octetString(value));
}

function extensions(key: KeyObject, issuerKey: KeyObject, names: readonly string[] | undefined): Buffer {
  const list = [
    extension('2.5.29.14', false, octetString(keyId(key))),
    extension('2.5.29.35', false, sequence(tlv(0x80, keyId(issuerKey)))),
  ];
  if (names === undefined) {
    list.push(
      extension('2.5.29.19', true, sequence(derTrue())),
      extension('2.5.29.15', true, bitString(KEY_USAGE_CA, 1)),
    );
  } else {
    list.push(
      extension('2.5.29.19', true, sequence()),
      extension('2.5.29.15', true, bitString(KEY_USAGE_LEAF, 7)),
      extension('2.5.29.37', false, sequence(oid('1.3.6.1.5.5.7.3.1'), oid('1.3.6.1.5.5.7.3.2'))),
      extension('2.5.29.17', false, alternativeNames(names)),
    );
  }
  return tlv(0xa3, sequence(...list));
}

function certificate(subject: Buffer, key: KeyObject, issuer: Authority, names: readonly string[] | undefined): string {
  const now = Date.now();
  const algorithm = sequence(oid(ECDSA_SHA256));
  const serial = randomBytes(16);
  serial[0] = (serial[0] ?? 0) | 0x40; // no leading zero byte: DER wants the shortest form
  const body = sequence(
    tlv(0xa0, integer(Buffer.from([2]))),
    integer(serial),
    algorithm,
    issuer.name,
    sequence(utcTime(new Date(now - DAY_MS)), utcTime(new Date(now + 3650 * DAY_MS))),
    subject,
    key.export({ type: 'spki', format: 'der' }),
    extensions(key, issuer.keys.publicKey, names),
  );
  const der = sequence(body, algorithm, bitString(sign('sha256', body, issuer.keys.privateKey)));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/** An authority and what it can do. */
export interface LabPki {
  readonly ca: string;
  /** PEM of a new leaf: certificate (CN = first name, all names as SAN) and PKCS#8 key. */
  issue(names: readonly [string, ...string[]]): { readonly cert: string; readonly key: string };
}

/** An authority in memory. */
export function createAuthority(commonName = 'Bellwether lab CA'): LabPki {
  const newKeys = (): KeyPair => generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const authority: Authority = { name: name(commonName), keys: newKeys() };
  return {
    ca: certificate(authority.name, authority.keys.publicKey, authority, undefined),
    issue(names) {
      const keys = newKeys();
      return {
        cert: certificate(name(names[0]), keys.publicKey, authority, names),
        key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      };
    },
  };
}

/**
 * Writes the certificates of a lab into the `pki` folder of `labDir`, under the names of `labPaths`. Every leaf carries
 * 127.0.0.1, ::1 and localhost besides its own names. Keys are readable by the owner only.
 */
export function makePki(labDir: string, names: PkiNames): LabPki {
  const paths = labPaths(labDir);
  mkdirSync(paths.pki, { recursive: true });
  const pki = createAuthority();
  writeFileSync(paths.ca, pki.ca);
  const write = (certFile: string, keyFile: string, own: readonly [string, ...string[]]) => {
    const { cert, key } = pki.issue([...own, 'localhost', '127.0.0.1', '::1']);
    writeFileSync(certFile, cert);
    writeFileSync(keyFile, key, { mode: 0o600 });
  };
  const [engine = 'engine', ...engineRest] = names.engine;
  write(paths.engineCert, paths.engineKey, [engine, ...engineRest]);
  write(paths.clientCert, paths.clientKey, ['client']);
  for (const { name, address } of names.hosts) write(paths.hostCert(name), paths.hostKey(name), [name, address]);
  return pki;
}
