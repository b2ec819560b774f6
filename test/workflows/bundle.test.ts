/** What runs inside the sandbox is small and has nothing in it that could leave it. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, inject, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Without the source map that comes with it. It is 0.88 MB now; zod alone would add 0.6 MB. */
const CODE_MAX_BYTES = 900_000;
/** With it; a bundle of nothing is 1.65 MB, twelve operations, windows and the cluster's entity add 0.8 MB. */
const BUNDLE_MAX_BYTES = 2_500_000;

/** The workflows, and the SDK with what it needs itself (`ms`, `long`, `nexus-rpc`, two empty places for converters). */
const ALLOWED =
  /^(workflows\/|node_modules\/(@temporalio\/(common|workflow)|ms|long|nexus-rpc)\/|webpack\/|ignored\|.*\|__temporal_custom_(failure|payload)_converter$)/;
const MARK = '//# sourceMappingURL=data:application/json;charset=utf-8;base64,';

function parts(): { code: string; sources: string[] } {
  const text = readFileSync(inject('bundleFile'), 'utf8');
  const at = text.lastIndexOf(MARK);
  const map: unknown = JSON.parse(Buffer.from(text.slice(at + MARK.length), 'base64').toString('utf8'));
  if (typeof map !== 'object' || map === null || !('sources' in map) || !Array.isArray(map.sources)) {
    throw new Error('the bundle has no source map');
  }
  return { code: text.slice(0, at), sources: map.sources.map(String) };
}

test('the bundle holds the workflows and Temporal’s library: no zod, no Node, nothing of ours that does I/O', () => {
  const { code, sources } = parts();
  const modules = sources.map((source) => (source.startsWith(ROOT) ? source.slice(ROOT.length) : source));
  expect(modules.filter((module) => module.startsWith('workflows/upgrade/'))).not.toEqual([]);
  expect(modules.filter((module) => !ALLOWED.test(module))).toEqual([]);
  // Modules of Node would be asked for at run time.
  expect(code.match(/\b(?<!__webpack_)require\(["'][^"']*["']\)/g) ?? []).toEqual([]);
});

test('the bundle is small: each cached workflow has a copy of its state', () => {
  const { code } = parts();
  expect(code.length).toBeLessThan(CODE_MAX_BYTES);
  expect(readFileSync(inject('bundleFile')).length).toBeLessThan(BUNDLE_MAX_BYTES);
});
