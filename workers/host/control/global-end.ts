/** Global maintenance that ends by itself: kept on disk, so that a restart of the worker does not make it endless. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { Logger } from '../../../activities/vdsm/logger.ts';
import type { Agent } from '../agent.ts';

const LOOK_MS = 5000;

const schema = z.object({ until: z.string().optional(), reason: z.string().optional(), by: z.string() });

export interface GlobalEnd {
  set(wish: { readonly until: string | undefined; readonly reason: string | undefined; readonly by: string }): void;
  clear(): void;
  stop(): void;
}

/** Clears the flag when its time has come, on the wall clock, as its time was given by a person. */
export function watchGlobalEnd(file: string, agent: Agent, log: Logger): GlobalEnd {
  const read = () => {
    try {
      return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
    } catch {
      return undefined;
    }
  };
  const clear = () => rmSync(file, { force: true });
  const timer = setInterval(() => {
    const wish = read();
    if (wish?.until === undefined || Date.now() < Date.parse(wish.until)) return;
    log.info({ ...wish }, 'global maintenance ends, as was asked for');
    agent.setGlobal(false);
    clear();
  }, LOOK_MS);
  return {
    set(wish) {
      writeFileSync(`${file}.new`, JSON.stringify(wish), { mode: 0o600 });
      renameSync(`${file}.new`, file);
    },
    clear,
    stop: () => clearInterval(timer),
  };
}
