import { describe, expect, test } from 'vitest';
import type { InstallAnswers } from '../../workflows/model/requests.ts';
import { cpuModelOf, machineOf } from './guest-hardware.ts';
import { findingsOf, type Seen } from './preflight-findings.ts';

const ANSWERS: InstallAnswers = {
  fqdn: 'engine.example.test',
  adminPasswordSecret: 'admin',
  appliancePasswordSecret: 'root',
  host: { name: 'host1', address: 'host1.example.test', bridgeInterface: 'eth0' },
  storage: { type: 'nfs', address: 'nas.example.test', path: '/he', domainName: 'hosted_storage' },
  vm: { name: 'HostedEngine', memoryMiB: 16_384, vcpus: 4, diskGiB: 61, mac: '00:16:3e:12:34:56' },
  dataCenter: 'Default',
  networkTest: { kind: 'dns' },
  appliance: { source: '/images/appliance.raw', sha256: 'a'.repeat(64) },
};

const SEEN: Seen = {
  host: {
    cpuThreads: 16,
    memFreeMiB: 48_000,
    virtualisation: true,
    cpuFlags: ['vmx', 'model_Nehalem', 'model_Skylake-Server'],
    machines: ['pc-i440fx-rhel7.6.0', 'pc-q35-rhel8.6.0'],
    bridgePorts: ['eth0'],
    interfaces: ['eth0', 'bond0', 'bond0.100'],
    bondModes: { bond0: '4' },
    addresses: ['192.0.2.11'],
    gateway: '192.0.2.1',
    deployed: false,
    pools: [],
    vms: [],
    skewMs: 800,
  },
  engineAddresses: ['192.0.2.20'],
  configuredEngineHost: 'engine.example.test',
  answering: undefined,
  unreadableSecrets: [],
  storage: [{ at: 'nas.example.test:/he', domains: [] }],
  networkTestFault: undefined,
  appliance: { sha256: 'a'.repeat(64), bytes: 2 ** 33 },
};

type HostSeen = Partial<Seen['host']>;
const withHost = (host: HostSeen): Seen => ({ ...SEEN, host: { ...SEEN.host, ...host } });
const words = (seen: Seen, answers: InstallAnswers = ANSWERS) => findingsOf(answers, seen).map(({ what }) => what);

test('nothing speaks against what is as it should be', () => {
  expect(findingsOf(ANSWERS, SEEN)).toEqual([]);
});

describe('of the host', () => {
  test.each<[string, HostSeen, RegExp]>([
    ['no KVM', { virtualisation: false }, /can’t run VMs/],
    ['too few CPUs', { cpuThreads: 2 }, /4 virtual CPUs were asked for, host1 has 2/],
    ['the last MiB is missing', { memFreeMiB: 16_384 + 512 - 200 - 1 }, /host1 has 16383 MiB to give/],
    ['an old CPU', { cpuFlags: ['vmx'] }, /no CPU model/],
    ['an old qemu', { machines: ['pc-i440fx-rhel7.6.0'] }, /no machine type q35/],
    ['a hosted engine', { deployed: true }, /has a hosted engine already/],
    ['a pool', { pools: ['5a'] }, /belongs to the data center 5a/],
    ['VMs', { vms: ['7b'] }, /runs VMs already: 7b/],
    ['no such interface', { interfaces: ['eno1'] }, /no interface eth0/],
    ['no bridge', { bridgePorts: undefined }, /no bridge ovirtmgmt over eth0/],
    ['a bridge over another', { bridgePorts: ['eth1'] }, /no bridge ovirtmgmt over eth0/],
    ['a clock ahead', { skewMs: 61_000 }, /61 s ahead of the worker’s/],
    ['a clock behind', { skewMs: -90_000 }, /90 s behind the worker’s/],
    ['no clock', { skewMs: undefined }, /does not tell its time/],
    ['no gateway', { gateway: '' }, /no gateway/],
  ])('%s', (_, host, what) => {
    const found = findingsOf(ANSWERS, withHost(host));
    expect(found).toHaveLength(1);
    expect(found[0]?.what).toMatch(what);
    expect(found[0]?.remedy.length).toBeGreaterThan(10);
  });

  test('exactly enough is enough', () => {
    expect(words(withHost({ memFreeMiB: 16_384 + 512 - 200, cpuThreads: 4, skewMs: 60_000 }))).toEqual([]);
  });

  test('a bond that bridges can’t use, below a VLAN too', () => {
    const answers = { ...ANSWERS, host: { ...ANSWERS.host, bridgeInterface: 'bond0.100' } };
    const ports = { bridgePorts: ['bond0.100'] };
    expect(words(withHost(ports), answers)).toEqual([]);
    expect(words(withHost({ ...ports, bondModes: { bond0: '0' } }), answers)).toEqual([
      'bond0 is a bond of mode 0, which bridges can’t use',
    ]);
  });
});

describe('of names, storage and appliance', () => {
  test.each<[string, Partial<Seen>, string]>([
    ['no name', { engineAddresses: [] }, 'engine.example.test resolves to no address'],
    [
      'the host’s own address',
      { engineAddresses: ['192.0.2.11'] },
      'engine.example.test leads to 192.0.2.11, which is host1',
    ],
    [
      'another engine in the worker’s file',
      { configuredEngineHost: 'old.example.test' },
      'the worker is configured for an engine at old.example.test, not at engine.example.test',
    ],
    [
      'a domain on the export',
      { storage: [{ at: 'nas.example.test:/he', domains: ['data (3f)'] }] },
      'a storage domain lies on nas.example.test:/he already: data (3f)',
    ],
    [
      'another engine under the name',
      { answering: 'HTTP 200 DB Up!' },
      'somebody answers as engine.example.test already: HTTP 200 DB Up!',
    ],
    ['a network test', { networkTestFault: 'ECONNREFUSED' }, 'the network test dns fails: ECONNREFUSED'],
    [
      'an image larger than the disk',
      { appliance: { sha256: 'a'.repeat(64), bytes: 62 * 2 ** 30 } },
      'the appliance has 62 GiB, the disk is to have 61',
    ],
  ])('%s', (_, change, what) => {
    expect(words({ ...SEEN, ...change })).toEqual([what]);
  });

  test('another image; one whose checksum nobody recorded is found out when it is fetched', () => {
    expect(words({ ...SEEN, appliance: { sha256: 'b'.repeat(64), bytes: 9 } })[0]).toContain('not the one');
    expect(words({ ...SEEN, appliance: { bytes: 9 } })).toEqual([]);
  });

  test('a fixed address that the name does not have', () => {
    const staticIp = { address: '192.0.2.21', prefix: 24, gateway: '192.0.2.1', dns: ['192.0.2.2'] };
    const answers = { ...ANSWERS, vm: { ...ANSWERS.vm, staticIp } };
    expect(words(SEEN, answers)).toEqual(['engine.example.test resolves to 192.0.2.20, its VM is to have 192.0.2.21']);
  });
});

test('the newest model and machine that the host has', () => {
  expect(cpuModelOf(SEEN.host.cpuFlags)).toBe('Skylake-Server');
  expect(machineOf(SEEN.host.machines)).toBe('pc-q35-rhel8.6.0');
});
