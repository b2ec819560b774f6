/** Programs of this benchmark in processes of their own: what they use and how fast they are is then theirs alone. */
import { fork, type ChildProcess } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { z } from 'zod';

const ANSWER_LIMIT_MS = 60_000;
const END_LIMIT_MS = 20_000;

const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface Child {
  /** Sends a word and waits for an answer of the wanted form. @throws Error when the process ends or stays silent */
  ask<T>(word: string, answer: z.ZodType<T>): Promise<T>;
  /** Waits for a message of the wanted form that comes unasked, now or earlier. */
  hear<T>(answer: z.ZodType<T>): Promise<T>;
  stop(): Promise<void>;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
}

/** @param file beside this one @param settings given to the program as JSON in its first argument */
export function startChild(file: string, settings: object): Child {
  const here = dirname(fileURLToPath(import.meta.url));
  const tsx = pathToFileURL(join(here, '../../node_modules/tsx/dist/loader.mjs')).href;
  const child = fork(join(here, file), [JSON.stringify(settings)], {
    execArgv: ['--expose-gc', '--import', tsx],
  });
  running.add(child);
  const heard: unknown[] = [];
  const ended = new Promise<number>((resolve) => {
    child.once('error', () => resolve(127));
    child.once('exit', (code) => resolve(code ?? 128));
  }).then((code) => {
    running.delete(child);
    return code;
  });
  let wake = () => {};
  child.on('message', (message) => {
    heard.push(message);
    wake();
  });
  async function hear<T>(answer: z.ZodType<T>): Promise<T> {
    const deadline = Date.now() + ANSWER_LIMIT_MS;
    for (;;) {
      for (const [index, message] of heard.entries()) {
        const parsed = answer.safeParse(message);
        if (!parsed.success) continue;
        heard.splice(index, 1);
        return parsed.data;
      }
      const code = await Promise.race([
        ended,
        new Promise<undefined>((resolve) => {
          const timer = setTimeout(resolve, Math.max(0, deadline - Date.now()), undefined);
          wake = () => {
            clearTimeout(timer);
            resolve(undefined);
          };
        }),
      ]);
      if (code !== undefined) throw new Error(`${file} ended with ${code} before it answered`);
      if (Date.now() >= deadline) throw new Error(`${file} gave no answer within ${ANSWER_LIMIT_MS} ms`);
    }
  }
  return {
    hear,
    ask(word, answer) {
      child.send(word);
      return hear(answer);
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    async stop() {
      if (running.has(child)) child.send('stop');
      const timer = setTimeout(() => child.kill('SIGKILL'), END_LIMIT_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}
