/**
 * Tells people and the orchestrator: by mail as broker.conf says (ha-agent.md 7), by webhook where one is configured.
 *
 * No call waits or throws. What is to be sent lies in two bounded queues (a mail server that hangs does not hold up the
 * webhook); what cannot be sent is named in the log.
 */
import { randomUUID } from 'node:crypto';
import { asksFor, parseBrokerConf, type BrokerConf, type MailSettings } from './broker-conf.ts';
import { alertMessage, eventMessage, plain, transitionMessage, type Message, type Round } from './message.ts';
import { createQueue, type Queue } from './queue.ts';
import { sendMail } from './smtp.ts';
import { tellsAlert, tellsTransition } from './tellers.ts';
import { composeMail } from './template.ts';
import { createTold, type Told } from './told.ts';
import { sendWebhook, type WebhookTarget } from './webhook.ts';
import type { Alert } from '../core/types.ts';

export type { Round } from './message.ts';

export interface AlertConfig {
  readonly hostname: string;
  readonly webhook?: WebhookTarget;
  /** `/etc/ovirt-hosted-engine-ha/notifications`: a template there takes the place of our own words. */
  readonly templateDir?: string;
  /** What was told lately, over restarts, e.g. `told.json` in the state folder. */
  readonly stateFile?: string;
  /** The same thing is told again after this; default two hours. */
  readonly repeatMs?: number;
  /** Messages that wait on each way; default 100. */
  readonly queueLimit?: number;
  /** Pauses between the tries of one mail, of one POST. */
  readonly mailPausesMs?: readonly number[];
  readonly webhookPausesMs?: readonly number[];
  /** Default 10 s. */
  readonly webhookTimeoutMs?: number;
}

export interface AlertDeps {
  /** The text of broker.conf as it is now (the shared copy, ha-agent.md 7), from memory; undefined: there is none. */
  brokerConf(): string | undefined;
  wallMs(): number;
  log(level: 'info' | 'warn', text: string): void;
}

export interface Alerts {
  /** `round`: the one that raised it (`Agent.last()`). */
  alert(alert: Alert, round: Round): void;
  /** The state before and after; equal ones are no transition. */
  transition(from: string, to: string, round: Round): void;
  /** The broker socket's `notify`: true: sent or queued; false: no rule of broker.conf asks for it (ha-agent.md 4.1, 7). */
  notify(event: string, detail: string, options: ReadonlyMap<string, string>): boolean;
  /** True: all that waited was sent or given up within the time. */
  flush(limitMs: number): Promise<boolean>;
  /** Ends what is being sent and drops the rest; `flush` first if it matters. */
  close(): Promise<void>;
}

const TWO_HOURS_MS = 7_200_000;
const MAIL_PAUSES_MS = [5_000, 30_000, 120_000, 600_000, 1_800_000];
const WEBHOOK_PAUSES_MS = [1_000, 5_000];
/** Different ones of a kind in two hours: an alert whose words keep changing, a host that flaps. */
const ALERTS_MOST = 6;
const TRANSITIONS_MOST = 60;
/** A mail's steps have the time-out of broker.conf each; this is for the whole, so that a server that drips ends too. */
const MAIL_TIMEOUT_MS = 60_000;

export function createAlerts(config: AlertConfig, deps: AlertDeps): Alerts {
  return new Teller(config, deps);
}

class Teller implements Alerts {
  private readonly config: AlertConfig;
  private readonly deps: AlertDeps;
  private readonly told: Told;
  private readonly mails: Queue;
  private readonly posts: Queue;
  private parsed: { readonly text: string; readonly conf: BrokerConf } | undefined;
  private wrongRule: string | undefined;

  constructor(config: AlertConfig, deps: AlertDeps) {
    this.config = config;
    this.deps = deps;
    const { stateFile, queueLimit: limit = 100, repeatMs = TWO_HOURS_MS } = config;
    const log: AlertDeps['log'] = (level, text) => deps.log(level, text);
    const wallMs = () => deps.wallMs();
    this.told = createTold({ wallMs, repeatMs, log, ...(stateFile === undefined ? {} : { file: stateFile }) });
    const pausesMs = config.mailPausesMs ?? MAIL_PAUSES_MS;
    this.mails = createQueue({ name: 'mail', limit, timeoutMs: MAIL_TIMEOUT_MS, pausesMs, log });
    this.posts = createQueue({
      name: 'webhook',
      limit,
      timeoutMs: config.webhookTimeoutMs ?? 10_000,
      pausesMs: config.webhookPausesMs ?? WEBHOOK_PAUSES_MS,
      log,
    });
  }

  alert(alert: Alert, round: Round): void {
    if (!tellsAlert(alert.kind, round)) return;
    const message = alertMessage(alert, round, this.where());
    const { rules, email } = this.conf();
    // Of our own; a `[notify] alert` line, if there is one, restricts them.
    const asked = !rules.has('alert') || this.asks('alert', alert.kind);
    this.tell(message, alert.kind, alert.text, ALERTS_MOST, asked ? email : undefined);
  }

  transition(from: string, to: string, round: Round): void {
    if (from === to || !tellsTransition(from, to, round)) return;
    const message = transitionMessage(from, to, round, this.where());
    const [own] = round.decision.reasons;
    // Another rule, or one more failure, makes it another thing to tell.
    const { failures = '', restarts = '' } = own?.inputs ?? {};
    const what = [message.detail, own?.rule, failures, restarts].join(' ');
    const email = this.asks('state_transition', message.detail) ? this.conf().email : undefined;
    this.tell(message, 'state_transition', what, TRANSITIONS_MOST, email);
  }

  notify(event: string, detail: string, options: ReadonlyMap<string, string>): boolean {
    const { email } = this.conf();
    if (email === undefined || !this.asks(event, detail)) return false;
    const hostname = plain(options.get('hostname') ?? this.config.hostname, 255);
    this.mail(eventMessage(event, detail, { ...this.where(), hostname }), email);
    return true;
  }

  async flush(limitMs: number): Promise<boolean> {
    const [mails, posts] = await Promise.all([this.mails.flush(limitMs), this.posts.flush(limitMs)]);
    return mails && posts;
  }

  async close(): Promise<void> {
    this.mails.close();
    this.posts.close();
    await this.told.saved();
  }

  private where() {
    return { hostname: this.config.hostname, wallMs: this.deps.wallMs() };
  }

  /** Read anew at each call, as the reference does; taken apart only when it changed. */
  private conf(): BrokerConf {
    const text = this.deps.brokerConf() ?? '';
    if (this.parsed?.text !== text) this.parsed = { text, conf: parseBrokerConf(text) };
    return this.parsed.conf;
  }

  private asks(event: string, detail: string): boolean {
    try {
      return asksFor(this.conf(), event, detail);
    } catch (error) {
      const wrong = `broker.conf: the rule of ${plain(event)} is no regular expression: ${String(error)}`;
      if (wrong !== this.wrongRule) this.deps.log('warn', wrong);
      this.wrongRule = wrong;
      return false;
    }
  }

  private tell(message: Message, kind: string, what: string, most: number, email: MailSettings | undefined): void {
    const { webhook } = this.config;
    if (email === undefined && webhook === undefined) return;
    const { fresh, before } = this.told.take(kind, what, most);
    if (!fresh) return;
    const again =
      before === 0 ? message.text : `${message.text} (It happened ${before} more times since it was told last.)`;
    const full = { ...message, text: again };
    // Untold is only what no way could deliver.
    let ways = Number(email !== undefined) + Number(webhook !== undefined);
    const lost = () => {
      ways -= 1;
      if (ways === 0) this.told.forget(kind, what);
    };
    if (email !== undefined) this.mail(full, email, lost);
    if (webhook !== undefined) this.post(full, webhook, lost);
  }

  private mail(message: Message, email: MailSettings, lost?: () => void): void {
    const { templateDir } = this.config;
    this.mails.push({
      name: `${message.kind} ${message.detail}`,
      ...(lost === undefined ? {} : { lost }),
      send: async (signal) => sendMail(await composeMail(message, email, templateDir), email, signal),
    });
  }

  private post(message: Message, target: WebhookTarget, lost: () => void): void {
    const id = `msg_${randomUUID()}`;
    const name = `${message.kind} ${message.detail}`;
    this.posts.push({ name, lost, send: (signal) => sendWebhook(message, id, target, signal) });
  }
}
