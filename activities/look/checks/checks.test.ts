import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer, type Server } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clockDifference, expiry, type Topic } from './finding.ts';
import { secretFile, secretsFolder } from './files.ts';
import { peerCertificate } from './peer-certificate.ts';

const topic: Topic = { area: 'host', check: 'a check', why: 'it matters' };
const DAY_MS = 86_400_000;
const NOW = new Date('2026-11-21T14:00:00Z');
const inDays = (days: number) => new Date(NOW.getTime() + days * DAY_MS);

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'bellwether-checks-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('a certificate’s dates', () => {
  test.each([
    [400, 'ok', '400 days left'],
    [29, 'warning', '29 days left'],
    [-3, 'failed', '3 days ago'],
  ])('%d days from now: %s', (days, result, words) => {
    const found = expiry(topic, inDays(-500), inDays(days), NOW, 'Renew it.');
    expect(found.result).toBe(result);
    expect(found.seen).toContain(words);
    expect(found.remedy).toBe(result === 'ok' ? undefined : 'Renew it.');
  });

  test('not valid yet: a clock is wrong', () => {
    expect(expiry(topic, inDays(1), inDays(300), NOW, '').result).toBe('failed');
  });

  describe('as a server shows them', () => {
    const servers: Server[] = [];
    /** Shows a certificate of its own making; answers its port. */
    async function serve(from: number, to: number): Promise<number> {
      const at = (days: number) => new Date(Date.now() + days * DAY_MS);
      const options = { keyType: 'ec', notBeforeDate: at(from), notAfterDate: at(to) } as const;
      const { cert, private: key } = await generate([{ name: 'commonName', value: 'host9' }], options);
      const server = createServer({ cert, key }).listen(0, '127.0.0.1');
      servers.push(server);
      server.on('tlsClientError', () => {});
      await new Promise((resolve) => server.once('listening', resolve));
      return (server.address() as AddressInfo).port;
    }
    const seen = (port: number) =>
      peerCertificate({ name: 'host9', host: '127.0.0.1', port, ca: Buffer.alloc(0) }, AbortSignal.timeout(5000));
    afterAll(() => servers.forEach((server) => server.close()));

    test('an expired one of an unknown authority is seen all the same', async () => {
      const { validFrom, validTo } = await seen(await serve(-20, -10));
      expect(expiry(topic, validFrom, validTo, new Date(), 'Renew it.')).toMatchObject({ result: 'failed' });
    });

    test('one of another authority is told by OpenSSL’s word', async () => {
      expect((await seen(await serve(-1, 100))).distrust).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
    });

    test('nobody there: why, as for VDSM', async () => {
      const port = await serve(-1, 100);
      servers.forEach((server) => server.close());
      await expect(seen(port)).rejects.toMatchObject({ facts: { type: 'vdsm/connection-refused' } });
    });
  });
});

test('a clock that is off, in either direction; one that does not tell', () => {
  expect(clockDifference(topic, 1000, 2000).result).toBe('ok');
  expect(clockDifference(topic, 0, 60_000)).toMatchObject({ result: 'warning', seen: '60 s behind the worker’s' });
  expect(clockDifference(topic, 60_000, 0).seen).toBe('60 s ahead of the worker’s');
  expect(clockDifference(topic, undefined, 0).seen).toContain('not known');
});

describe('secret files', () => {
  const write = (name: string, mode: number, text = 'secret\n') => {
    const file = join(dir, name);
    writeFileSync(file, text);
    chmodSync(file, mode);
    return file;
  };

  test.each([
    [0o600, 'ok'],
    [0o640, 'warning'],
    [0o604, 'failed'],
    [0o644, 'failed'],
  ])('mode %o: %s', async (mode, result) => {
    expect((await secretFile(topic, write(`mode-${mode}`, mode))).result).toBe(result);
  });

  test('empty, and not there', async () => {
    expect((await secretFile(topic, write('empty', 0o600, '\n'))).result).toBe('failed');
    expect((await secretFile(topic, join(dir, 'nowhere'))).result).toBe('failed');
  });

  test('the folder of secrets, each of its files, and no folder at all', async () => {
    chmodSync(dir, 0o750);
    expect((await secretsFolder(dir)).map(({ check, result }) => `${check}: ${result}`)).toEqual(
      expect.arrayContaining(['folder of secrets: failed', 'secret mode-420: failed', 'secret mode-384: ok']),
    );
    expect((await secretsFolder(undefined)).map(({ result }) => result)).toEqual(['ok']);
    expect((await secretsFolder(join(dir, 'nowhere'))).map(({ result }) => result)).toEqual(['failed']);
  });
});
