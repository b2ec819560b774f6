/** The worker's clocks. */
import { readFileSync } from 'node:fs';

/**
 * Milliseconds since boot, suspend included (CLOCK_BOOTTIME, in steps of 10 ms): Node's own monotonic clock stands still
 * while the host sleeps, and a worker that wakes up with facts of yesterday must see that they are old.
 * @param file `/proc/uptime`, or what stands in for it
 */
export function bootClock(file = '/proc/uptime'): () => number {
  const read = () => Number(readFileSync(file, 'utf8').split(' ', 1)[0]) * 1000;
  // Between two readings the monotonic clock adds what the ten milliseconds hide.
  let boot = read();
  let mono = performance.now();
  let last = boot;
  return () => {
    const now = read();
    const guess = boot + (performance.now() - mono);
    if (Math.abs(now - guess) > 10) {
      boot = now;
      mono = performance.now();
    }
    last = Math.max(last, boot + (performance.now() - mono));
    return last;
  };
}
