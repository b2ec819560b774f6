/** A daemon's clock: seconds that run `speed` times faster, that all daemons of one machine share, and that can be stopped. */

/** Thrown into whatever still waits when the daemon is killed. It must not touch anything afterwards. */
export class Killed extends Error {}

export class ModelTime {
  readonly speed: number;
  /** How often it was frozen. */
  freezes = 0;
  readonly #wakers = new Set<() => void>();
  #frozen: Promise<void> | undefined;
  #thaw: () => void = () => undefined;
  #killed = false;

  constructor(speed: number) {
    this.speed = speed;
  }

  /** Seconds since the machine's start, times `speed`. */
  now(): number {
    return (Number(process.hrtime.bigint()) / 1e9) * this.speed;
  }

  get killed(): boolean {
    return this.#killed;
  }

  get frozen(): boolean {
    return this.#frozen !== undefined;
  }

  freeze(on: boolean): void {
    if (on === this.frozen) return;
    if (on) {
      this.freezes += 1;
      this.#frozen = new Promise((resolve) => (this.#thaw = resolve));
      return;
    }
    this.#frozen = undefined;
    this.#thaw();
  }

  /** Everything that waits ends with `Killed`. */
  kill(): void {
    this.#killed = true;
    this.freeze(false);
    for (const wake of this.#wakers) wake();
    this.#wakers.clear();
  }

  /** @throws Killed */
  async sleep(seconds: number): Promise<void> {
    await this.#once((done) => {
      const timer = setTimeout(done, (1000 * seconds) / this.speed);
      return () => clearTimeout(timer);
    });
  }

  /** Until somebody calls what is put into `bells`, `limit` seconds at most. @throws Killed */
  async wait(bells: Set<() => void>, limit: number): Promise<void> {
    await this.#once((done) => {
      const timer = setTimeout(done, (1000 * limit) / this.speed);
      bells.add(done);
      return () => {
        clearTimeout(timer);
        bells.delete(done);
      };
    });
  }

  /** A frozen daemon goes no further than this. @throws Killed */
  async running(): Promise<void> {
    while (this.#frozen !== undefined) await this.#frozen;
    if (this.#killed) throw new Killed();
  }

  async #once(begin: (done: () => void) => () => void): Promise<void> {
    if (this.#killed) throw new Killed();
    await new Promise<void>((resolve) => {
      const done = () => {
        this.#wakers.delete(done);
        end();
        resolve();
      };
      const end = begin(done);
      this.#wakers.add(done);
    });
    await this.running();
  }
}
