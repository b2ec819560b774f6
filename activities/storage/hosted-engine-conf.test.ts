import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  confValue,
  formatHostedEngineConf,
  parseHostedEngineConf,
  readHostedEngineConf,
  withConfValue,
} from './hosted-engine-conf.ts';

const TEXT = `# written by deployment
fqdn=engine.example.test
storage = nas.example.test:/exports/he

mnt_options=nosuid,nodev
conf=/var/run/ovirt-hosted-engine-ha/vm.conf
host_id=1
password=a=b#c
metadata_volume_UUID=None
gateway=
host_id=2
`;

test('keys in order, values whole, nothing where nothing is said', () => {
  const conf = readHostedEngineConf(TEXT);
  expect([...conf]).toEqual([
    ['fqdn', 'engine.example.test'],
    ['storage', 'nas.example.test:/exports/he'],
    ['mnt_options', 'nosuid,nodev'],
    ['conf', '/var/run/ovirt-hosted-engine-ha/vm.conf'],
    ['host_id', '2'],
    ['password', 'a=b#c'],
  ]);
});

test('an edit changes one line and no more', () => {
  const conf = withConfValue(parseHostedEngineConf(TEXT), 'host_id', '3');
  expect(confValue(conf, 'host_id')).toBe('3');
  expect(formatHostedEngineConf(conf)).toBe(TEXT.replace('host_id=2', 'host_id=3').replace('storage = ', 'storage='));
});

test('a new key goes to the end', () => {
  const text = formatHostedEngineConf(withConfValue(parseHostedEngineConf('a=1\n'), 'b', '2'));
  expect(text).toBe('a=1\nb=2\n');
});

test('CRLF and a missing last newline are read alike', () => {
  expect(parseHostedEngineConf('a=1\r\n# x\r\nb=2')).toEqual(parseHostedEngineConf('a=1\n# x\nb=2\n'));
});

test('any text stays readable after writing', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('a', '=', '#', ' ', '\n', '\r', '.') }), (text) => {
      const conf = parseHostedEngineConf(text);
      expect(parseHostedEngineConf(formatHostedEngineConf(conf))).toEqual(conf);
    }),
  );
});
