/** Token bucket: so many a minute on the long run, and as many at once. */
export interface Bucket {
  /** Takes one; else after how many seconds there will be one. */
  take(): number | undefined;
}

export function createBucket(perMinute: number, clock: () => Date): Bucket {
  let tokens = perMinute;
  let last = clock().getTime();
  return {
    take() {
      const now = clock().getTime();
      // A clock that was set back gives nothing and takes nothing.
      tokens = Math.min(perMinute, tokens + (Math.max(0, now - last) * perMinute) / 60_000);
      last = now;
      if (tokens < 1) return Math.max(1, Math.ceil(((1 - tokens) * 60) / perMinute));
      tokens -= 1;
      return undefined;
    },
  };
}

const PER_MINUTE = 600;

/** Two buckets per source: what is forged by others must not use up what the sender may send. */
export function createBuckets(clock: () => Date) {
  const buckets = new Map<string, Bucket>();
  return (source: { readonly name: string; readonly ratePerMinute?: number }, kind: 'verified' | 'refused'): Bucket => {
    const key = `${kind} ${source.name}`;
    const known = buckets.get(key) ?? createBucket(source.ratePerMinute ?? PER_MINUTE, clock);
    buckets.set(key, known);
    return known;
  };
}
