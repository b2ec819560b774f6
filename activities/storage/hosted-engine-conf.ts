/**
 * hosted-engine.conf: flat `key=value` with `#` comments, read by Python and *sourced by shell scripts* alike
 * (ha-agent.md 5.1). Order and comments are kept, so that an edit changes one line and no more.
 */

type Row =
  | { readonly kind: 'setting'; readonly key: string; readonly value: string }
  | { readonly kind: 'text'; readonly text: string };

export interface HostedEngineConf {
  /** Rows in the file's order; `text` rows are comments, blanks and whatever is no setting. */
  readonly rows: readonly Row[];
}

/** Any text is a conf; rows that are no settings stay text. */
export function parseHostedEngineConf(text: string): HostedEngineConf {
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/);
  if (lines.at(-1) === '') lines.pop();
  const rows = lines.map((line): Row => {
    const setting = /^\s*([A-Za-z_][\w.]*)\s*=(.*)$/.exec(line);
    return setting === null
      ? { kind: 'text', text: line }
      : { kind: 'setting', key: setting[1] ?? '', value: (setting[2] ?? '').trim() };
  });
  return { rows };
}

export function formatHostedEngineConf(conf: HostedEngineConf): string {
  return conf.rows.map((row) => `${row.kind === 'setting' ? `${row.key}=${row.value}` : row.text}\n`).join('');
}

/** Value of a key, the last one if it stands twice; empty and the word `None` (Python's nothing) count as absent. */
export function confValue(conf: HostedEngineConf, key: string): string | undefined {
  const row = conf.rows.findLast((each) => each.kind === 'setting' && each.key === key);
  const value = row?.kind === 'setting' ? row.value : '';
  return value === '' || value === 'None' ? undefined : value;
}

/** A conf with the key set, in its place or, if new, at the end. */
export function withConfValue(conf: HostedEngineConf, key: string, value: string): HostedEngineConf {
  const row: Row = { kind: 'setting', key, value };
  const at = conf.rows.findLastIndex((each) => each.kind === 'setting' && each.key === key);
  return { rows: at < 0 ? [...conf.rows, row] : conf.rows.with(at, row) };
}

/** Keys and values in the file's order, absent ones left out; for those who only look. */
export function readHostedEngineConf(text: string): ReadonlyMap<string, string> {
  const conf = parseHostedEngineConf(text);
  const keys = conf.rows.flatMap((row) => (row.kind === 'setting' ? [row.key] : []));
  return new Map(
    keys.flatMap((key): readonly (readonly [string, string])[] => {
      const value = confValue(conf, key);
      return value === undefined ? [] : [[key, value]];
    }),
  );
}
