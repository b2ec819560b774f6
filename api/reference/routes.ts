/** `GET /api`: the OpenAPI document that the front door serves, as a page. As public as the document itself. */
import type { Hono } from 'hono';
import type { AppEnv } from '../context.ts';
import { pageHeaders } from '../page/assets.ts';
import { layout } from '../page/views/layout.ts';
import type { Html } from '../page/views/words.ts';
import type { AppPorts } from '../ports.ts';
import { readReference } from './shape.ts';
import { referenceView } from './view.ts';

/** Made when it is first asked for: a start must not wait for it. */
export function referenceRoute(app: Hono<AppEnv>, { clock }: Pick<AppPorts, 'clock'>, document: unknown): void {
  let content: Html | undefined;
  app.use('/api', pageHeaders());
  app.get('/api', (c) => {
    content ??= referenceView(readReference(document));
    return c.html(layout({ title: 'API reference', now: clock(), clusters: [] }, '/api', content));
  });
}
