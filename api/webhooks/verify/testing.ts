/** The signed deliveries in `fixtures/`, and the recipes of the README: one copyable source entry per scheme. */
import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import type { WebhookSource } from '../../ports.ts';
import { sourcesFile } from '../source.ts';
import { SCHEME_NAMES } from './scheme.ts';

/** Signed by Python's hmac and by openssl, not by the code under test. */
const fixture = z.strictObject({
  about: z.string(),
  scheme: z.enum(SCHEME_NAMES),
  /** Of scheme hmac where it is not the README's. */
  hmac: z.unknown().optional(),
  secrets: z.array(z.string()),
  headers: z.record(z.string(), z.string()),
  body: z.string(),
  receivedAt: z.iso.datetime().transform((text) => new Date(text)),
  /** Where no bit may be changed: the body, and headers. */
  covered: z.array(z.string()),
  expect: z.strictObject({ id: z.string(), sentAt: z.iso.datetime().optional() }),
  /** What the README's mapping makes of it. */
  request: z.record(z.string(), z.unknown()).optional(),
});

export type Fixture = z.infer<typeof fixture> & { readonly name: string };

export function fixtures(): Fixture[] {
  const dir = new URL('fixtures/', import.meta.url);
  return readdirSync(dir).map((file) => ({
    name: file.replace('.json', ''),
    ...fixture.parse(JSON.parse(readFileSync(new URL(file, dir), 'utf8'))),
  }));
}

const README = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

/** All JSON blocks of the README, read as the file of sources would be. */
export function recipes(): readonly WebhookSource[] {
  const blocks = [...README.matchAll(/^```json\n(.*?)^```$/gms)].map(([, text = '']): unknown => JSON.parse(text));
  return sourcesFile.parse(blocks);
}

/** The source that this fixture's delivery belongs to. */
export function sourceOf(of: Fixture): WebhookSource {
  // RT's is of this scheme too, and of another body than the fixtures'.
  const recipe = recipes().find((one) => one.scheme === of.scheme && one.name !== 'rt');
  const base = recipe ?? { name: of.scheme, scheme: of.scheme, secretFiles: ['/secrets/fixture'] };
  const [source = base] = of.hmac === undefined ? [base] : sourcesFile.parse([{ ...base, hmac: of.hmac }]);
  return { ...source, secretFiles: ['/secrets/fixture'] };
}
