import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CounterpartError } from '../../../activities/errors.ts';
import { readLocalMaintenance, writeLocalMaintenance } from './ha-conf.ts';
import { parseHostedEngine } from './hosted-engine.ts';
import { parseWorkerConf, readWorkerConf, timingFor } from './worker-conf.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'bellwether-conf-'));
});
afterAll(() => rmSync(dir, { recursive: true }));

const ID = (digit: string) => `${digit.repeat(8)}-1111-4222-8333-${digit.repeat(12)}`;

const HE = `# deployed
fqdn=engine.example.test
vm_disk_id=${ID('1')}
vm_disk_vol_id=${ID('2')}
vmid=${ID('A')}
storage=nfs.example.test:/exports/he
nfs_version=v4_1
mnt_options=soft
conf=/var/run/ovirt-hosted-engine-ha/vm.conf
host_id=3
domainType=nfs
spUUID=00000000-0000-0000-0000-000000000000
sdUUID=${ID('3')}
connectionUUID=${ID('4')}
gateway=192.0.2.1
bridge=ovirtmgmt
metadata_volume_UUID=${ID('5')}
metadata_image_UUID=${ID('6')}
lockspace_volume_UUID=${ID('7')}
lockspace_image_UUID=${ID('8')}
conf_volume_UUID=${ID('9')}
conf_image_UUID=${ID('0')}
iqn=
portal=
user=
password=
port=
`;

function whyOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof CounterpartError) return error.facts.why;
    throw error;
  }
  throw new Error('it was accepted');
}

describe('the worker’s own file', () => {
  test('may be empty', () => {
    const conf = parseWorkerConf('# nothing\n\n', 'worker.conf');
    expect(conf.profile).toBe('default');
    expect(timingFor(conf)).toMatchObject({ badHealthMs: 300_000, hostDeadMs: 140_000, beatMs: 3000 });
  });

  test('sets the profile and what differs from it', () => {
    const conf = parseWorkerConf(
      'profile = fast\nsanlock-watchdog=60\nengine-bad-health=120\npriority=-5\nmigrate=no',
      'f',
    );
    expect(timingFor(conf)).toMatchObject({ badHealthMs: 120_000, hostDeadMs: 100_000 });
    expect(conf).toMatchObject({ priority: -5, migrate: false });
  });

  test('names every wrong line at once', () => {
    const why = whyOf(() =>
      parseWorkerConf('profil=fast\nprofile=quick\nvdsm-port=0\nwhat\npriority=1\npriority=2\nha-conf=here', 'f'),
    );
    for (const part of [
      'profil',
      'profile=quick',
      'vdsm-port=0',
      'line 4 is no',
      'priority stands twice',
      'ha-conf=here',
    ])
      expect(why).toContain(part);
  });

  test('a file that is not there is named', () => {
    expect(whyOf(() => readWorkerConf(join(dir, 'none.conf')))).toMatch(/ENOENT.*none\.conf/);
  });

  test('any text is a configuration or a refusal', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseWorkerConf(text, 'f');
        } catch (error) {
          expect(error).toBeInstanceOf(CounterpartError);
        }
      }),
    );
  });
});

describe('hosted-engine.conf', () => {
  test('is read as the worker needs it', () => {
    expect(parseHostedEngine(HE, 'f')).toMatchObject({
      hostId: 3,
      vmId: ID('a'),
      bridge: 'ovirtmgmt',
      network: { test: 'ping', gateway: '192.0.2.1', tcp: undefined },
      storage: {
        domainType: 'NFS',
        connectionParams: [
          { id: ID('4'), connection: 'nfs.example.test:/exports/he', protocol_version: '4.1', mnt_options: 'soft' },
        ],
      },
    });
  });

  test('iSCSI paths go together position by position', () => {
    const text = HE.replace('domainType=nfs', 'domainType=iscsi')
      .replace(/^storage=.*$/m, 'storage=192.0.2.10,192.0.2.11')
      .replace('iqn=', 'iqn=iqn.a,iqn.b')
      .replace('portal=', 'portal=1,2')
      .replace('port=\n', 'port=3260,3261\n')
      .replace('user=', 'user=me')
      .replace('password=', 'password=x');
    const { storage } = parseHostedEngine(text, 'f');
    expect(storage?.domainType).toBe('ISCSI');
    expect(storage?.connectionParams).toMatchObject([
      { connection: '192.0.2.10', iqn: 'iqn.a', tpgt: '1', port: '3260', user: 'me' },
      { connection: '192.0.2.11', iqn: 'iqn.b', tpgt: '2', port: '3261', user: 'me' },
    ]);
    expect(new Set(storage?.connectionParams.map(({ id }) => id)).size).toBe(2);
  });

  test('fibre channel needs no connection', () => {
    const text = HE.replace('domainType=nfs', 'domainType=fc').replace(/^storage=.*$/m, 'storage=');
    expect(parseHostedEngine(text, 'f').storage).toBeUndefined();
  });

  test('every wrong key is named', () => {
    const why = whyOf(() =>
      parseHostedEngine(HE.replace('host_id=3', 'host_id=0').replace(/^vmid=.*$/m, 'vmid=x'), 'f'),
    );
    expect(why).toContain('host_id');
    expect(why).toContain('vmid');
    expect(whyOf(() => parseHostedEngine(HE.replace(/^storage=.*$/m, 'storage='), 'f'))).toContain('storage');
  });
});

describe('ha.conf', () => {
  test('local maintenance is set and cleared, other lines stay', () => {
    const file = join(dir, 'ha.conf');
    expect(readLocalMaintenance(file)).toEqual({ on: false, manual: false });
    writeFileSync(file, '# mine\nlocal_maintenance=True\nother=1\n');
    expect(readLocalMaintenance(file)).toEqual({ on: true, manual: false });
    writeLocalMaintenance(file, true);
    expect(readLocalMaintenance(file)).toEqual({ on: true, manual: true });
    writeLocalMaintenance(file, false);
    expect(readFileSync(file, 'utf8')).toBe(
      '# mine\nlocal_maintenance=False\nother=1\nlocal_maintenance_manual=False\n',
    );
  });
});
