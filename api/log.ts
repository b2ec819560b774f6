import { pino, type DestinationStream, type Logger } from 'pino';

/**
 * One JSON line per event on standard output. Nothing that logs here passes headers or bodies; the redaction is a
 * second net for a field that slips in.
 */
export function createLogger(level = 'info', destination?: DestinationStream): Logger {
  const options = {
    name: 'front-door',
    level,
    redact: { paths: ['authorization', '*.authorization', 'secret', '*.secret', 'token', '*.token'], censor: '***' },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
