/** Who is told of what: the file that BELLWETHER_NOTIFY_FILE names. Addresses and names of secret files, no secrets. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { NEWS_KINDS, type News } from '../../workflows/model/notify.ts';

const address = z.string().regex(/^[^\s@<>]+@[^\s@<>]+$/, 'is no e-mail address');

const email = z
  .strictObject({
    to: z.array(address).min(1),
    from: address,
    server: z.string().min(1),
    port: z.number().int().min(1).max(65_535).optional(),
    /** `tls` from the first byte, `starttls` demanded, `none` in plain words. */
    security: z.enum(['tls', 'starttls', 'none']).default('starttls'),
    user: z.string().min(1).optional(),
    passwordFile: z.string().min(1).optional(),
    caFile: z.string().min(1).optional(),
  })
  .refine(({ user, passwordFile }) => (user === undefined) === (passwordFile === undefined), {
    message: 'user and passwordFile belong together',
  })
  .refine(({ user, security }) => user === undefined || security !== 'none', {
    message: 'a password is not sent without TLS',
  });

const webhook = z.strictObject({ url: z.url({ protocol: /^https?$/ }), secretFile: z.string().min(1) });

const target = z
  .strictObject({
    name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$/, 'letters, digits, dots and hyphens, at most 50'),
    on: z.array(z.enum(NEWS_KINDS)).min(1),
    cluster: z.string().min(1).optional(),
    email: email.optional(),
    webhook: webhook.optional(),
  })
  .refine((one) => (one.email === undefined) !== (one.webhook === undefined), {
    message: 'needs either email or webhook',
  });

const targets = z
  .array(target)
  .refine((all) => new Set(all.map(({ name }) => name)).size === all.length, { message: 'names must differ' });

export type MailTarget = z.output<typeof email>;
export type WebhookTarget = z.output<typeof webhook>;
export type NotifyTarget = z.output<typeof target>;

export type NotifyReading =
  | { readonly ok: true; readonly targets: readonly NotifyTarget[] }
  | { readonly ok: false; readonly problems: readonly string[] };

export function readTargets(text: string): NotifyReading {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return { ok: false, problems: [`it is not JSON: ${error instanceof Error ? error.message : String(error)}`] };
  }
  const parsed = targets.safeParse(json);
  if (parsed.success) return { ok: true, targets: parsed.data };
  return { ok: false, problems: parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) };
}

export function readTargetsFile(file: string): NotifyReading {
  try {
    return readTargets(readFileSync(file, 'utf8'));
  } catch (error) {
    return { ok: false, problems: [error instanceof Error ? error.message : String(error)] };
  }
}

/** Whether the target wants to know. */
export function wants({ on, cluster }: NotifyTarget, news: News): boolean {
  return on.includes(news.kind) && (cluster === undefined || cluster === news.cluster);
}
