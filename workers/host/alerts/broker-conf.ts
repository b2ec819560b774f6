/** broker.conf: where mail goes, and which events ask for one (ha-agent.md 5.3, 7). */
import { parseIni } from './ini.ts';

export interface MailSettings {
  readonly server: string;
  readonly port: number;
  readonly timeoutMs: number;
  readonly from: string;
  readonly to: readonly string[];
  /** As they stand, for the placeholders of a template. */
  readonly values: ReadonlyMap<string, string>;
}

export interface BrokerConf {
  /** undefined: no [email] section, so no mail at all. */
  readonly email: MailSettings | undefined;
  /** Regular expressions by event. */
  readonly rules: ReadonlyMap<string, string>;
}

const DEFAULTS: ReadonlyMap<string, string> = new Map([
  ['smtp-server', 'localhost'],
  ['smtp-port', '25'],
  ['smtp-timeout', '10'],
  ['source-email', 'root@localhost'],
  ['destination-emails', 'root@localhost'],
]);

/** A wrong number is no reason to say nothing: the default stands in. */
function number(values: ReadonlyMap<string, string>, key: string, min: number, max: number): number {
  const given = Number(values.get(key));
  return Number.isFinite(given) && given >= min && given <= max ? given : Number(DEFAULTS.get(key));
}

export function parseBrokerConf(text: string): BrokerConf {
  const ini = parseIni(text);
  const rules = ini.get('notify') ?? new Map<string, string>();
  const given = ini.get('email');
  if (given === undefined) return { email: undefined, rules };
  const values = new Map([...DEFAULTS, ...given]);
  const to = (values.get('destination-emails') ?? '').split(',').map((one) => one.trim());
  return {
    email: {
      server: values.get('smtp-server') ?? '',
      port: Math.trunc(number(values, 'smtp-port', 1, 65_535)),
      timeoutMs: number(values, 'smtp-timeout', 0.1, 600) * 1000,
      from: values.get('source-email') ?? '',
      to: to.filter((one) => one !== ''),
      values,
    },
    rules,
  };
}

/** Is a mail asked for? The expression and the detail are both lower-cased, as the reference does. @throws SyntaxError */
export function asksFor(conf: BrokerConf, event: string, detail: string): boolean {
  const rule = conf.rules.get(event.toLowerCase());
  return rule !== undefined && new RegExp(rule.toLowerCase()).test(detail.toLowerCase());
}
