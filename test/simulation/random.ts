/** Random numbers that a seed fixes: the same seed tells the same story on every machine (sfc32). */
export interface Random {
  /** 0 <= x < 1. */
  next(): number;
  between(min: number, max: number): number;
  integer(min: number, max: number): number;
  chance(probability: number): boolean;
  /** undefined only for an empty list. */
  pick<T>(list: readonly T[]): T | undefined;
  /** Mean `mean`, never beyond ten times that. */
  exponential(mean: number): number;
}

export function createRandom(seed: number): Random {
  let a = 0x9e3779b9 ^ seed;
  let b = Math.imul(seed, 0x85ebca6b) | 0;
  let c = Math.imul(seed ^ 0x27d4eb2f, 0xc2b2ae35) | 0;
  let d = 1;
  const next = () => {
    const t = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return (t >>> 0) / 4_294_967_296;
  };
  for (let i = 0; i < 12; i += 1) next();
  const between = (min: number, max: number) => min + next() * (max - min);
  const integer = (min: number, max: number) => Math.floor(between(min, max + 1));
  return {
    next,
    between,
    integer,
    chance: (probability) => next() < probability,
    pick: (list) => list[integer(0, list.length - 1)],
    exponential: (mean) => Math.min(10 * mean, -Math.log(1 - next()) * mean),
  };
}
