/** The file of ticket systems (BELLWETHER_TRACKERS_FILE): checked as a whole, every mistake by its place. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import type { TrackerConfig } from '../../activities/tickets/tracker.ts';

const file = z.string().min(1);
const common = {
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'lower-case letters, digits and hyphens'),
  url: z.url({ protocol: /^https?$/, error: 'a base address: http:// or https://' }),
  prefix: z.string().min(1).max(50).exactOptional(),
  answers: z.boolean().default(false),
};
const state = z.string().min(1).exactOptional();
const rest = {
  ...common,
  tokenFile: file.optional(),
  userFile: file.optional(),
  passwordFile: file.optional(),
  states: z.strictObject({ running: state, parked: state, done: state, failed: state, aborted: state }).default({}),
};
const field = z.string().min(1).max(100).exactOptional();

interface Files {
  readonly tokenFile?: string | undefined;
  readonly userFile?: string | undefined;
  readonly passwordFile?: string | undefined;
}

/** One of the two ways to sign in. */
function withAccess<T extends Files>(value: T, context: z.RefinementCtx) {
  const { tokenFile, userFile, passwordFile, ...others } = value;
  if (tokenFile !== undefined && userFile === undefined && passwordFile === undefined) {
    return { ...others, access: { tokenFile } };
  }
  if (tokenFile === undefined && userFile !== undefined && passwordFile !== undefined) {
    return { ...others, access: { userFile, passwordFile } };
  }
  context.addIssue({ code: 'custom', message: 'needs either tokenFile, or userFile and passwordFile' });
  return z.NEVER;
}

const KINDS = {
  rt: z.strictObject({ ...rest, kind: z.literal('rt'), progressField: field }).transform(withAccess),
  jira: z
    .strictObject({ ...rest, kind: z.literal('jira'), api: z.union([z.literal(2), z.literal(3)]).default(2) })
    .transform(withAccess),
  servicenow: z
    .strictObject({
      ...rest,
      kind: z.literal('servicenow'),
      table: z
        .string()
        .regex(/^[a-z0-9_]{1,80}$/, 'the name of a table')
        .default('change_request'),
      progressField: z
        .string()
        .regex(/^[a-z0-9_]{1,80}$/, 'the name of a column')
        .exactOptional(),
    })
    .transform(withAccess),
  standard: z.strictObject({ ...common, kind: z.literal('standard'), secretFile: file }),
};

const kind = z.object({ kind: z.enum(['rt', 'jira', 'servicenow', 'standard']) });

/** The entry's own kind says what it may have; a union would answer with the mistakes of all four. */
const tracker = z.unknown().transform((value, context): TrackerConfig => {
  const named = kind.safeParse(value);
  const parsed = named.success ? KINDS[named.data.kind].safeParse(value) : named;
  if (parsed.success && 'name' in parsed.data) return parsed.data;
  for (const { path, message } of parsed.error?.issues ?? []) context.addIssue({ code: 'custom', path, message });
  return z.NEVER;
});

const trackersFile = z.array(tracker).superRefine((trackers, context) => {
  trackers.forEach(({ name }, at) => {
    if (trackers.findIndex((other) => other.name === name) !== at) {
      context.addIssue({ code: 'custom', path: [at, 'name'], message: `"${name}" is there twice` });
    }
  });
});

/** The trackers in the file, and all that is wrong with it. Never throws. */
export function readTrackers(path: string): {
  readonly trackers: readonly TrackerConfig[];
  readonly problems: readonly string[];
} {
  try {
    const parsed = trackersFile.safeParse(JSON.parse(readFileSync(path, 'utf8')));
    if (parsed.success) return { trackers: parsed.data, problems: [] };
    const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || '(file)'}: ${issue.message}`);
    return { trackers: [], problems };
  } catch (error) {
    return { trackers: [], problems: [error instanceof Error ? error.message : String(error)] };
  }
}
