/**
 * Server-sent events. Each carries a part of the page as HTML; its id is the part's digest, so that a listener that comes
 * back (`Last-Event-ID`), to this process or another, is only told what it has not seen.
 */
import { createHash } from 'node:crypto';

/** A proxy must not take a silent stream for a dead one. */
const HEARTBEAT_MS = 15_000;
/** Who reads so much too slowly is cut, and comes back for the newest. */
const WAITING_MAX = 64;

export interface Streams {
  /**
   * @param join starts telling parts; returns the way to stop
   * @param untilMs when it ends at the latest: with the session
   * @returns undefined when there are too many
   */
  open(join: (tell: (part: string) => void) => () => void, seen: string, untilMs: number): Response | undefined;
  /** Ends all of them, and takes no more. */
  close(): void;
}

export const digestOf = (part: string): string => createHash('sha256').update(part).digest('hex').slice(0, 16);

export function createStreams(max: number, clock: () => Date): Streams {
  const open = new Set<() => void>();
  let closed = false;
  const text = new TextEncoder();

  function stream(join: (tell: (part: string) => void) => () => void, seen: string, untilMs: number) {
    let last = seen;
    let end = (): void => {};
    const body = new ReadableStream<Uint8Array>(
      {
        start(controller) {
          const send = (chunk: string) => {
            if ((controller.desiredSize ?? 0) <= -WAITING_MAX) end();
            else controller.enqueue(text.encode(chunk));
          };
          let over = false;
          const beat = setInterval(() => send(': still here\n\n'), HEARTBEAT_MS).unref();
          const late = setTimeout(() => end(), Math.max(0, untilMs - clock().getTime())).unref();
          let leave = (): void => {};
          end = () => {
            if (over) return;
            over = true;
            clearInterval(beat);
            clearTimeout(late);
            open.delete(end);
            leave();
            controller.close();
          };
          open.add(end);
          send('retry: 2000\n\n');
          leave = join((part) => {
            const id = digestOf(part);
            if (over || id === last) return;
            last = id;
            const data = part.split('\n').map((line) => `data: ${line}\n`);
            send(`id: ${id}\nevent: part\n${data.join('')}\n`);
          });
        },
        cancel: () => {
          // The listener went: its controller is closed already.
          try {
            end();
          } catch {
            // So it is.
          }
        },
      },
      { highWaterMark: 8 },
    );
    return body;
  }

  return {
    open(join, seen, untilMs) {
      if (closed || open.size >= max) return undefined;
      const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' };
      return new Response(stream(join, seen, untilMs), { headers });
    },
    close() {
      closed = true;
      for (const end of open) end();
    },
  };
}
