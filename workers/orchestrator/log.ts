/** The SDK's log entries in our words: each line of a workflow or an activity says which operation, step and attempt. */
import type { LogEntry, LogLevel } from '@temporalio/worker';
import type { Logger } from 'pino';

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

const OWN: Readonly<Record<string, LogLevel>> = { trace: 'TRACE', debug: 'DEBUG', info: 'INFO', warn: 'WARN' };

/** The least that is worth making an entry of. */
export function logLevelOf(logger: { readonly level: string }): LogLevel {
  return OWN[logger.level] ?? 'ERROR';
}

/** Of use to the SDK's makers only, or the same in each line. */
const DROPPED = new Set([
  'namespace',
  'taskQueue',
  'taskToken',
  'isLocal',
  'sdkComponent',
  'workflowType',
  'timestampNanos',
]);

/** `operation` is the workflow's id, in the front door's lines too; `step` is the activity's name. */
export function logSink(
  logger: Pick<Logger, 'trace' | 'debug' | 'info' | 'warn' | 'error'>,
): (entry: LogEntry) => void {
  return ({ level, message, meta }) => {
    const { error, workflowId, activityType, ...others } = { ...meta };
    const rest = Object.entries(others).filter(([name]) => !DROPPED.has(name));
    const fields = {
      ...(workflowId === undefined ? {} : { operation: workflowId }),
      ...(activityType === undefined ? {} : { step: activityType }),
      ...Object.fromEntries(rest),
      ...(error === undefined ? {} : { error: error instanceof Error ? error.message : error }),
    };
    logger[LEVELS[level]](fields, message);
  };
}
