import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { InstallAnswers } from '../../workflows/model/requests.ts';
import { labEngine } from '../faults/end-state.ts';
import { labPaths } from '../lab/fixture.ts';
import type { Lab } from '../lab/lab.ts';
import {
  ENGINE_ADMIN_SECRET,
  HOST_ROOT_SECRET,
  hostsRunningTheVm,
  playRequest,
  type Facts,
  type Play,
} from './play.ts';

const GIB = 2 ** 30;

/** The answers of a lab's install; `change` for what a test wants otherwise. */
export function installAnswers(lab: Lab, change: Partial<InstallAnswers> = {}): InstallAnswers {
  const { fixture } = lab;
  const [host] = fixture.hosts;
  const { appliance } = labPaths(fixture.dir);
  return {
    fqdn: fixture.engine.fqdn,
    adminPasswordSecret: ENGINE_ADMIN_SECRET,
    appliancePasswordSecret: HOST_ROOT_SECRET,
    host: {
      name: host?.name ?? '',
      address: host?.address ?? '',
      vdsmPort: host?.vdsmPort ?? 0,
      bridgeInterface: 'eth0',
      access: { kind: 'password', passwordSecret: HOST_ROOT_SECRET },
    },
    storage: {
      type: 'nfs',
      address: fixture.heDomain.server,
      path: fixture.heDomain.path,
      domainName: 'hosted_storage',
    },
    vm: { name: 'HostedEngine', memoryMiB: 16_384, vcpus: 4, diskGiB: 61, mac: '00:16:3e:12:34:56' },
    dataCenter: 'Default',
    networkTest: { kind: 'dns' },
    appliance: {
      source: appliance,
      sha256: createHash('sha256').update(readFileSync(appliance)).digest('hex'),
    },
    masterDomain: {
      type: 'nfs',
      address: fixture.masterDomain.server,
      path: fixture.masterDomain.path,
      name: fixture.masterDomain.name,
    },
    ...change,
  };
}

/** Domains and volumes, told by what they are: their ids differ from lab to lab. */
function storageFacts(lab: Lab): Facts {
  const domains = lab.storage.domains();
  const own = domains.find(({ metadata }) => metadata.name === 'hosted_storage');
  const volumes = own === undefined ? [] : lab.storage.volumes(own.id);
  const disk = volumes.find(({ metadata }) => metadata?.disktype === 'HEVD');
  return {
    'storage domains': domains
      .map(({ metadata }) => `${metadata.name} (${metadata.role}, ${metadata.pools.length} pools)`)
      .toSorted()
      .join(', '),
    'volumes of hosted_storage': volumes
      .map(({ metadata }) => metadata?.disktype ?? '?')
      .toSorted()
      .join(' '),
    "GiB of the engine VM's disk": (disk?.metadata?.capacity ?? 0) / GIB,
    'OVF_STORE disks of data': domains
      .filter(({ metadata }) => metadata.name === 'data')
      .flatMap(({ id }) => lab.storage.volumes(id)).length,
  };
}

async function engineFacts(lab: Lab): Promise<Facts> {
  if (!(await lab.engineAnswers())) return { engine: 'silent' };
  const engine = labEngine(lab);
  try {
    const vms = await engine.vms();
    const hosts = await engine.hosts({ allContent: true });
    const domains = await engine.storageDomains();
    return {
      engine: 'healthy',
      'VMs in the engine': vms
        .map((vm) => `${vm.name} ${vm.status} ${vm.origin} ${vm.deleteProtected ? 'protected' : 'unprotected'}`)
        .join(', '),
      'hosts in the engine': hosts
        .map((one) => `${one.name} ${one.status} ${one.hostedEngine?.score ?? 'no score'}`)
        .join(', '),
      'domains in the engine': domains
        .map((one) => `${one.name}${one.master ? ' (master)' : ''}`)
        .toSorted()
        .join(', '),
      'data centers in the engine': (await engine.dataCenters()).map((one) => `${one.name} ${one.status}`).join(', '),
    };
  } finally {
    await engine.close();
  }
}

async function outside(lab: Lab): Promise<Facts> {
  const [first] = lab.world.hosts.values();
  const conf = `${labPaths(lab.fixture.dir).hostDir('host1')}/hosted-engine.conf`;
  return {
    ...storageFacts(lab),
    ...(await engineFacts(lab)),
    'hosts that run the engine VM': hostsRunningTheVm(lab).length,
    'VMs on host1': first?.vms.size ?? 0,
    'hosted engine on host1': existsSync(conf),
    'rows in the HA metadata': existsSync(lab.storage.metadataPath)
      ? [1, 2, 3].flatMap((id) => lab.storage.hostBlock(id)?.hostname ?? []).join(', ')
      : '',
  };
}

/** From hosts without a hosted engine, two empty exports and a disk image to an engine that knows itself. */
export const INSTALL: Play = {
  name: 'install',
  title: 'A hosted engine is installed on empty storage',
  lab: { bare: true },
  request: (lab) => ({ ...playRequest(lab), operation: 'install', answers: installAnswers(lab) }),
  outside,
  expected: {
    'storage domains': 'data (Master, 1 pools), hosted_storage (Regular, 1 pools)',
    'volumes of hosted_storage': 'HECI HEMD HESD HEVD OVFS OVFS',
    "GiB of the engine VM's disk": 61,
    'OVF_STORE disks of data': 2,
    engine: 'healthy',
    'VMs in the engine': 'HostedEngine up managed_hosted_engine protected',
    'hosts in the engine': 'host1 up 3400',
    'domains in the engine': 'data (master), hosted_storage',
    'data centers in the engine': 'Default up',
    'hosts that run the engine VM': 1,
    'VMs on host1': 1,
    'hosted engine on host1': true,
    'rows in the HA metadata': 'host1',
  },
  lastAbortable: 9,
};
