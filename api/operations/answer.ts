/** Outcome of a start to HTTP; the same for webhooks and the API. */
import { problem } from '../problems.ts';
import type { StartAnswer } from '../schemas/operation.ts';
import type { StartOutcome } from './start.ts';

export function operationPath(id: string): string {
  return `/operations/${encodeURIComponent(id)}`;
}

export interface AnswerContext {
  /** `urn:uuid:` of the log line. */
  readonly instance: string;
  readonly temporalUiLink?: ((id: string) => string) | undefined;
}

function accepted(outcome: StartOutcome & { outcome: 'accepted' }, context: AnswerContext): Response {
  const self = operationPath(outcome.id);
  const ui = context.temporalUiLink?.(outcome.id);
  const body: StartAnswer = {
    id: outcome.id,
    state: outcome.state,
    ...(outcome.duplicate ? { duplicate: true } : {}),
    links: { self, ...(ui === undefined ? {} : { temporalUi: ui }) },
  };
  return Response.json(body, { status: 202, headers: { location: self } });
}

export function answerStart(outcome: StartOutcome, context: AnswerContext): Response {
  const { instance } = context;
  switch (outcome.outcome) {
    case 'accepted':
      return accepted(outcome, context);
    case 'unknown-cluster':
      return problem('unknown-cluster', `known are: ${outcome.known.join(', ') || 'none'}`, { instance });
    case 'invalid-vm-conf':
      return problem('invalid-vm-conf', `${outcome.problems.length} mistake(s); nothing was started`, {
        instance,
        errors: outcome.problems,
      });
    case 'too-late':
      return problem('invalid-request', 'nothing was started', {
        instance,
        errors: [{ path: 'until', what: `${outcome.until} is past: name a time to come` }],
      });
    case 'conflict':
      return problem('operation-exists', `${outcome.id} is ${outcome.state} and was requested with other content`, {
        instance,
        operation: operationPath(outcome.id),
      });
    case 'too-many':
      return problem('too-many-starts', 'as many starts as allowed are under way', { instance });
    case 'unavailable':
      return problem('temporal-unavailable', outcome.why, { instance });
  }
}
