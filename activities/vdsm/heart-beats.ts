/** STOMP heart-beats of one connection: keep our promise, notice a peer that breaks its own (vdsm.md 2). */
import type { Clock } from './clock.ts';

/** Early enough that a busy event loop does not break the promise: VDSM gives no grace. */
const SEND_AT = 0.7;
/** The peer's beats may be late by a whole interval. */
const DEAD_AT = 2;

/** `x,y` of a heart-beat header; absent or malformed counts as `0,0`, as VDSM reads it. Milliseconds. */
export function parseHeartBeat(header: string | undefined): readonly [sends: number, wants: number] {
  const match = /^(\d{1,9}),(\d{1,9})$/.exec(header ?? '');
  return match === null ? [0, 0] : [Number(match[1]), Number(match[2])];
}

export interface BeatActions {
  /** Send one EOL. */
  beat(): void;
  /** Nothing was heard for so long that the peer must be taken for dead. */
  dead(silentMs: number): void;
}

export class HeartBeats {
  readonly #clock: Clock;
  readonly #actions: BeatActions;
  #heardAt = 0;
  #cancelSend: (() => void) | undefined;
  #cancelCheck: (() => void) | undefined;
  #stopped = false;

  constructor(clock: Clock, actions: BeatActions) {
    this.#clock = clock;
    this.#actions = actions;
  }

  /** @param offeredMs what CONNECT offered in both directions; @param answer CONNECTED's heart-beat header */
  start(offeredMs: number, answer: string | undefined): void {
    const [sends, wants] = parseHeartBeat(answer);
    this.#heardAt = this.#clock.now();
    if (offeredMs > 0 && wants > 0) this.#send(SEND_AT * Math.max(offeredMs, wants));
    if (offeredMs > 0 && sends > 0) this.#check(DEAD_AT * Math.max(offeredMs, sends));
  }

  /** Any byte counts as a sign of life. */
  heard(): void {
    this.#heardAt = this.#clock.now();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelSend?.();
    this.#cancelCheck?.();
  }

  #send(everyMs: number): void {
    this.#cancelSend = this.#clock.after(everyMs, () => {
      this.#actions.beat();
      if (!this.#stopped) this.#send(everyMs);
    });
  }

  #check(limitMs: number): void {
    const left = this.#heardAt + limitMs - this.#clock.now();
    this.#cancelCheck = this.#clock.after(left, () => {
      // When our own process was asleep, the bytes are waiting in the socket: read them before judging.
      setImmediate(() => {
        if (this.#stopped) return;
        const silentMs = this.#clock.now() - this.#heardAt;
        if (silentMs >= limitMs) this.#actions.dead(silentMs);
        else this.#check(limitMs);
      });
    });
  }
}
