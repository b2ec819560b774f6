import { expect, test } from 'vitest';
import type { InstallPlan } from '../../workflows/model/install.ts';
import type { InstallAnswers } from '../../workflows/model/requests.ts';
import { readEngineXml } from '../ovf/engine-xml.ts';
import { ovfToVmConf, vmConfToOvf } from '../ovf/convert.ts';
import { parseVmConf } from '../ovf/vm-conf.ts';
import { buildConfigurationArchive } from '../storage/configuration-archive.ts';
import { readHostedEngineConf } from '../storage/hosted-engine-conf.ts';
import { engineVmParts, newConfiguration } from '../storage/install-configuration.ts';
import { engineVmXml } from '../vdsm/engine-vm-xml.ts';
import { firstBootPayload } from './cloud-init.ts';

const id = (digit: string) =>
  `${digit.repeat(8)}-${digit.repeat(4)}-5${digit.repeat(3)}-8${digit.repeat(3)}-${digit.repeat(12)}`;
const volume = (digit: string) => ({ image: id(digit), volume: id(digit).replace(/.$/, '0') });

const PLAN: InstallPlan = {
  domain: id('1'),
  pool: id('2'),
  connection: id('3'),
  vm: id('4'),
  disk: volume('5'),
  lockspace: volume('6'),
  metadata: volume('7'),
  configuration: volume('8'),
  ovfStores: [volume('9'), volume('a')],
  applianceBytes: 4096,
  cpuModel: 'Skylake-Server',
  machine: 'pc-q35-rhel8.6.0',
  gateway: '192.0.2.1',
};

const ANSWERS: InstallAnswers = {
  fqdn: 'engine.example.test',
  adminPasswordSecret: 'admin',
  appliancePasswordSecret: 'root',
  host: { name: 'host1', address: 'host1.example.test', bridgeInterface: 'eth0' },
  storage: { type: 'nfs', address: 'nas.example.test', path: '/he', domainName: 'hosted_storage' },
  vm: {
    name: 'HostedEngine',
    memoryMiB: 16_384,
    vcpus: 4,
    diskGiB: 61,
    mac: '00:16:3e:12:34:56',
    staticIp: { address: '192.0.2.20', prefix: 24, gateway: '192.0.2.1', dns: ['192.0.2.2'] },
  },
  dataCenter: 'Default',
  networkTest: { kind: 'tcp', address: '192.0.2.9', port: 443 },
  appliance: { source: '/images/appliance.raw', sha256: 'a'.repeat(64) },
};

const SECRETS = { adminPassword: 'admin<&">secret', rootPassword: 'root-secret' };
const ABOUT = { startedAt: '2026-11-21T20:00:00.000Z', engineUser: 'admin@internal' };
const payload = firstBootPayload(ANSWERS, PLAN, SECRETS, ABOUT);

interface UserData {
  readonly fqdn: string;
  readonly write_files: readonly { readonly path: string; readonly content: string; readonly permissions: string }[];
  readonly runcmd: readonly unknown[];
}

function userData(): UserData {
  const text = payload.files['user-data'] ?? '';
  expect(text.startsWith('#cloud-config\n')).toBe(true);
  return JSON.parse(text.slice(text.indexOf('\n'))) as UserData;
}

test('the guest learns its name, its passwords and its network, and runs engine-setup', () => {
  const data = userData();
  expect(payload.label).toBe('cidata');
  expect(data.fqdn).toBe('engine.example.test');
  const answers = data.write_files.find((file) => file.path === '/root/heanswers.conf');
  expect(answers?.permissions).toBe('0600');
  expect(answers?.content).toContain('OVESETUP_CONFIG/adminPassword=str:admin<&">secret\n');
  expect(answers?.content).toContain('OVESETUP_CONFIG/keycloakEnable=bool:False\n');
  expect(String(data.runcmd[0])).toContain('--config-append=/root/heanswers.conf');
  const network: unknown = JSON.parse(payload.files['network-config'] ?? '');
  expect(network).toMatchObject({
    ethernets: {
      management: { addresses: ['192.0.2.20/24'], gateway4: '192.0.2.1', match: { macaddress: '00:16:3e:12:34:56' } },
    },
  });
});

test('the host’s tasks are for that host alone, once, and for three days', () => {
  const file = userData().write_files.find((one) => one.path.endsWith('ovirt-host-deploy-post-tasks.yml'));
  const tasks = JSON.parse((file?.content ?? '').replace(/^---\n/, '')) as {
    when?: string[];
    'ansible.builtin.copy'?: { dest: string; content: string };
  }[];
  const [look, ...acts] = tasks;
  expect(look?.when).toBeUndefined();
  for (const task of acts) {
    expect(task.when).toEqual([
      'inventory_hostname == "host1.example.test"',
      'not bellwether_mark.stat.exists',
      `now(utc=true).timestamp() < ${Date.parse('2026-11-24T20:00:00Z') / 1000}`,
    ]);
  }
  const conf = readHostedEngineConf(
    acts.find((task) => task['ansible.builtin.copy'] !== undefined)?.['ansible.builtin.copy']?.content ?? '',
  );
  expect(conf.get('host_id')).toBe('1');
  expect(conf.get('sdUUID')).toBe(PLAN.domain);
  expect(conf.get('storage')).toBe('nas.example.test:/he');
  expect(conf.get('tcp_t_address')).toBe('192.0.2.9');
});

test('no password is in what lies on storage', async () => {
  const built = await buildConfigurationArchive(newConfiguration(ANSWERS, PLAN));
  expect(built.ok && built.bytes.length).toBe(20_480);
  const text = JSON.stringify(newConfiguration(ANSWERS, PLAN));
  expect(text).not.toContain('secret');
  expect(engineVmXml(engineVmParts(ANSWERS, PLAN))).not.toContain('payload');
});

test('HA agents take the domain XML from the OVF, and it is what VDSM was given', () => {
  const conf = parseVmConf(newConfiguration(ANSWERS, PLAN)['vm.conf']);
  if (!conf.ok) throw new Error(JSON.stringify(conf.problems));
  const { ovf } = vmConfToOvf(conf.conf, {
    dataCenterId: id('b'),
    clusterName: 'Default',
    clusterCompatibility: '4.7',
    engineVersion: '4.5.0.0',
    now: new Date(0),
    snapshotId: id('c'),
    disks: { [PLAN.disk.volume]: { sizeBytes: 61 * 2 ** 30, actualBytes: 4096 } },
  });
  const back = ovfToVmConf(ovf);
  if (!back.ok) throw new Error(JSON.stringify(back.problems));
  const xml = Buffer.from(back.conf.xmlBase64 ?? '', 'base64').toString('utf8');
  expect(xml).toBe(engineVmXml(engineVmParts(ANSWERS, PLAN)));
  expect(readEngineXml(xml)).toMatchObject({ usable: true, uuid: PLAN.vm });
});

test('the first start has the CD, with names escaped and contents encoded', () => {
  const xml = engineVmXml(engineVmParts(ANSWERS, PLAN), payload);
  expect(readEngineXml(xml)).toMatchObject({ usable: true });
  const encoded = /<ovirt-vm:file path="user-data">([^<]+)</.exec(xml)?.[1] ?? '';
  expect(Buffer.from(encoded, 'base64').toString('utf8')).toBe(payload.files['user-data']);
  expect(xml).not.toContain('root-secret');
});
