/** Whom the engine VM's lease names, read by the daemon. It reads 1 MiB for that, and hangs when the storage hangs. */
import { type Answer, type Owner, ownersOf, requests, type Resource } from './codec.ts';
import { refusal } from './errors.ts';

export interface OwnerRead {
  /** When the reading began. */
  readonly atMs: number;
  /** undefined: free. */
  readonly owner: Owner | undefined;
}

export interface OwnerReaderOptions {
  readonly lease: Resource;
  /** Waits for as long as the daemon lives. */
  readonly ask: (bytes: Buffer, what: string) => Promise<Answer>;
}

export class OwnerReader {
  readonly #options: OwnerReaderOptions;
  #last: OwnerRead | undefined;
  /** A hung reading keeps one of the daemon's few workers, which VM starts need too: so there is never a second. */
  #flight: Promise<OwnerRead> | undefined;

  constructor(options: OwnerReaderOptions) {
    this.#options = options;
  }

  get last(): OwnerRead | undefined {
    return this.#last;
  }

  /** The next `read` asks the daemon, however young the last one is. */
  forget(): void {
    this.#last = undefined;
  }

  /**
   * Asks unless the last answer is `youngMs` old at most, and waits `limitMs` for it; a later answer counts at the next call.
   * @returns an answer to a question of `oldMs` ago at most; undefined when there is none
   * @throws CounterpartError what the daemon said instead
   */
  async read(
    atMs: number,
    age: { readonly youngMs: number; readonly oldMs: number; readonly limitMs: number },
  ): Promise<OwnerRead | undefined> {
    const young = this.#last !== undefined && atMs - this.#last.atMs < age.youngMs;
    if (this.#flight === undefined && young) return this.#last;
    this.#flight ??= this.#ask(atMs).finally(() => (this.#flight = undefined));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), age.limitMs);
    });
    try {
      await Promise.race([this.#flight, late]);
    } finally {
      clearTimeout(timer);
    }
    return this.#last !== undefined && atMs - this.#last.atMs <= age.oldMs ? this.#last : undefined;
  }

  async #ask(atMs: number): Promise<OwnerRead> {
    const { lease, ask } = this.#options;
    const what = 'the engine VM’s lease can’t be read';
    const answer = await ask(requests.readResourceOwners(lease), what);
    if (answer.result < 0) throw refusal(`${lease.path} at ${lease.offset}`, what, answer.result);
    this.#last = { atMs, owner: ownersOf(answer)[0] };
    return this.#last;
  }
}
