/** `bellwether webhook test`: what the front door would do with a delivery, worked out here and without a trace. */
import { readFileSync } from 'node:fs';
import { startOperation, type StartOutcome } from '../operations/start.ts';
import { createGate } from '../operations/gate.ts';
import type { StartReply, WebhookSource } from '../ports.ts';
import type { ProblemError } from '../problems.ts';
import { readSecretFile, secretsOf } from '../secrets.ts';
import type { OperationRequest } from '../../workflows/model/requests.ts';
import { mayAnswer } from '../webhooks/answer.ts';
import { readRequest } from '../webhooks/request.ts';
import { readSources } from '../webhooks/source.ts';
import { schemeOf } from '../webhooks/verify/schemes.ts';
import { CliError, EXIT, failure, type ExitCode } from './exit.ts';
import type { CliRun } from './run.ts';
import { reportLines, type WebhookReport } from './webhook-words.ts';

export interface WebhookTestOptions {
  readonly source: string;
  readonly file: string;
  readonly config?: string;
  readonly header?: readonly string[];
  readonly unsigned?: boolean;
  readonly at?: string;
  readonly json?: boolean;
}

const HELP = 'npx bellwether webhook test --help';

function sourceOf(file: string | undefined, name: string): WebhookSource {
  if (file === undefined || file === '') {
    const why = 'neither --config nor BELLWETHER_WEBHOOKS_FILE says where';
    throw new CliError(EXIT.usage, failure('reading the webhook sources', why, HELP));
  }
  const read = readSources(file);
  if (!read.ok) {
    throw new CliError(EXIT.usage, failure(`reading ${file}`, read.problems.join('\n        '), `cat ${file}`));
  }
  const found = read.sources.find((source) => source.name === name);
  if (found !== undefined) return found;
  const known = read.sources.map((source) => source.name).join(', ') || 'none';
  throw new CliError(EXIT.usage, failure(`finding the source ${name}`, `${file} has: ${known}`, HELP));
}

function bytesOf(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CliError(EXIT.usage, failure('reading the delivery', why, `ls -l ${file}`));
  }
}

function headersOf(lines: readonly string[]): Headers {
  const headers = new Headers();
  for (const line of lines) {
    const match = /^([A-Za-z0-9-]+):\s*(.*)$/.exec(line);
    if (match === null) {
      throw new CliError(EXIT.usage, failure('reading --header', `"${line}" is no "Name: value"`, HELP));
    }
    headers.append(match[1] ?? '', match[2] ?? '');
  }
  return headers;
}

function timeOf(text: string | undefined): Date {
  const time = text === undefined ? new Date() : new Date(text);
  if (!Number.isNaN(time.getTime())) return time;
  throw new CliError(EXIT.usage, failure('reading --at', `"${text}" is no time, e.g. 2026-11-21T14:26:00Z`, HELP));
}

/** The function that starts operations, on a Temporal that says yes: its id, and what it refuses before it asks. */
async function started(request: OperationRequest, clock: () => Date): Promise<{ id?: string; outcome: StartOutcome }> {
  let id: string | undefined;
  const outcome = await startOperation(
    {
      starter: {
        start(order): Promise<StartReply> {
          id = order.id;
          return Promise.resolve({ outcome: 'started' });
        },
      },
      reader: {
        list: () => Promise.resolve({ outcome: 'listed', operations: [] }),
        show: () => Promise.resolve({ outcome: 'unknown' }),
        missing: () => Promise.resolve(undefined),
      },
      clusters: [request.cluster],
      clock,
      gate: createGate(1),
    },
    request,
    { deliveryKey: 'webhook-test' },
  );
  return { outcome, ...(id === undefined ? {} : { id }) };
}

function startErrors(outcome: StartOutcome): readonly ProblemError[] {
  if (outcome.outcome === 'invalid-vm-conf') return outcome.problems;
  if (outcome.outcome === 'too-late') return [{ path: 'until', what: `${outcome.until} is past: name a time to come` }];
  return [];
}

async function reportOn(run: CliRun, source: WebhookSource, options: WebhookTestOptions): Promise<WebhookReport> {
  const body = bytesOf(options.file);
  const headers = headersOf(options.header ?? []);
  const now = timeOf(options.at);
  const scheme = schemeOf(source);
  const warn = (fields: object, message: string) => run.say(`${message}: ${JSON.stringify(fields)}`);
  const verify = async () => {
    const secrets = await secretsOf(source, readSecretFile, { info: warn, warn, error: warn });
    return scheme.verify({ body, header: (name) => headers.get(name) ?? undefined }, secrets, now);
  };
  const signature = options.unsigned === true ? ('skipped' as const) : await verify();
  const base = { source: source.name, scheme: source.scheme, covers: scheme.covers, signature, errors: [] };
  if (signature !== 'skipped' && !signature.ok) return { ...base, wouldStart: false };
  if (source.alertsOf !== undefined) {
    const why = `its deliveries are what the host workers of ${source.alertsOf} tell`;
    throw new CliError(EXIT.usage, failure(`mapping a delivery of ${source.name}`, why, HELP));
  }
  const reading = readRequest(source, body);
  if (reading.kind === 'invalid') return { ...base, reading, errors: reading.errors ?? [], wouldStart: false };
  if (reading.kind === 'nothing') return { ...base, reading, wouldStart: false };
  if (reading.kind === 'answer') {
    const taken = mayAnswer(source, reading.answer.user);
    return { ...base, reading, mayAnswer: taken, wouldStart: false };
  }
  const tracker = source.tracker === undefined ? {} : { tracker: source.tracker };
  const { id, outcome } = await started(reading.request, () => now);
  const operation = id === undefined ? {} : { operation: id };
  return {
    ...base,
    reading,
    ...operation,
    ...tracker,
    errors: startErrors(outcome),
    wouldStart: outcome.outcome === 'accepted',
  };
}

/** @returns 0 when it would start an operation or answer one; 1 when it is refused or asks for nothing. */
export async function webhookTest(run: CliRun, env: NodeJS.ProcessEnv, options: WebhookTestOptions): Promise<ExitCode> {
  const source = sourceOf(options.config ?? env['BELLWETHER_WEBHOOKS_FILE'], options.source);
  const report = await reportOn(run, source, options);
  if (options.json === true) run.out(JSON.stringify(report));
  else for (const line of reportLines(report)) run.out(line);
  return report.wouldStart || report.mayAnswer === true ? EXIT.done : EXIT.failed;
}
