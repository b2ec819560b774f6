/** News as people read them: what happened, why, what to do next, with links. */
import type { News } from '../../workflows/model/notify.ts';

/** Addresses of an operation by its id. */
export interface Links {
  /** At the front door, as people reach it. */
  readonly operation?: (id: string) => string;
  /** In the Temporal UI. */
  readonly temporalUi?: (id: string) => string;
}

const WORDS = { parked: 'needs you', failed: 'failed', done: 'done', 'host-alert': 'host alert' } as const;

/** No line breaks: it becomes a header. */
export function subjectOf(news: News): string {
  return `[Bellwether, ${WORDS[news.kind]}] ${news.title}`.replaceAll(/\s+/g, ' ').slice(0, 200);
}

export function linksOf({ operation: id }: News, { operation, temporalUi }: Links): readonly string[] {
  if (id === undefined) return [];
  return [...(temporalUi === undefined ? [] : [temporalUi(id)]), ...(operation === undefined ? [] : [operation(id)])];
}

export function textOf(news: News, links: Links): string {
  const { title, happened, why, todo, at, cluster } = news;
  const where = linksOf(news, links);
  const parts = [
    `${title}\n${at}, cluster ${cluster}`,
    `What happened: ${happened}`,
    ...(why === undefined ? [] : [`Why: ${why}`]),
    todo.length === 0 ? 'Nothing is to be done.' : ['What to do next:', ...todo.map((line) => `  ${line}`)].join('\n'),
    ...(where.length === 0 ? [] : [['Look at it:', ...where.map((link) => `  ${link}`)].join('\n')]),
  ];
  return `${parts.join('\n\n')}\n`;
}
