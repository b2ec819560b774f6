import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from './main.ts';

const CONF = [
  'vmId=7d1b6c0a-8e5f-4f3d-9a2c-0b1c2d3e4f50',
  'memSize=16384',
  'smp=4',
  'vmName=HostedEngine',
  'display=vnc',
  'devices={index:0,iface:virtio,format:raw,bootOrder:1,volumeID:4b5fa0cf-2c6f-4c4b-8d46-5d4b3f0a2c21,imageID:e0a8c7f4-59c2-4c2f-8b3b-6d3c1e0f4a22,domainID:1f0d6a2b-3c4d-4e5f-8a6b-7c8d9e0f1a2b,deviceId:e0a8c7f4-59c2-4c2f-8b3b-6d3c1e0f4a22,poolID:00000000-0000-0000-0000-000000000000,device:disk,type:disk}',
  '',
].join('\n');
const DC = '5a8a4e3b-1d6c-4c7a-9f3a-2b6e8c0d1f23';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'bellwether-convert-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(dir, name);
  writeFileSync(path, text);
  return path;
}

async function run(...argv: string[]) {
  let out = '';
  let err = '';
  const io = { stdout: (text: string) => (out += text), stderr: (text: string) => (err += text), env: {} };
  const code = await main(['convert', ...argv], io);
  return { code, out, err };
}

const FACTS = ['--data-center-id', DC, '--cluster', 'Second', '--compatibility', '4.6'];

describe('bellwether convert', () => {
  it('makes an OVF of a vm.conf, with the facts that were given and no warning about them', async () => {
    const { code, out, err } = await run(file('vm.conf', CONF), ...FACTS);
    expect(code).toBe(0);
    expect(out).toMatch(/^<\?xml/);
    expect(out).toContain('<Name>HostedEngine</Name>');
    expect(out).toContain(DC);
    expect(out).toContain('Second');
    expect(err).not.toContain('not given');
  });

  it('warns of each placeholder it had to take', async () => {
    const { code, err } = await run(file('vm.conf', CONF));
    expect(code).toBe(0);
    for (const option of ['--data-center-id', '--cluster', '--compatibility']) {
      expect(err).toContain(`warning: ${option}: not given`);
    }
  });

  it('leads back: vm.conf to OVF to vm.conf', async () => {
    const ovf = join(dir, 'engine.ovf');
    expect(await run(file('vm.conf', CONF), ...FACTS, '--out', ovf)).toMatchObject({ code: 0, out: '' });
    const back = await run(ovf, '--to', 'vm.conf');
    expect(back.code).toBe(0);
    for (const line of CONF.trim().split('\n').slice(0, 5)) expect(back.out.split('\n')).toContain(line);
  });

  it('names line, key and remedy of every problem, on both sides', async () => {
    const broken = await run(file('vm.conf', 'vmId=not-a-uuid\nmemSize=lots\n'));
    expect(broken).toMatchObject({ code: 1, out: '' });
    expect(broken.err).toMatch(/line 1, vmId: .*\n.*line 2, memSize: /);
    expect(broken.err).toContain('run:');
    const ovf = await run(file('bad.ovf', '<?xml version="1.0"?><nothing/>'));
    expect([ovf.code, ovf.out]).toEqual([1, '']);
  });

  it('with --json gives content and warnings, or the problems', async () => {
    const good = await run(file('vm.conf', CONF), '--json');
    expect(JSON.parse(good.out)).toMatchObject({ ok: true, to: 'ovf', content: expect.stringContaining('<?xml') });
    const out = join(dir, 'x.ovf');
    const kept = JSON.parse((await run(file('vm.conf', CONF), '--json', '--out', out)).out);
    expect(kept).toMatchObject({ ok: true, out });
    expect(kept).not.toHaveProperty('content');
    const bad = await run(file('bad.conf', 'vmId=1\n'), '--json');
    expect(bad.code).toBe(1);
    expect(JSON.parse(bad.out)).toMatchObject({
      ok: false,
      problems: expect.arrayContaining([expect.objectContaining({ key: 'vmId' })]),
    });
  });

  it('refuses to write over its input, and what makes no sense', async () => {
    const conf = file('vm.conf', CONF);
    expect((await run(conf, '--out', conf)).err).toContain('it is the input file');
    expect(readFileSync(conf, 'utf8')).toBe(CONF);
    expect((await run(conf, '--to', 'vm.conf')).code).toBe(2);
    expect((await run(conf, '--data-center-id', 'x')).code).toBe(2);
    expect((await run(conf, '--compatibility', 'x')).code).toBe(2);
    expect((await run(join(dir, 'missing'))).err).toContain('ENOENT');
    expect((await run(conf, '--out', join(dir, 'no', 'such', 'folder'))).code).toBe(1);
  });
});
