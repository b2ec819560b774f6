/** Events of `what-if`, from a person's words: `host2 lost`, `network of host1 cut`; several with `and` between them. */
import { CounterpartError } from '../../../../activities/errors.ts';

export type EventOfAll = 'network-cut-all' | 'storage-hangs-all' | 'engine-vm-dies' | 'global-maintenance';
type EventOfHost = 'host-lost' | 'network-cut' | 'storage-hangs' | 'maintenance' | 'shuts-down';

export type WhatIfEvent = { readonly kind: EventOfHost; readonly host: number } | { readonly kind: EventOfAll };

/** A host as it can be named. */
export interface NamedHost {
  readonly id: number;
  readonly hostname: string;
  readonly self: boolean;
}

const LOST = '(?:is |gets )?(?:lost|dies|dead|crashes|fails|(?:powered |goes )?(?:off|down)|loses power|power[- ]off)';
const CUT = '(?:is |gets )?(?:cut|lost|down|fails|gone)';
const HANGS = '(?:hangs|is lost|lost|fails|is gone|is silent|dies)';
const HOST = '(?:host )?(\\S+|host \\d+)';

/** What is understood, in the words of the help; the first group is the host. */
const FORMS: readonly (readonly [string, RegExp, WhatIfEvent['kind']])[] = [
  ['engine vm dies', /^(?:the )?engine(?: vm)? (?:dies|crashes|is killed|lost|fails)$/, 'engine-vm-dies'],
  ['global maintenance', /^(?:set )?global maintenance(?: on| set| is set)?$/, 'global-maintenance'],
  [
    'network of all cut',
    new RegExp(`^(?:the )?network (?:of|on) (?:all|every)(?: hosts?)? ${CUT}$`),
    'network-cut-all',
  ],
  ['network of HOST cut', new RegExp(`^(?:the )?network (?:of|on) ${HOST} ${CUT}$`), 'network-cut'],
  ['storage of HOST hangs', new RegExp(`^(?:the )?storage (?:of|on) ${HOST} ${HANGS}$`), 'storage-hangs'],
  ['storage hangs on HOST', new RegExp(`^(?:the )?storage ${HANGS} on ${HOST}$`), 'storage-hangs'],
  [
    'storage hangs',
    new RegExp(`^(?:the )?storage (?:(?:of|on) all(?: hosts)? )?${HANGS}(?: (?:on|for) all(?: hosts)?)?$`),
    'storage-hangs-all',
  ],
  ['HOST into maintenance', new RegExp(`^${HOST} (?:goes )?into (?:local )?maintenance$`), 'maintenance'],
  ['HOST shuts down', new RegExp(`^${HOST} (?:shuts down|reboots|is shut down)$`), 'shuts-down'],
  ['HOST lost', new RegExp(`^${HOST} ${LOST}$`), 'host-lost'],
];

export const EVENT_FORMS: readonly string[] = FORMS.map(([form]) => form);

function refused(subject: string, what: string, hosts: readonly NamedHost[]): CounterpartError {
  const names = hosts.map(({ id, hostname }) => (hostname === '' ? String(id) : `${id} (${hostname})`));
  return new CounterpartError({
    type: 'what-if/not-understood',
    kind: 'needs-operator',
    subject,
    what,
    why: `understood are: ${EVENT_FORMS.join(', ')}; several with "and" between them`,
    remedy: `HOST is an id or a name of: ${names.length === 0 ? 'no host is known yet' : names.join(', ')}.`,
  });
}

/** By full name, by short name, by id (`2`, `host2`, `host 2`), or `this host`. */
function hostOf(word: string, hosts: readonly NamedHost[]): NamedHost | undefined {
  const name = word.toLowerCase();
  const short = (host: NamedHost) => host.hostname.toLowerCase().split('.')[0];
  const id = Number(/^(?:host[ -]?)?(\d{1,4})$/.exec(name)?.[1]);
  return (
    hosts.find((host) => host.hostname.toLowerCase() === name) ??
    hosts.find((host) => short(host) === name) ??
    hosts.find((host) => host.id === id) ??
    (/^(?:this|here|this host)$/.test(name) ? hosts.find((host) => host.self) : undefined)
  );
}

function parseOne(text: string, hosts: readonly NamedHost[]): WhatIfEvent {
  const words = text
    .toLowerCase()
    .replaceAll(/\s+/g, ' ')
    .trim()
    .replace(/^this host\b/, 'this')
    .replace(' of this host ', ' of this ');
  for (const [, pattern, kind] of FORMS) {
    const match = pattern.exec(words);
    if (match === null) continue;
    if (
      kind === 'network-cut-all' ||
      kind === 'storage-hangs-all' ||
      kind === 'engine-vm-dies' ||
      kind === 'global-maintenance'
    )
      return { kind };
    const host = hostOf(match[1] ?? '', hosts);
    if (host === undefined) throw refused(text, `there is no host “${match[1] ?? ''}”`, hosts);
    return { kind, host: host.id };
  }
  throw refused(text, 'this event is not understood', hosts);
}

/** @throws {CounterpartError} `what-if/not-understood`, with the events and hosts that are understood */
export function parseEvents(text: string, hosts: readonly NamedHost[]): readonly WhatIfEvent[] {
  return text.split(/\s+and\s+|\s*,\s*/i).map((each) => parseOne(each.trim(), hosts));
}
