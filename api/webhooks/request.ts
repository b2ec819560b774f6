/** From verified bytes to a request: the same for the front door and for `bellwether webhook test`. */
import { readJson } from '../body.ts';
import type { WebhookSource } from '../ports.ts';
import type { ProblemError, ProblemName } from '../problems.ts';
import { schemaErrors } from '../schemas/problem.ts';
import { webhookRequest } from '../schemas/request.ts';
import type { OperationRequest } from '../../workflows/model/requests.ts';
import { commandIn, type TicketAnswer } from './answer.ts';
import { applyMapping, unmatchedWords, type Mapped } from './apply.ts';
import type { AnswerMapping, Mapping } from './mapping.ts';

const EVENT = 'operation.requested';

export type RequestReading = { readonly mapped?: Mapped } & (
  | { readonly kind: 'request'; readonly request: OperationRequest }
  /** An operator's word in a comment. */
  | { readonly kind: 'answer'; readonly answer: TicketAnswer }
  /** A `when` does not hold: the delivery is all right, and asks for nothing. */
  | { readonly kind: 'nothing'; readonly because: string; readonly unmet: readonly string[] }
  | {
      readonly kind: 'invalid';
      readonly problem: ProblemName;
      readonly detail: string;
      readonly errors?: readonly ProblemError[];
    }
);

interface Draft {
  readonly kind: 'draft';
  readonly draft: unknown;
  /** Where a mistake at this path of the draft is for the sender. */
  readonly where: (path: string) => Partial<ProblemError>;
  readonly mapped?: Mapped;
}

/** The request inside `{type, data}`, or the body itself when it is the bare request. */
function native(body: unknown): Draft | RequestReading {
  if (typeof body !== 'object' || body === null || !('type' in body)) {
    return { kind: 'draft', draft: body, where: (path) => ({ path }) };
  }
  if (body.type === EVENT && 'data' in body) {
    return { kind: 'draft', draft: body.data, where: (path) => ({ path: `data.${path}` }) };
  }
  const type = JSON.stringify(body.type)?.slice(0, 100);
  const detail = `type is ${type}; only "${EVENT}" with data is known`;
  return { kind: 'invalid', problem: 'unsupported-event', detail };
}

function mappedDraft(mapping: Mapping, body: unknown): Draft | RequestReading {
  const mapped = applyMapping(mapping, body);
  if (!mapped.matched) {
    const unmet = mapped.when.filter((one) => !one.holds).map(({ path }) => path);
    return { kind: 'nothing', because: unmatchedWords(mapped), unmet, mapped };
  }
  if (mapped.errors.length > 0) {
    const detail = 'the mapping makes no request of this body; nothing was started';
    return { kind: 'invalid', problem: 'invalid-request', detail, errors: mapped.errors, mapped };
  }
  // The sender's people know their fields, not ours.
  const where = (path: string): Partial<ProblemError> => {
    const from = mapped.fields.find(({ field }) => field === path)?.path;
    return from === undefined ? { path } : { path, remedy: `It came from ${from}.` };
  };
  return { kind: 'draft', draft: mapped.request, where, mapped };
}

/** Undefined: it is no comment, and may be a request. */
function answerIn({ when, ...fields }: AnswerMapping, body: unknown): RequestReading | undefined {
  const mapped = applyMapping({ when, request: { ...fields } }, body);
  if (!mapped.matched) return undefined;
  if (mapped.errors.length > 0) {
    const detail = 'the mapping finds no answer in this body; nothing was done';
    return { kind: 'invalid', problem: 'invalid-request', detail, errors: mapped.errors, mapped };
  }
  const { ticket, user, comment } = mapped.request;
  const command = typeof comment === 'string' ? commandIn(comment) : undefined;
  if (command === undefined) {
    const because = 'the comment does not begin with "bellwether retry", "bellwether skip" or "bellwether abort"';
    return { kind: 'nothing', because, unmet: [fields.comment.path ?? 'comment'], mapped };
  }
  return { kind: 'answer', answer: { ticket: String(ticket), user: String(user), ...command }, mapped };
}

/** @param bytes already verified */
export function readRequest(source: WebhookSource, bytes: Uint8Array): RequestReading {
  const json = readJson(bytes);
  if (!json.ok) return { kind: 'invalid', problem: 'malformed-json', detail: json.why };
  const answer = source.mapping?.answer === undefined ? undefined : answerIn(source.mapping.answer, json.value);
  if (answer !== undefined) return answer;
  const found = source.mapping === undefined ? native(json.value) : mappedDraft(source.mapping, json.value);
  if (found.kind !== 'draft') return found;
  const mapped = found.mapped === undefined ? {} : { mapped: found.mapped };
  const parsed = webhookRequest.safeParse(found.draft);
  if (!parsed.success) {
    const errors = schemaErrors(parsed.error).map((error) => ({ ...error, ...found.where(error.path ?? '') }));
    return { kind: 'invalid', problem: 'invalid-request', detail: 'nothing was started', errors, ...mapped };
  }
  const tracker = source.tracker === undefined ? {} : { tracker: source.tracker };
  const request = { ...parsed.data, key: parsed.data.ticket, requestedBy: `webhook:${source.name}`, ...tracker };
  return { kind: 'request', request, ...mapped };
}
