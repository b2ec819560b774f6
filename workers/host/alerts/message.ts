/** One thing to tell, in words; the mail and the webhook are two forms of it. */
import { inputsWords, orderWords, ruleWords } from '../journal/words.ts';
import { adviceFor, ALERT_ADVICE } from './advice.ts';
import type { Alert, Decision, Observation } from '../core/types.ts';

/** The round in which it happened (`Agent.last()`). */
export interface Round {
  readonly observation: Observation;
  readonly decision: Decision;
}

export interface Message {
  /** `alert`, `state_transition`, or what a client of the broker's socket named. */
  readonly event: string;
  /** Of an alert its kind, of an event its name. */
  readonly kind: string;
  /** `EngineDown-EngineStart`; what the rules of broker.conf look at. */
  readonly detail: string;
  readonly hostname: string;
  readonly subject: string;
  readonly text: string;
  readonly cause: string;
  readonly effect: string;
  readonly did: string;
  readonly todo: string;
  /** Rule, inputs, order, for those who want to know more. */
  readonly more: readonly string[];
  readonly atMs: number;
}

interface Where {
  readonly hostname: string;
  readonly wallMs: number;
}

/** Words from outside stay on their line: they go into headers. */
export function plain(text: string, max = 500): string {
  return text
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, max);
}

function reasonsOf({ observation, decision }: Round): readonly string[] {
  const [own] = decision.reasons;
  const peers = observation.board?.peers ?? [];
  const name = (id: number) => plain(peers.find((peer) => peer.id === id)?.hostname ?? '', 80) || `host ${id}`;
  const rule = own?.rule ?? 'unknown';
  return [
    `Rule:    ${rule}: ${ruleWords(rule).when}`,
    `Inputs:  ${plain(inputsWords(own?.inputs ?? {}, observation.nowMs))}`,
    `Order:   ${orderWords(decision.action?.action, name)}`,
    `Score:   ${decision.score.value}`,
  ];
}

export function alertMessage(alert: Alert, round: Round, { hostname, wallMs }: Where): Message {
  const { title, ...advice } = ALERT_ADVICE[alert.kind];
  return {
    ...advice,
    event: 'alert',
    kind: alert.kind,
    detail: alert.kind,
    hostname,
    subject: `Hosted engine, ${hostname}: ${title}`,
    text: alert.text,
    more: reasonsOf(round),
    atMs: wallMs,
  };
}

export function transitionMessage(from: string, to: string, round: Round, { hostname, wallMs }: Where): Message {
  const { cause, effect, did, todo } = adviceFor(round.decision.reasons[0]?.rule ?? '');
  const order = round.decision.action?.action;
  return {
    event: 'state_transition',
    kind: 'state_transition',
    detail: `${from}-${to}`,
    hostname,
    subject: `Hosted engine, ${hostname}: state changed, ${from}-${to}`,
    text: `The state of the hosted engine's worker on ${hostname} changed from ${from} to ${to}.`,
    cause,
    effect,
    did: order === undefined ? did : `${did} Ordered now: ${orderWords(order)}.`,
    todo,
    more: reasonsOf(round),
    atMs: wallMs,
  };
}

/** What another program asked for by the broker's socket (ha-agent.md 4.1 `notify`); nothing is known of its reasons. */
export function eventMessage(event: string, detail: string, { hostname, wallMs }: Where): Message {
  return {
    event: plain(event),
    kind: plain(event),
    detail: plain(detail),
    hostname,
    subject: `Hosted engine, ${hostname}: ${plain(event)}, ${plain(detail)}`,
    text: `A program on ${hostname} reported ${plain(event)}: ${plain(detail)}.`,
    cause: 'A program on this host asked for this mail by the broker socket.',
    effect: 'Not known to the worker.',
    did: 'The report was passed on.',
    todo: 'See bellwether-host why on this host.',
    more: [],
    atMs: wallMs,
  };
}

/** The part of a mail that says more than the bare fact. */
export function explanation(message: Message): string {
  const lines = [
    `Cause:   ${message.cause}`,
    `Effect:  ${message.effect}`,
    `Done:    ${message.did}`,
    `To do:   ${message.todo}`,
    '',
    `Time:    ${new Date(message.atMs).toISOString()}`,
    `Host:    ${message.hostname}`,
    ...message.more,
    '',
    'On the host, `bellwether-host why` and `bellwether-host journal show` say more.',
  ];
  return lines.join('\n');
}
