import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parseScenario, runScenario } from './scenario.ts';

const folder = fileURLToPath(new URL('./scenarios/', import.meta.url));
const files = readdirSync(folder).filter((name) => name.endsWith('.txt'));

describe('scripted scenarios', () => {
  it('are at least ninety', () => {
    expect(files.length).toBeGreaterThanOrEqual(90);
  });

  it.each(files)('%s', (file) => {
    expect(runScenario(parseScenario(readFileSync(folder + file, 'utf8')))).toEqual([]);
  });

  it('cannot pass without saying something', () => {
    expect(() => parseScenario('why x\nhosts ours\nfoo bar\nend 10')).toThrow('foo bar');
    expect(
      runScenario(parseScenario('why x\nhosts ours\nat 5 vm kil l\nat 6 runs on 2\n1..2 ordr\nend 10')),
    ).toHaveLength(2);
  });
});
