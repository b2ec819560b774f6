/**
 * The ini of broker.conf as Python's configparser reads it: sections, `key = value` or `key: value`, keys without case,
 * whole-line comments, indented lines that go on with the value, `[DEFAULT]` under all sections. Lenient: what is no such
 * line is passed over, and the last of a repeated key counts.
 */
export type Ini = ReadonlyMap<string, ReadonlyMap<string, string>>;

export function parseIni(text: string): Ini {
  const sections = new Map<string, Map<string, string>>();
  let section: Map<string, string> | undefined;
  let key: string | undefined;
  for (const line of text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)) {
    const bare = line.trim();
    if (bare.startsWith('#') || bare.startsWith(';')) continue;
    const goesOn = bare === '' || /^\s/.test(line);
    if (goesOn && section !== undefined && key !== undefined) {
      section.set(key, `${section.get(key) ?? ''}\n${bare}`);
      continue;
    }
    const [, header] = /^\[([^\]]+)\]/.exec(bare) ?? [];
    const split = bare.search(/[=:]/);
    key = undefined;
    if (header !== undefined) {
      section = sections.get(header) ?? new Map();
      sections.set(header, section);
    } else if (split > 0) {
      key = bare.slice(0, split).trim().toLowerCase();
      section?.set(key, bare.slice(split + 1).trim());
    }
  }
  const common = sections.get('DEFAULT') ?? new Map<string, string>();
  sections.delete('DEFAULT');
  const trimmed = (own: ReadonlyMap<string, string>) =>
    new Map([...common, ...own].map(([name, value]) => [name, value.trimEnd()]));
  return new Map([...sections].map(([name, own]) => [name, trimmed(own)]));
}
