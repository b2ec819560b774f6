/**
 * A mail's headers and text: from the administrator's template of the event if there is one (ha-agent.md 7), else our own.
 * In both cases the explanation follows.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CounterpartError } from '../../../activities/errors.ts';
import { explanation, plain, type Message } from './message.ts';
import type { MailSettings } from './broker-conf.ts';

export interface Mail {
  readonly from: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

function unknownPlaceholder(file: string, name: string, known: readonly string[]): CounterpartError {
  return new CounterpartError({
    type: 'alerts/template',
    kind: 'needs-operator',
    subject: file,
    what: 'the mail was not sent',
    why: `the template has the placeholder {${name}}, which is not known`,
    remedy: `Known are ${known.join(', ')}.`,
  });
}

/** `{name}` by value, `{{` and `}}` for the braces themselves. */
function filled(text: string, values: ReadonlyMap<string, string>, file: string): string {
  return text.replace(/\{\{|\}\}|\{([^{}]*)\}/g, (found, name: string | undefined) => {
    if (name === undefined) return found.slice(1);
    const value = values.get(name);
    if (value === undefined) throw unknownPlaceholder(file, name, [...values.keys()]);
    return value;
  });
}

/** Headers end at the first empty line; they are taken apart before anything is filled in, so that no value adds one. */
function fromTemplate(template: string, file: string, message: Message, settings: MailSettings): Mail {
  const [, head = '', body = ''] = /^(.*?)(?:\r?\n){2}([^]*)$/s.exec(template) ?? [undefined, '', template];
  const values = new Map([...settings.values, ['hostname', message.hostname], ['detail', message.detail]]);
  const headers = new Map<string, string>();
  for (const line of head.split(/\r?\n/)) {
    const [, name, value] = /^([\w-]+):\s*(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) headers.set(name.toLowerCase(), plain(filled(value, values, file)));
  }
  return {
    from: headers.get('from') ?? settings.from,
    to: headers.get('to') ?? settings.to.join(', '),
    subject: headers.get('subject') ?? message.subject,
    text: `${filled(body, values, file).trimEnd()}\n\n${explanation(message)}\n`,
  };
}

async function templateOf(dir: string | undefined, event: string): Promise<{ file: string; text: string } | undefined> {
  if (dir === undefined || !/^\w+$/.test(event)) return undefined;
  const file = join(dir, `${event}.txt`);
  try {
    return { file, text: await readFile(file, 'utf8') };
  } catch {
    return undefined;
  }
}

/** @throws CounterpartError `alerts/template` for an unknown placeholder: as in the reference, nothing is sent then */
export async function composeMail(message: Message, settings: MailSettings, dir: string | undefined): Promise<Mail> {
  const template = await templateOf(dir, message.event);
  if (template !== undefined) return fromTemplate(template.text, template.file, message, settings);
  return {
    from: settings.from,
    to: settings.to.join(', '),
    subject: message.subject,
    text: `${message.text}\n\n${explanation(message)}\n`,
  };
}
