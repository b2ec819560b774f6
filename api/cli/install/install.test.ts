import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { install } from '../../schemas/operations/install.ts';
import { main } from '../main.ts';
import { askInstall } from './dialogue.ts';
import type { Tree } from './questions.ts';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'bellwether-install-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const SHA = 'a'.repeat(64);
/** Up to the yes-no question of the fixed address. */
const FIRST = [
  'engine.example.test',
  'admin',
  'appliance',
  'host1',
  'host1.example.test',
  '',
  '',
  '',
  'nfs.example.test',
  '/exports/he',
];
const VM = ['', '', '', '', '', '00:16:3e:12:34:56'];
const LAST = ['', '', '/appliance.raw', SHA];

async function ask(lines: readonly string[], answers: Tree = {}) {
  let said = '';
  let kept = answers;
  const result = await askInstall({
    input: Readable.from(lines.map((line) => `${line}\n`)),
    say: (text) => (said += text),
    answers,
    keep: (tree) => (kept = tree),
  });
  return { result, said, kept };
}

describe('the guided installation', () => {
  it('takes presets on Enter, and ends with answers that the request schema takes', async () => {
    const { result } = await ask([...FIRST, ...VM, 'no', ...LAST, 'no']);
    expect(install.answers.parse(result)).toMatchObject({
      fqdn: 'engine.example.test',
      storage: { type: 'nfs', path: '/exports/he', domainName: 'hosted_storage' },
      vm: { memoryMiB: 16_384, vcpus: 4, diskGiB: 61 },
      networkTest: { kind: 'dns' },
    });
    expect(result).not.toHaveProperty('masterDomain');
  });

  it('checks each answer at once, explains, and goes back', async () => {
    const { said, result } = await ask(['localhost', '?', 'engine.example.test', '<', 'other.example.test']);
    expect(said).toContain('not taken: the engine’s full name');
    expect(said).toContain('Every host and browser must resolve it');
    expect(said).toContain('Full name of the engine [engine.example.test]: ');
    expect(said.trimEnd()).toMatch(/admin password:$/);
    expect(result).toBeUndefined();
  });

  it('asks for what an answer makes necessary, and checks answers against each other', async () => {
    const fixed = ['yes', '192.0.2.10', '', '198.51.100.1', '192.0.2.53', '192.0.2.1'];
    const master = ['yes', '', '', '/exports/he', 'data', '/exports/data'];
    const { result, said } = await ask([...FIRST, ...VM, ...fixed, ...LAST, ...master]);
    expect(said).toContain('not good: outside the network of the engine VM’s address');
    expect(said).toContain('not good: another export than the hosted engine’s own');
    expect(install.answers.parse(result)).toMatchObject({
      vm: { staticIp: { address: '192.0.2.10', prefix: 24, gateway: '192.0.2.1', dns: ['192.0.2.53'] } },
      masterDomain: { path: '/exports/data', address: 'nfs.example.test', type: 'nfs' },
    });
  });

  it('forgets what a changed mind makes needless', async () => {
    const { result } = await ask([...FIRST, ...VM, 'yes', '<', 'no', ...LAST, 'no']);
    expect(result).not.toHaveProperty('vm.staticIp');
  });

  it('goes on where it was broken off, wherever that was', async () => {
    const all = [...FIRST, ...VM, 'no', ...LAST, 'no'];
    const whole = (await ask(all)).result;
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: all.length - 1 }), async (cut) => {
        const { kept } = await ask(all.slice(0, cut));
        expect((await ask(all.slice(cut), kept)).result).toEqual(whole);
      }),
      { numRuns: 12 },
    );
  });

  describe('with a file that a person changed', () => {
    const STATIC = { address: '192.0.2.10', prefix: 24, gateway: '192.0.2.1', dns: ['192.0.2.53'] };
    const more = {
      host: { vdsmPort: 54_322, access: { kind: 'password', passwordSecret: 'host1-root' } },
      storage: { mountOptions: 'nfsvers=4.1' },
      vm: { staticIp: STATIC },
      masterDomain: { type: 'nfs', address: 'nfs.example.test', path: '/exports/data', name: 'data' },
    };
    const file = async (): Promise<Tree> => (await ask([...FIRST, ...VM, 'no', ...LAST, 'no'])).result ?? {};
    const changed = async () => {
      const { host, storage, vm, ...rest } = z.record(z.string(), z.looseObject({}).or(z.string())).parse(await file());
      const merged = (one: unknown, other: object) => Object.assign({}, one, other);
      return {
        ...rest,
        host: merged(host, more.host),
        storage: merged(storage, more.storage),
        vm: merged(vm, more.vm),
        masterDomain: more.masterDomain,
      };
    };

    it('keeps what it holds: Enter to each question changes nothing, asked for or not', async () => {
      const tree = await changed();
      const { result, said } = await ask(['', '', ''], tree);
      expect(result).toEqual(tree);
      expect(install.answers.parse(result)).toMatchObject(more);
      expect(said.match(/\[yes\]/g)).toHaveLength(3);
      const plain = await file();
      expect((await ask(['', '', ''], plain)).result).toEqual(plain);
    });

    it('forgets what is answered with no', async () => {
      const { result } = await ask(['no', 'no', 'no'], await changed());
      const { host, vm } = install.answers.parse(result);
      expect([host.access, vm.staticIp, host.vdsmPort]).toEqual([undefined, undefined, 54_322]);
      expect(result).not.toHaveProperty('masterDomain');
    });

    it('a public key that was written down stays', async () => {
      const tree = await changed();
      Object.assign(tree.host, { access: { kind: 'public-key' } });
      expect((await ask(['', '', ''], tree)).result).toEqual(tree);
    });

    it('says what it leaves out, and why', async () => {
      const tree = await changed();
      Object.assign(tree.host, { vdsmPort: 70_000, colour: 'red' });
      Object.assign(tree, { extra: { a: 1 } });
      const { result, said } = await ask(['', '', ''], tree);
      expect(said).toContain('Left out: extra: there is no such field.');
      expect(said).toContain('Left out: host.colour: there is no such field.');
      expect(said).toMatch(/Left out: host\.vdsmPort: .+/);
      expect(install.answers.parse(result)).toMatchObject({ host: { access: more.host.access } });
      expect(result).not.toHaveProperty('host.vdsmPort');
    });

    it('whatever it holds, it comes to an end', async () => {
      const field = fc.constantFrom('host', 'vm', 'storage', 'masterDomain', '?whole', '?staticIp', 'networkTest');
      const tree = fc.dictionary(field, fc.jsonValue({ maxDepth: 3 }));
      const mix = fc.tuple(tree, fc.boolean());
      const base = await changed();
      await fc.assert(
        fc.asyncProperty(mix, async ([changes, withFile]) => {
          const { result } = await ask(['', '', '', ''], { ...(withFile ? base : {}), ...changes });
          if (result !== undefined) expect(install.answers.safeParse(result).success).toBe(true);
        }),
        { numRuns: 60 },
      );
    });
  });

  it('takes no nonsense for complete', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ maxLength: 12 }), { maxLength: 60 }), async (lines) => {
        const { result } = await ask(lines.map((line) => line.replaceAll(/[\r\n\u2028\u2029]/g, '')));
        if (result !== undefined) expect(install.answers.safeParse(result).success).toBe(true);
      }),
      { numRuns: 30 },
    );
  });
});

describe('bellwether install', () => {
  async function run(lines: readonly string[]) {
    let err = '';
    const save = join(dir, 'answers.json');
    const code = await main(['install', '--cluster', 'Default', '--save', save], {
      stdout: () => undefined,
      stderr: (text) => (err += text),
      env: {},
      stdin: Readable.from(lines.map((line) => `${line}\n`)),
    });
    return { code, err, save };
  }

  it('keeps a draft when the input ends, finishes it later, starts nothing and says what starts it', async () => {
    const broken = await run(FIRST);
    expect(broken.code).toBe(2);
    expect(broken.err).toContain('Go on with the same command');
    const done = await run([...VM, 'no', ...LAST, 'no']);
    expect(done.err).toContain('Going on with the answers of before');
    expect(done.code).toBe(0);
    const { save } = done;
    expect(install.answers.safeParse(JSON.parse(readFileSync(save, 'utf8'))).success).toBe(true);
    expect(statSync(save).mode & 0o077).toBe(0);
    expect(done.err).toContain(`npx bellwether install --cluster Default --answers ${save} --watch`);
    // From here on the file is a person's, too.
    expect(existsSync(`${save}.draft`)).toBe(false);
    const answers = install.answers.parse(JSON.parse(readFileSync(save, 'utf8')));
    writeFileSync(save, JSON.stringify({ ...answers, host: { ...answers.host, vdsmPort: 54_322 } }));
    expect((await run(['', '', ''])).code).toBe(0);
    const later = install.answers.parse(JSON.parse(readFileSync(save, 'utf8')));
    expect(later).toEqual({ ...answers, host: { ...answers.host, vdsmPort: 54_322 } });
  });
});
