/** The host worker as one file under plain Node: what a host gets (`npm run bundle`). */
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { englishOnly } from '../bundling.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** None of these has any business on a host. */
const HEAVY = /node_modules\/(@temporalio|hono|@hono|@aws-sdk|@smithy|protobufjs)\//;

/** Only what is used of zod: its `z` brings all of it, the module's own namespace does not. */
const zodAsNamespace: Plugin = {
  name: 'zod-as-namespace',
  setup({ onLoad }) {
    onLoad({ filter: /\/(activities|workers)\/.*\.ts$/ }, ({ path }) => ({
      loader: 'ts',
      contents: readFileSync(path, 'utf8').replace(/^import \{ z \} from 'zod';$/m, "import * as z from 'zod';"),
    }));
  },
};

export interface Bundle {
  readonly file: string;
  readonly bytes: number;
  /** Source files in it, for the check of what it must not carry. */
  readonly inputs: readonly string[];
  /** Those of them that must not be there. */
  readonly heavy: readonly string[];
}

/** Writes `bellwether-host.mjs` into `dir`. @throws what esbuild says */
export async function bundleHostWorker(dir: string): Promise<Bundle> {
  const file = join(dir, 'bellwether-host.mjs');
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['workers/host/cli/entry.ts'],
    outfile: file,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    minifySyntax: true,
    minifyWhitespace: true,
    // Names stay, as identifiers do: a stack in a log is read by people. `keepNames` would say each of them once more,
    // in code that runs wherever a function is made.
    minifyIdentifiers: false,
    legalComments: 'none',
    metafile: true,
    plugins: [englishOnly, zodAsNamespace],
    logLevel: 'silent',
    banner: {
      js: "#!/usr/bin/env node\nimport { createRequire as $require } from 'node:module'; import { fileURLToPath as $path } from 'node:url'; import { dirname as $dir } from 'node:path'; const require = $require(import.meta.url), __filename = $path(import.meta.url), __dirname = $dir(__filename);",
    },
  });
  const inputs = Object.keys(metafile.inputs);
  return { file, bytes: statSync(file).size, inputs, heavy: inputs.filter((input) => HEAVY.test(input)) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { file, bytes, inputs, heavy } = await bundleHostWorker(process.argv[2] ?? join(ROOT, 'dist'));
  if (heavy.length > 0) throw new Error(`the bundle carries ${heavy.join(', ')}`);
  process.stdout.write(
    `${join(dirname(file), 'bellwether-host.mjs')}: ${Math.round(bytes / 1024)} KiB of ${inputs.length} files\n`,
  );
}
