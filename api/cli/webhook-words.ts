/** What `bellwether webhook` says, in lines for people. */
import type { DeliveryList, DeliveryRecord } from '../webhooks/deliveries.ts';
import { shown, type FieldTrace } from '../webhooks/apply.ts';
import type { RequestReading } from '../webhooks/request.ts';
import type { RefusalReason, Verification } from '../webhooks/verify/verification.ts';
import type { ProblemError } from '../problems.ts';

export interface WebhookReport {
  readonly source: string;
  readonly scheme: string;
  readonly covers: string;
  /** `skipped` with `--unsigned`. */
  readonly signature: Verification | 'skipped';
  /** Missing when the signature was refused: nothing is parsed then. */
  readonly reading?: RequestReading;
  /** The operation it would be, and whether the same function that starts would refuse it. */
  readonly operation?: string;
  readonly errors: readonly ProblemError[];
  readonly wouldStart: boolean;
  /** The ticket system that would be kept up to date. */
  readonly tracker?: string;
  /** Of a comment with an operator's word: whether its writer is on the source's list. */
  readonly mayAnswer?: boolean;
}

const REASONS: Record<RefusalReason, string> = {
  'missing-header': 'a header of the scheme is not there; give all headers of the delivery with --header',
  'malformed-header': 'a header of the scheme has a form that the scheme does not know',
  'too-old': 'sent too long ago: a replay. For a recorded delivery say when it came: --at TIME',
  'too-new': 'sent in the future: one of the clocks is wrong. For a recorded delivery say when it came: --at TIME',
  'no-match': 'signed with another secret, or the file is not byte for byte what was sent',
  'no-secret': 'no secret in the source’s secret files can be used with this scheme',
};

function signatureLine({ signature, covers }: WebhookReport): string {
  if (signature === 'skipped') return 'signature:  not looked at (--unsigned)';
  if (!signature.ok) return `signature:  REFUSED, ${signature.reason}: ${REASONS[signature.reason]}`;
  const sent = signature.sentAt === undefined ? '' : `, sent ${signature.sentAt.toISOString()}`;
  return `signature:  good; delivery ${signature.id}${sent}; it covers ${covers}`;
}

function fieldLine({ field, path, found, value, how, problem }: FieldTrace): string {
  const name = `  ${field.padEnd(14)} `;
  if (problem !== undefined) return `${name}PROBLEM: ${problem}`;
  if (how === 'literal') return `${name}${shown(value)} (literal)`;
  if (how === 'default') return `${name}${shown(value)} (default; nothing at ${path})`;
  if (how === 'left-out') return `${name}left out (nothing at ${path})`;
  return `${name}${shown(value)} from ${path}${how === 'mapped' ? ` (there: ${shown(found)})` : ''}`;
}

function mappingLines({ mapped }: RequestReading): string[] {
  if (mapped === undefined) return ['mapping:    none; the native body is expected'];
  const when = mapped.when.map(
    ({ path, test, found, holds }) =>
      `  ${holds ? 'holds' : 'DOES NOT HOLD'}: ${path} ${test}${holds ? '' : ` (it is ${shown(found)})`}`,
  );
  const conditions = when.length === 0 ? ['when:       always'] : ['when:', ...when];
  return mapped.matched ? [...conditions, 'fields:', ...mapped.fields.map(fieldLine)] : conditions;
}

function outcomeLines({ reading, operation, errors, wouldStart, mayAnswer, tracker }: WebhookReport): string[] {
  const mistakes = errors.map(({ path, line, key, what, remedy }) => {
    const place = [path, line === undefined ? undefined : `line ${line}`, key].filter((part) => part !== undefined);
    return `  ${place.join(', ')}: ${what}${remedy === undefined ? '' : ` (${remedy})`}`;
  });
  if (reading === undefined) return ['outcome:    refused (401); nothing was parsed'];
  if (reading.kind === 'nothing') return [`outcome:    nothing to do: ${reading.because}`];
  if (reading.kind === 'invalid') return [`outcome:    refused: ${reading.problem}: ${reading.detail}`, ...mistakes];
  if (reading.kind === 'answer') {
    const { action, user, ticket, reason } = reading.answer;
    const word = `${action} by ${user} for the operations of ${ticket}${reason === undefined ? '' : `, because: ${reason}`}`;
    return mayAnswer === true
      ? [`outcome:    would take ${word} (not checked here: whether one of them waits for it)`]
      : [`outcome:    refused: ${word}: not on the source’s list of operators; the ticket would be told who is`];
  }
  if (!wouldStart) return ['outcome:    refused by the check before the start', ...mistakes];
  const request = JSON.stringify(reading.request, null, 2).split('\n');
  return [
    'request:',
    ...request.map((line) => `  ${line}`),
    tracker === undefined
      ? 'tracker:    none; the ticket gets a report at the end, if BELLWETHER_TICKETS_URL says where'
      : `tracker:    ${tracker} (not checked here: whether BELLWETHER_TRACKERS_FILE has it)`,
    `outcome:    would start ${operation} (not checked here: whether the front door has this cluster, and whether the ticket ran already)`,
  ];
}

/** The verdict, stage by stage, in the order in which the front door takes them. */
export function reportLines(report: WebhookReport): string[] {
  const { source, scheme, reading } = report;
  return [
    `source:     ${source} (${scheme})`,
    signatureLine(report),
    ...(reading === undefined ? [] : mappingLines(reading)),
    ...outcomeLines(report),
  ];
}

function deliveryLine(one: DeliveryRecord): string {
  const { time, source, verdict, status, operation, reason, delivery = '-' } = one;
  const what = [operation, reason].filter((part) => part !== undefined).join('  ');
  return `${time.slice(0, 19)}Z  ${source.padEnd(14)} ${verdict.padEnd(13)} ${status}  ${delivery.padEnd(36)} ${what}`.trimEnd();
}

export function deliveryLines({ deliveries, lastRefused }: DeliveryList): string[] {
  const refusals = lastRefused.flatMap((one) => [
    `  ${one.source}: ${one.time.slice(0, 19)}Z ${one.status} ${one.reason ?? ''} (${one.instance})`,
    ...Object.entries(one.evidence?.headers ?? {}).map(([name, value]) => `    ${name}: ${value}`),
    ...(one.evidence === undefined ? [] : [`    ${one.evidence.body}`]),
  ]);
  return [
    ...deliveries.map(deliveryLine),
    ...(refusals.length === 0 ? [] : ['', 'last refused, by source:', ...refusals]),
  ];
}
