/** One notification by e-mail or webhook. Whatever goes wrong may be right in an hour: all of it is tried again. */
import { readFile } from 'node:fs/promises';
import { createTransport } from 'nodemailer';
import { Webhook } from 'standardwebhooks';
import type { News } from '../../workflows/model/notify.ts';
import { CounterpartError } from '../errors.ts';
import { deriveId } from '../ids.ts';
import type { MailTarget, NotifyTarget, WebhookTarget } from './config.ts';
import { linksOf, subjectOf, textOf, type Links } from './text.ts';

const TIMEOUT_MS = 20_000;

function failed(type: string, subject: string, cause: unknown, remedy: string): CounterpartError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const what = 'the notification was not taken';
  return new CounterpartError({ type, kind: 'retryable', subject, what, why, remedy }, { cause });
}

async function secretIn(file: string): Promise<string> {
  const lines = (await readFile(file, 'utf8')).split('\n').map((line) => line.trim());
  return lines.find((line) => line !== '' && !line.startsWith('#')) ?? '';
}

async function transportOf(target: MailTarget) {
  const { server, security, user, passwordFile, caFile } = target;
  const port = target.port ?? (security === 'tls' ? 465 : user === undefined ? 25 : 587);
  const auth =
    user === undefined || passwordFile === undefined ? {} : { auth: { user, pass: await secretIn(passwordFile) } };
  return createTransport({
    host: server,
    port,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    ...(caFile === undefined ? {} : { tls: { ca: await readFile(caFile) } }),
    ...auth,
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
    dnsTimeout: TIMEOUT_MS,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}

async function sendMail(target: MailTarget, id: string, news: News, links: Links, signal: AbortSignal): Promise<void> {
  const { from, to, server } = target;
  let transport: Awaited<ReturnType<typeof transportOf>> | undefined;
  try {
    transport = await transportOf(target);
    await transport.sendMail({
      from,
      to: [...to],
      subject: subjectOf(news),
      text: textOf(news, links),
      // The same for each try: a mail that went out although its answer was lost is seen to be the same.
      messageId: `<${id}@${from.split('@')[1] ?? 'bellwether'}>`,
      date: new Date(news.at),
      headers: { 'Auto-Submitted': 'auto-generated' },
      signal,
    });
  } catch (error) {
    const remedy =
      'It is tried again by itself for 4 days; look at the mail server and the target in BELLWETHER_NOTIFY_FILE.';
    throw failed('notify/mail', server, error, remedy);
  } finally {
    transport?.close();
  }
}

async function sendWebhook(
  target: WebhookTarget,
  id: string,
  news: News,
  links: Links,
  signal: AbortSignal,
): Promise<void> {
  const remedy =
    'It is tried again by itself for 4 days; look at the receiver and the target in BELLWETHER_NOTIFY_FILE.';
  const subject = new URL(target.url).host;
  const data = { ...news, links: linksOf(news, links) };
  const body = JSON.stringify({ type: `bellwether.${news.kind}`, timestamp: news.at, data });
  const at = new Date();
  let response: Response;
  try {
    response = await fetch(target.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
        'webhook-signature': new Webhook(await secretIn(target.secretFile)).sign(id, at, body),
      },
      body,
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
  } catch (error) {
    throw failed('notify/webhook', subject, error, remedy);
  }
  await response.body?.cancel();
  if (!response.ok) throw failed('notify/webhook', subject, `it answered ${response.status}`, remedy);
}

/** @throws CounterpartError retryable */
export async function send(target: NotifyTarget, news: News, links: Links, signal: AbortSignal): Promise<string> {
  const id = `msg_${deriveId(news.id, target.name)}`;
  if (target.email !== undefined) {
    await sendMail(target.email, id, news, links, signal);
    return `mail to ${target.email.to.join(', ')} (${id})`;
  }
  if (target.webhook === undefined) throw new Error(`target ${target.name} has no address`);
  await sendWebhook(target.webhook, id, news, links, signal);
  return `webhook to ${new URL(target.webhook.url).host} (${id})`;
}
