/** Bounds work under way: one caller too many is told so at once instead of waiting in a queue nobody sees. */
export interface Gate {
  /** Runs the work, or answers undefined without running it when the gate is full. */
  run<T>(work: () => Promise<T>): Promise<T | undefined>;
}

export function createGate(max: number): Gate {
  let inside = 0;
  return {
    async run(work) {
      if (inside >= max) return undefined;
      inside += 1;
      try {
        return await work();
      } finally {
        inside -= 1;
      }
    },
  };
}
