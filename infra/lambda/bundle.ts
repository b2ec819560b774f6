/** The front door as one file for AWS Lambda's Node: `npm run bundle:lambda`. */
import { copyFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { englishOnly } from '../bundling.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Of packages that come as CommonJS. */
const REQUIRE =
  "import { createRequire as bellwetherRequire } from 'node:module'; const require = bellwetherRequire(import.meta.url);";

export interface LambdaBundle {
  readonly file: string;
  readonly bytes: number;
  readonly inputs: readonly string[];
}

/** Writes `index.mjs` into `dir`. @throws what esbuild says */
export async function bundleLambda(dir: string): Promise<LambdaBundle> {
  const file = join(dir, 'index.mjs');
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ['infra/lambda/entry.ts'],
    outfile: file,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    minify: true,
    // Temporal names its errors after their classes.
    keepNames: true,
    plugins: [englishOnly],
    legalComments: 'none',
    metafile: true,
    logLevel: 'silent',
    banner: { js: REQUIRE },
  });
  // The status page reads its own files from beside its code.
  for (const name of ['style.css', 'page.js', 'icon.svg']) copyFileSync(join(ROOT, 'api/page', name), join(dir, name));
  return { file, bytes: statSync(file).size, inputs: Object.keys(metafile.inputs) };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { file, bytes } = await bundleLambda(join(ROOT, 'dist', 'lambda'));
  process.stdout.write(
    `${file}: ${Math.round(bytes / 1000)} kB. Zip the folder, with webhooks.json in it, for ${dirname(fileURLToPath(import.meta.url))}/template.yaml\n`,
  );
}
