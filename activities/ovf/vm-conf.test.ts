import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { braceText } from './brace.ts';
import { confOf, mutations, sample, vmConfTexts } from './testing.ts';
import { VM_CONF_BYTES_MAX, formatVmConf, parseVmConf } from './vm-conf.ts';

const BASE = 'vmId=0f6d2a51-93c4-4c0f-b7de-6a1f5e4d3c2b\nvmName=HostedEngine\nmemSize=4096\nsmp=2\n';
const DISK =
  'devices={type:disk,device:disk,imageID:d7f5a8e6-1c54-4c50-8a4a-7c6a2f0b3e12,volumeID:b7a9f4c2-0f43-4b41-9c0b-3f5f7f0a1d11}\n';

function problems(text: string) {
  const result = parseVmConf(text);
  return result.ok ? [] : result.problems;
}

function warnings(text: string) {
  const result = parseVmConf(text);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.warnings.map(({ code, key }) => `${code} ${key}`);
}

describe('samples', () => {
  test.each(['nfs-3.4.conf', 'iscsi-3.6.conf', 'nfs-4.3.conf'])('%s is read without a word', (name) => {
    expect(warnings(sample(name))).toEqual([]);
  });

  test('3.6: comments, blanks around =, two NICs, a custom key', () => {
    const conf = confOf(sample('iscsi-3.6.conf'));
    expect(conf).toMatchObject({ vmName: 'HostedEngine', memSizeMb: 16384, smp: 4, maxVCpus: 16, display: 'qxl' });
    expect(conf.custom).toEqual({ custom_note: 'do not shrink memory' });
    expect(conf.devices.map((device) => braceText(device, 'macAddr')).filter(Boolean)).toEqual([
      '00:16:3e:5b:1a:02',
      '00:16:3e:5b:1a:03',
    ]);
  });

  test('broken.conf: every fault with line, key and remedy', () => {
    const found = problems(sample('broken.conf'));
    expect(found.map(({ line, key }) => [line, key])).toEqual([
      [1, 'vmId'],
      [2, 'memSize'],
      [3, 'devices'],
    ]);
    for (const { what, remedy } of found) expect([what.length > 5, remedy.length > 10]).toEqual([true, true]);
  });
});

describe('faults', () => {
  test.each([
    ['no vmId', 'memSize=1\n', undefined, 'vmId'],
    ['no memory', BASE.replace('memSize=4096', ''), undefined, 'memSize'],
    ['memory of 0', BASE.replace('4096', '0'), 3, 'memSize'],
    ['memory with a unit', BASE.replace('4096', '4096M'), 3, 'memSize'],
    ['memory beyond 31 bits', BASE.replace('4096', '4294967296'), 3, 'memSize'],
    ['CPUs that are no number', BASE.replace('smp=2', 'smp=two'), 4, 'smp'],
    ['a line without =', `${BASE}what is this\n`, 5, 'what is this'],
    ['a line that starts with =', `${BASE}=x\n`, 5, ''],
    ['a control character', `${BASE}weird=a\u0007b\n`, 5, 'weird'],
    ['half a surrogate pair', `${BASE}weird=\ud800\n`, 5, 'weird'],
    ['bad base64', `${BASE}xmlBase64=<domain/>\n`, 5, 'xmlBase64'],
    ['a device without type', `${BASE}devices={device:x}\n`, 5, 'devices type'],
    ['an image that is no UUID', `${BASE}devices={type:disk,device:disk,imageID:abc}\n`, 5, 'devices imageID'],
    ['a boot order of 0', `${BASE}devices={type:disk,device:disk,bootOrder:0}\n`, 5, 'devices bootOrder'],
    ['a MAC cut short', `${BASE}devices={type:interface,macAddr:00:16:3e}\n`, 5, 'devices macAddr'],
    ['a disk twice', `${BASE}${DISK}${DISK}`, 6, 'devices volumeID'],
    ['a drive spec that is none', `${BASE}drive=abc\n`, 5, 'drive'],
  ])('%s', (_, text, line, key) => {
    expect(problems(text).map((problem) => [problem.line, problem.key])).toContainEqual([line, key]);
  });

  test('all of a file at once, in the order of lines', () => {
    const text = 'vmId=x\nnonsense\nmemSize=y\ndevices={\nsmp=z\ndevices={type:disk,device:disk,volumeID:q}\n';
    expect(problems(text).map(({ line }) => line)).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('a file that is too large, by bytes not characters', () => {
    const text = `${BASE}custom_a=${'ü'.repeat(VM_CONF_BYTES_MAX / 2)}\n`;
    expect(text.length).toBeLessThan(VM_CONF_BYTES_MAX);
    expect(problems(text)[0]?.what).toContain('larger than 64 KiB');
  });
});

describe('what is found in the field', () => {
  test('CRLF, CR, a byte order mark and comments', () => {
    const plain = confOf(BASE + DISK);
    expect(confOf(`\uFEFF${(BASE + DISK).replaceAll('\n', '\r\n')}`)).toEqual(plain);
    expect(confOf((BASE + DISK).replaceAll('\n', '\r'))).toEqual(plain);
    expect(confOf(`# x\n\n   # y=z\n${(BASE + DISK).replaceAll('\n', ' # remark\n')}`)).toEqual(plain);
  });

  test('the last of a repeated key counts, as for the agent', () => {
    const text = `${BASE}memSize=8192\n${DISK}`;
    expect(confOf(text).memSizeMb).toBe(8192);
    expect(warnings(text)).toEqual(['duplicate memSize']);
  });

  test('name and CPUs may be missing, and empty values count as missing', () => {
    const text = `vmId=0f6d2a51-93c4-4c0f-b7de-6a1f5e4d3c2b\nmemSize=1\ncpuType=\nmaxVCpus=\n${DISK}`;
    expect(confOf(text)).toMatchObject({ vmName: 'HostedEngine', smp: 1 });
    expect(Object.keys(confOf(text))).not.toContain('cpuType');
    expect(warnings(text)).toEqual(['defaulted maxVCpus', 'defaulted cpuType', 'defaulted vmName', 'defaulted smp']);
  });

  test('a # inside a word and blanks inside a value are told, since readers differ', () => {
    const text = `${BASE}cpuType=Sandy Bridge\nweird=a#b\n${DISK}`;
    expect(warnings(text)).toEqual(['ambiguous weird', 'ambiguous cpuType']);
    expect(confOf(text).other).toEqual({ weird: 'a' });
  });

  test('keys that nobody knows are kept, custom ones apart', () => {
    const conf = confOf(`${BASE}kvmEnable=true\ncustom_x=1\ndisplayNetwork=\n${DISK}`);
    expect(conf.other).toEqual({ kvmEnable: 'true', displayNetwork: '' });
    expect(conf.custom).toEqual({ custom_x: '1' });
  });

  test('no disk is told', () => {
    expect(warnings(BASE)).toEqual(['no-disk devices']);
  });
});

describe('old spellings', () => {
  const ids =
    'pool:00000000-0000-0000-0000-000000000000,domain:3f6f0ce2-7d51-4a3b-8c1c-2f9a1b0c7d03,image:d7f5a8e6-1c54-4c50-8a4a-7c6a2f0b3e12,volume:b7a9f4c2-0f43-4b41-9c0b-3f5f7f0a1d11';
  const newIds = {
    poolID: '00000000-0000-0000-0000-000000000000',
    domainID: '3f6f0ce2-7d51-4a3b-8c1c-2f9a1b0c7d03',
    imageID: 'd7f5a8e6-1c54-4c50-8a4a-7c6a2f0b3e12',
    volumeID: 'b7a9f4c2-0f43-4b41-9c0b-3f5f7f0a1d11',
  };

  test('disk ids without ID', () => {
    const text = `${BASE}devices={type:disk,device:disk,${ids}}\n`;
    expect(confOf(text).devices[0]).toEqual({ type: 'disk', device: 'disk', ...newIds });
    expect(warnings(text)).toEqual(['old-style devices']);
  });

  test('the volume key of another kind of device stays', () => {
    expect(confOf(`${BASE}${DISK}devices={type:sound,device:ac97,volume:11}\n`).devices[1]).toMatchObject({
      volume: '11',
    });
  });

  test('a drive= line', () => {
    const conf = confOf(`${BASE}drive=${ids},boot:true,format:raw,if:virtio\n`);
    expect(conf.devices).toEqual([
      { type: 'disk', device: 'disk', ...newIds, format: 'raw', iface: 'virtio', bootOrder: '1' },
    ]);
  });

  test('cdrom= and macAddr= become devices, several cards too', () => {
    const conf = confOf(
      `${BASE}${DISK}cdrom=/iso/x.iso\nnicModel=pv,e1000\nmacAddr=00:16:3e:00:00:01,00:16:3e:00:00:02\nbridge=a,b\n`,
    );
    expect(conf.other).toEqual({});
    expect(conf.devices.slice(1)).toMatchObject([
      { device: 'cdrom', path: '/iso/x.iso' },
      { nicModel: 'pv', macAddr: '00:16:3e:00:00:01', network: 'a' },
      { nicModel: 'e1000', macAddr: '00:16:3e:00:00:02', network: 'b' },
    ]);
  });

  test('nicModel= beside a proper NIC stays a key', () => {
    const nic = 'devices={type:interface,device:bridge,macAddr:00:16:3e:00:00:01}\n';
    expect(confOf(`${BASE}${DISK}${nic}nicModel=rtl8139,pv\n`).other).toEqual({ nicModel: 'rtl8139,pv' });
  });

  test('None is how the agent spells nothing', () => {
    const device = confOf(`${BASE}${DISK}devices={type:console,device:console,address:None,specParams:{a:None,b:c}}\n`)
      .devices[1];
    expect(device).toEqual({ type: 'console', device: 'console', specParams: { b: 'c' } });
  });
});

test('a formatted conf reads back the same', () => {
  fc.assert(
    fc.property(vmConfTexts, (text) => {
      const conf = confOf(text);
      expect(confOf(formatVmConf(conf))).toEqual(conf);
    }),
  );
});

test('arbitrary and damaged text gives a result, never an exception', () => {
  const damaged = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    mutations(sample('nfs-3.4.conf')),
    mutations(sample('iscsi-3.6.conf')),
  );
  fc.assert(
    fc.property(damaged, (text) => {
      const result = parseVmConf(text);
      expect(result.ok || result.problems.length > 0).toBe(true);
    }),
    { numRuns: 500 },
  );
});
