/** A logger that keeps what it is told. */
export interface RecordedLog {
  readonly level: 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

export function recorder() {
  const lines: RecordedLog[] = [];
  const at = (level: RecordedLog['level']) => (fields: object, message: string) =>
    void lines.push({ level, fields, message });
  return { lines, logger: { info: at('info'), warn: at('warn'), error: at('error') } };
}
