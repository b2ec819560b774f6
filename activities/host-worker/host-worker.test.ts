import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HostBlock } from '../storage/whiteboard.ts';
import { freeMiB } from './machine.ts';
import { parseUnits, servicesOf, servicesText, weServe } from './systemd.ts';
import { lackOf } from './verify.ts';

const show = (id: string, active: string, file: string, load = 'loaded') =>
  `Id=${id}.service\nLoadState=${load}\nActiveState=${active}\nUnitFileState=${file}\n`;
const found = (...blocks: string[]) => servicesOf(parseUnits(blocks.join('\n')));
const OFF = [show('ovirt-ha-agent', 'inactive', 'disabled'), show('ovirt-ha-broker', 'failed', 'disabled')];

describe('systemd’s words', () => {
  test('our worker serves the host only when it is enabled and runs, and the others neither', () => {
    expect(weServe(found(show('bellwether-host', 'activating', 'enabled'), ...OFF))).toBe(true);
    expect(weServe(found(show('bellwether-host', 'active', 'disabled'), ...OFF))).toBe(false);
    expect(weServe(found(show('bellwether-host', 'failed', 'enabled'), ...OFF))).toBe(false);
    const broker = show('ovirt-ha-broker', 'inactive', 'enabled');
    expect(weServe(found(show('bellwether-host', 'active', 'enabled'), broker))).toBe(false);
  });

  test('what is not there is said to be not there', () => {
    const text = servicesText(found(show('bellwether-host', 'inactive', '', 'not-found'), ...OFF));
    expect(text).toBe('bellwether-host not there; ovirt-ha-agent inactive, disabled; ovirt-ha-broker failed, disabled');
  });

  test('any text is read', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('I', 'd', '=', '\n', '\r', ' ', 'x') }), (text) => {
        for (const id of parseUnits(text).keys()) expect(id).not.toBe('');
      }),
    );
  });
});

test('df: MiB of each mount, and nobody knows what where it is no df', () => {
  const df =
    'Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/a 1000 1 40960 3% /\n/dev/b 9 9 1023 99% /var\n';
  expect(freeMiB(df)).toEqual([40, 0]);
  expect(freeMiB('df: no\nnonsense')).toEqual([Number.NaN]);
});

describe('a slot is proof', () => {
  const extra =
    'state=EngineDown\nbellwether=1\ninterval-ms=1000\nnetwork=1\nnetwork-age-ms=0\nsanlock-io=10\nsanlock-watchdog=60\ncannot-run=';
  const block: HostBlock = {
    hostId: 4,
    hostTs: 100,
    score: 2400,
    engineStatus: { vm: 'down', health: 'bad', detail: 'unknown' },
    hostname: 'host4',
    localMaintenance: false,
    stopped: false,
    extra,
  };
  test('when our worker wrote it twice, with a score above 0', () => expect(lackOf(block, 99)).toBeUndefined());
  test.each([
    ['no row', undefined, 99, 'no row'],
    ['the reference’s', { ...block, extra: 'state=EngineDown' }, 99, 'the reference’s agent'],
    ['seen once', block, undefined, 'not yet seen to change'],
    ['left by a worker that is gone', block, 100, 'not yet seen to change'],
    ['stopped', { ...block, stopped: true }, 99, 'stopped'],
    ['score 0', { ...block, score: 0, extra: `${extra}no memory` }, 99, 'a score of 0 (no memory)'],
  ])('not when it is %s', (_, seen, before, why) => expect(lackOf(seen, before)).toContain(why));
});
