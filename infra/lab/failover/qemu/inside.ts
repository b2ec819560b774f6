/**
 * Runs inside a namespace for the lab, which is outside: opens a listening socket there and hands it over, or asks a page.
 * Messages: `{listen: {host, port}}` → `{port}` with the socket; `{page: url}` → `{page: text}`. Ends with the channel.
 */
import { createServer } from 'node:net';
import { z } from 'zod';

/** A guest that boots does not answer at all: whoever asks it asks again soon. */
const PAGE_MS = 500;

const wishSchema = z.union([
  z.object({ listen: z.object({ host: z.string(), port: z.number() }) }),
  z.object({ page: z.string() }),
]);

async function page(url: string): Promise<string> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(PAGE_MS) });
    return answer.ok ? await answer.text() : '';
  } catch {
    return '';
  }
}

function listen(host: string, port: number): void {
  const server = createServer();
  server.listen(port, host, () => {
    const address = server.address();
    const bound = typeof address === 'object' && address !== null ? address.port : 0;
    process.send?.({ port: bound }, server, undefined, () => server.close());
  });
}

process.on('message', (message: unknown) => {
  const wish = wishSchema.parse(message);
  if ('listen' in wish) listen(wish.listen.host, wish.listen.port);
  else void page(wish.page).then((text) => process.send?.({ page: text }));
});
process.on('disconnect', () => process.exit(0));
