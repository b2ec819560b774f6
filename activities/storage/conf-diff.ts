/** What differs between two `key=value` files, key by key, for a person to read. Pure. */
const VALUE_CHARS_MAX = 80;
/** Passwords stand in clear text in hosted-engine.conf and in answer files (ha-agent.md 5.1). */
const SECRET = /passw|secret|token/i;

function shown(value: string): string {
  return value.length <= VALUE_CHARS_MAX ? value : `${value.slice(0, VALUE_CHARS_MAX)}… (${value.length} characters)`;
}

/** Values of each key; keys may stand several times (`devices=`). Lines without `=` count by themselves. */
function byKey(text: string): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const line of text.split(/\r\n|\n|\r/)) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const at = trimmed.indexOf('=');
    const key = at < 0 ? trimmed : trimmed.slice(0, at).trim();
    const values = found.get(key) ?? [];
    values.push(at < 0 ? '' : trimmed.slice(at + 1).trim());
    found.set(key, values);
  }
  return found;
}

/** What `from` has more than `other` has; equal values count as often as they stand. */
function surplus(from: readonly string[], other: readonly string[]): string[] {
  const left = [...other];
  return from.filter((value) => {
    const at = left.indexOf(value);
    if (at < 0) return true;
    left.splice(at, 1);
    return false;
  });
}

/**
 * A line per difference, in words: "memSize: 8192 now, 16384 in the backup". Comments, blanks and order do not count,
 * unless nothing else differs: then one line says so. Empty for equal texts. Secrets are never shown.
 */
export function diffConf(now: string, backup: string): string[] {
  if (now === backup) return [];
  const [left, right] = [byKey(now), byKey(backup)];
  const keys = [...new Set([...left.keys(), ...right.keys()])];
  const lines = keys.flatMap((key) => {
    const [here, there] = [left.get(key) ?? [], right.get(key) ?? []];
    const [gone, come] = [surplus(here, there), surplus(there, here)];
    if (gone.length + come.length === 0) return [];
    if (SECRET.test(key)) return [`${key}: differs (secret, not shown)`];
    const [from, to] = [gone[0], come[0]];
    if (gone.length === 1 && come.length === 1 && from !== undefined && to !== undefined)
      return [`${key}: ${shown(from) || 'empty'} now, ${shown(to) || 'empty'} in the backup`];
    return [
      ...gone.map((value) => `${key}: ${shown(value) || 'empty'} now, not in the backup`),
      ...come.map((value) => `${key}: ${shown(value) || 'empty'} in the backup, not there now`),
    ];
  });
  return lines.length > 0 ? lines : ['only blanks, comments or the order of lines differ'];
}
