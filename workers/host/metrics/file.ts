/** Writes the metrics each 15 s, whole or not at all: a scrape never sees half a file. */
import { rename, unlink, writeFile } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Logger } from '../../../activities/vdsm/logger.ts';
import { metricsText, type HostMetrics } from './text.ts';

const EVERY_MS = 15_000;
/** Each look wakes an idle worker. */
const RESOLUTION_MS = 100;
const NS_PER_MS = 1_000_000;

export interface MetricsFile {
  /** Takes the file away: what is not updated must not look alive. */
  stop(): Promise<void>;
}

export interface MetricsFileOptions {
  readonly file: string;
  readonly facts: () => Omit<HostMetrics, 'loopLagMs'>;
  readonly log: Logger;
  readonly everyMs?: number;
}

export function writeMetrics({ file, facts, log, everyMs = EVERY_MS }: MetricsFileOptions): MetricsFile {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  let failing = false;
  let writing: Promise<void> | undefined;

  async function write(): Promise<void> {
    // What the timer itself takes is no lag.
    const loopLagMs = delay.count === 0 ? 0 : Math.max(0, delay.max / NS_PER_MS - RESOLUTION_MS);
    delay.reset();
    try {
      // The collector reads *.prom only.
      await writeFile(`${file}.new`, metricsText({ ...facts(), loopLagMs }), { mode: 0o644 });
      await rename(`${file}.new`, file);
      failing = false;
    } catch (error) {
      if (!failing) log.warn({ file, error: String(error) }, 'the metrics can’t be written');
      failing = true;
    }
  }

  // One at a time: a disk that hangs must not gather writes.
  const turn = () => {
    writing ??= write().finally(() => (writing = undefined));
  };
  turn();
  const timer = setInterval(turn, everyMs);
  timer.unref();
  return {
    async stop() {
      clearInterval(timer);
      delay.disable();
      await writing;
      await unlink(file).catch(() => undefined);
    },
  };
}
