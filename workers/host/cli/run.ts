/** `bellwether-host run --config FILE`: the worker itself, in the foreground, until SIGTERM or SIGINT. */
import { pino } from 'pino';
import { readWorkerConf } from '../config/worker-conf.ts';
import { startService } from '../service.ts';
import { VERSION } from '../version.ts';

/** @throws CounterpartError when it can't start */
export async function run(configFile: string): Promise<void> {
  const conf = readWorkerConf(configFile);
  const log = pino({ level: conf['log-level'], base: null, timestamp: pino.stdTimeFunctions.isoTime });
  const worker = await startService({ conf, version: VERSION, log });
  const signal = await new Promise<string>((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => resolve(name));
  });
  log.info({ signal }, 'the worker ends; the engine VM stays as it is');
  await worker.stop();
}
