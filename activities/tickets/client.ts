/**
 * The ticket system's inbox: one signed POST per report (Standard Webhooks), told once however often it is repeated.
 *
 * The base URL comes from configuration only, never from a ticket: nobody can make the worker call elsewhere.
 */
import { readFile } from 'node:fs/promises';
import { Webhook } from 'standardwebhooks';
import { CounterpartError } from '../errors.ts';
import { deriveId } from '../ids.ts';

export interface TicketReport {
  readonly ticket: string;
  readonly operationId: string;
  readonly cluster: string;
  readonly state: string;
  readonly lines: readonly string[];
}

export interface TicketSystemOptions {
  readonly url: string;
  /** File with a `whsec_...` secret. */
  readonly secretFile: string;
  readonly timeoutMs?: number;
  readonly now?: () => Date;
}

export class TicketSystem {
  readonly #options: TicketSystemOptions;

  constructor(options: TicketSystemOptions) {
    this.#options = options;
  }

  /**
   * Posts a comment. The id is derived from operation, ticket and occasion (the state, unless it comes more than once),
   * so that the receiver can drop a repetition.
   * @throws CounterpartError retryable on no answer, 429 and 5xx; needs-operator on any other refusal.
   */
  async report(
    report: TicketReport,
    signal: AbortSignal,
    { type = 'operation.ended', occasion = report.state } = {},
  ): Promise<{ id: string }> {
    const id = `msg_${deriveId(report.operationId, `${report.ticket}/${occasion}`)}`;
    const body = JSON.stringify({ type, data: report });
    const response = await this.#send(id, this.#options.now?.() ?? new Date(), body, signal);
    if (response.ok) return { id };
    const retryable = response.status === 429 || response.status >= 500;
    throw new CounterpartError({
      type: 'tickets/refused',
      kind: retryable ? 'retryable' : 'needs-operator',
      subject: `ticket ${report.ticket}`,
      what: 'the ticket system did not take the report',
      why: `it answered ${response.status}`,
      remedy: retryable ? 'It is tried again by itself.' : 'Check BELLWETHER_TICKETS_URL and the secret, then retry.',
      code: response.status,
    });
  }

  async #send(id: string, at: Date, body: string, signal: AbortSignal): Promise<Response> {
    const secret = (await readFile(this.#options.secretFile, 'utf8')).trim();
    try {
      return await fetch(this.#options.url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'webhook-id': id,
          'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
          'webhook-signature': new Webhook(secret).sign(id, at, body),
        },
        body,
        redirect: 'error',
        signal: AbortSignal.any([signal, AbortSignal.timeout(this.#options.timeoutMs ?? 10_000)]),
      });
    } catch (cause) {
      throw new CounterpartError(
        {
          type: 'tickets/no-answer',
          kind: 'retryable',
          subject: this.#options.url,
          what: 'the ticket system can’t be reached',
          why: cause instanceof Error ? cause.message : String(cause),
          remedy: 'It is tried again by itself; check BELLWETHER_TICKETS_URL if it lasts.',
          outcomeUnknown: true,
        },
        { cause },
      );
    }
  }
}
