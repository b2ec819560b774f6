import { spawnSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asksFor, parseBrokerConf } from './broker-conf.ts';
import { parseIni } from './ini.ts';

const plainly = (text: string) =>
  Object.fromEntries([...parseIni(text)].map(([name, values]) => [name, Object.fromEntries(values)]));

const PYTHON = `
import configparser, json, sys
out = []
for text in json.load(sys.stdin):
    c = configparser.ConfigParser(interpolation=None, strict=False)
    c.read_string(text)
    out.append({s: dict(c.items(s)) for s in c.sections()})
print(json.dumps(out))
`;
const python = spawnSync('python3', ['-c', 'import configparser']).status === 0;

const word = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,6}$/);
const value = fc.stringMatching(/^[A-Za-z0-9|@.;#=: ]{0,12}$/).map((text) => text.trim());
const line = fc.oneof(
  fc.tuple(word, fc.constantFrom('=', ' = ', ': ', ':', '= '), value).map((parts) => parts.join('')),
  fc.constantFrom('', '# a comment', '; another', '  # indented comment'),
);
const follow = fc
  .tuple(word, value, fc.constantFrom('', '\n', '\n# between'), word)
  .map(([key, first, between, next]) => `${key} = ${first}${between}\n    ${next}`);
const section = fc
  .tuple(
    fc.oneof(word, fc.constantFrom('email', 'notify', 'DEFAULT')),
    fc.array(fc.oneof(line, follow), { maxLength: 5 }),
  )
  .map(([name, lines]) => [`[${name}]`, ...lines].join('\n'));
const ini = fc.array(section, { maxLength: 4 }).map((sections) => `${sections.join('\n')}\n`);

describe('the ini of broker.conf', () => {
  it('never throws, whatever the text', () => {
    const noise = fc.oneof(
      fc.uint8Array().map((bytes) => Buffer.from(bytes).toString()),
      fc.array(fc.constantFrom('[', ']', '=', ':', '\n', ' ', 'a', '#')).map((c) => c.join('')),
    );
    fc.assert(
      fc.property(noise, (text) => void parseBrokerConf(text)),
      { numRuns: 200 },
    );
  });

  it.skipIf(!python)('reads what Python’s configparser reads (needs python3)', () => {
    const texts = fc.sample(ini, { numRuns: 300, seed: 4 });
    const ran = spawnSync('python3', ['-c', PYTHON], { input: JSON.stringify(texts), encoding: 'utf8' });
    expect(ran.stderr).toBe('');
    expect(texts.map(plainly)).toEqual(JSON.parse(ran.stdout));
  });

  it('reads the packaged file', () => {
    const text =
      '[email]\nsmtp-server=mail.example.test\nsmtp-port=2525\nsmtp-timeout=3\nsource-email=he@example.test\n' +
      'destination-emails=a@example.test, b@example.test,\n\n[notify]\nstate_transition=maintenance|start|stop|up|down\n';
    expect(parseBrokerConf(text).email).toMatchObject({
      server: 'mail.example.test',
      port: 2525,
      timeoutMs: 3000,
      from: 'he@example.test',
      to: ['a@example.test', 'b@example.test'],
    });
    expect(asksFor(parseBrokerConf(text), 'state_transition', 'EngineDown-EngineStart')).toBe(true);
  });

  it('fills in what the section leaves out, and has no mail without the section', () => {
    expect(parseBrokerConf('[email]\nsmtp-port = many\n').email).toMatchObject({
      server: 'localhost',
      port: 25,
      timeoutMs: 10_000,
      to: ['root@localhost'],
    });
    expect(parseBrokerConf('[notify]\nstate_transition=up\n').email).toBeUndefined();
  });

  it.each([
    ['START', 'EngineDown-EngineStart', true],
    ['^engineup-', 'EngineUp-EngineDown', true],
    ['maintenance', 'EngineUp-EngineDown', false],
  ])('looks for the rule %s in %s without case', (rule, detail, asked) => {
    expect(asksFor(parseBrokerConf(`[notify]\nstate_transition=${rule}\n`), 'state_transition', detail)).toBe(asked);
    expect(asksFor(parseBrokerConf('[notify]\n'), 'state_transition', detail)).toBe(false);
  });
});
