/** One mail by SMTP, as broker.conf says: no TLS, no authentication (ha-agent.md 5.3), a limit on each step and on the whole. */
import { CounterpartError } from '../../../activities/errors.ts';
import type { MailSettings } from './broker-conf.ts';
import type { Mail } from './template.ts';

function refused(settings: MailSettings, error: unknown): CounterpartError {
  const code =
    typeof error === 'object' && error !== null && 'responseCode' in error && typeof error.responseCode === 'number'
      ? error.responseCode
      : undefined;
  const final = code !== undefined && code >= 500;
  return new CounterpartError(
    {
      type: final ? 'alerts/mail-refused' : 'alerts/mail-not-sent',
      kind: final ? 'needs-operator' : 'retryable',
      subject: `${settings.server}:${settings.port}`,
      what: 'the mail was not taken',
      why: error instanceof Error ? error.message : String(error),
      remedy: final
        ? 'Correct the addresses in the [email] section of broker.conf, or the mail server.'
        : 'It is tried again by itself; look at the mail server if it lasts.',
      ...(code === undefined ? {} : { code }),
    },
    { cause: error },
  );
}

/** @throws CounterpartError retryable, or needs-operator when the server said no for good (5xx) */
export async function sendMail(mail: Mail, settings: MailSettings, signal: AbortSignal): Promise<void> {
  // Loaded when there is something to say: an idle worker does not carry it in memory.
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    host: settings.server,
    port: settings.port,
    secure: false,
    ignoreTLS: true,
    connectionTimeout: settings.timeoutMs,
    greetingTimeout: settings.timeoutMs,
    socketTimeout: settings.timeoutMs,
    dnsTimeout: settings.timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  try {
    await transport.sendMail({ ...mail, envelope: { from: settings.from, to: [...settings.to] }, signal });
  } catch (error) {
    throw refused(settings, error);
  } finally {
    transport.close();
  }
}
