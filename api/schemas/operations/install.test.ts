import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { install } from './install.ts';

const schema = z.strictObject(install);

const GOOD = {
  fqdn: 'engine.example.test',
  adminPasswordSecret: 'engine-admin',
  appliancePasswordSecret: 'appliance-root',
  host: { name: 'host1', address: 'host1.example.test', bridgeInterface: 'eth0' },
  storage: { type: 'nfs', address: 'nas.example.test', path: '/exports/he' },
  vm: { mac: '00:16:3E:12:34:56' },
  appliance: { source: 's3://images/engine.raw', sha256: 'a'.repeat(64) },
};

function problems(change: object): string[] {
  const parsed = schema.safeParse({ operation: 'install', answers: { ...GOOD, ...change } });
  return parsed.success ? [] : parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
}

test('few answers suffice; the rest is as deployments have it', () => {
  expect(schema.parse({ operation: 'install', answers: GOOD }).answers).toMatchObject({
    storage: { domainName: 'hosted_storage' },
    vm: { name: 'HostedEngine', memoryMiB: 16_384, vcpus: 4, diskGiB: 61, mac: '00:16:3e:12:34:56' },
    dataCenter: 'Default',
    networkTest: { kind: 'dns' },
  });
});

const staticIp = (change: object) => ({
  vm: {
    mac: GOOD.vm.mac,
    staticIp: { address: '192.0.2.20', prefix: 24, gateway: '192.0.2.1', dns: ['192.0.2.2'], ...change },
  },
});
const master = (change: object) => ({
  masterDomain: { type: 'nfs', address: 'nas.example.test', path: '/exports/data', name: 'data', ...change },
});

describe('each mistake is told with what is meant', () => {
  test.each<[string, object, string]>([
    ['a short name', { fqdn: 'engine' }, 'answers.fqdn: the engine’s full name, e.g. engine.example.com'],
    [
      'localhost',
      { fqdn: 'localhost.localdomain' },
      'answers.fqdn: not localhost: the hosts must find the engine under it',
    ],
    ['a password', { adminPasswordSecret: 'p@ss word' }, 'answers.adminPasswordSecret: the name of a secret'],
    ['a team device', { host: { ...GOOD.host, bridgeInterface: 'team0' } }, 'no team device'],
    ['block storage', { storage: { ...GOOD.storage, type: 'iscsi' } }, 'answers.storage.type: nfs or glusterfs'],
    ['a relative path', { storage: { ...GOOD.storage, path: 'exports/he' } }, 'answers.storage.path: an absolute path'],
    [
      'little memory',
      { vm: { ...GOOD.vm, memoryMiB: 4095 } },
      'answers.vm.memoryMiB: the engine needs at least 4096 MiB',
    ],
    ['a small disk', { vm: { ...GOOD.vm, diskGiB: 49 } }, 'answers.vm.diskGiB: the engine needs at least 50 GiB'],
    ['a multicast MAC', { vm: { mac: '01:16:3e:12:34:56' } }, 'answers.vm.mac: a unicast MAC address'],
    ['a prefix out of range', staticIp({ prefix: 33 }), 'answers.vm.staticIp.prefix: at most 32 for IPv4'],
    ['a gateway elsewhere', staticIp({ gateway: '198.51.100.1' }), 'outside the network'],
    ['four name servers', staticIp({ dns: ['1.1.1.1', '2.2.2.2', '3.3.3.3', '4.4.4.4'] }), 'answers.vm.staticIp.dns'],
    ['tcp without a port', { networkTest: { kind: 'tcp', address: '192.0.2.1' } }, 'answers.networkTest.port'],
    ['no checksum', { appliance: { ...GOOD.appliance, sha256: 'abc' } }, 'answers.appliance.sha256: SHA-256 in 64'],
    ['a web address', { appliance: { ...GOOD.appliance, source: 'https://x/y' } }, 'answers.appliance.source: s3://'],
    [
      'one export for both domains',
      master({ path: GOOD.storage.path }),
      'answers.masterDomain.path: another export than the hosted engine’s own',
    ],
    [
      'one name for both domains',
      master({ name: 'hosted_storage' }),
      'answers.masterDomain.name: another name than the hosted engine’s domain has',
    ],
    [
      'a password instead of its name, for the host',
      { host: { ...GOOD.host, access: { kind: 'password', passwordSecret: 'se cret' } } },
      'answers.host.access.passwordSecret: the name of a secret',
    ],
  ])('%s', (_, change, problem) => {
    expect(problems(change).join('\n')).toContain(problem);
  });

  test('what is right is taken', () => {
    expect(problems({ ...master({}), ...staticIp({}) })).toEqual([]);
    expect(problems({ host: { ...GOOD.host, access: { kind: 'password', passwordSecret: 'root' } } })).toEqual([]);
  });
});
