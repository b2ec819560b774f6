/** One opening of a window as Markdown: what an operator reads in the Temporal UI ("Current Details"). */
import { utcText } from '../model/operation-window.ts';
import type { WindowOperationView, WindowView } from '../model/window.ts';
import { plain, table } from '../steps/markdown.ts';

/** No-break spaces: a state is one word in the narrow table. */
const MARKS: Readonly<Record<WindowOperationView['state'], string>> = {
  pending: '·',
  running: '▶\u00a0**running**',
  done: '✔\u00a0done',
  aborted: '■\u00a0aborted',
  failed: '■\u00a0failed',
  waits: '⏸\u00a0**parked**',
  'not-started': '–\u00a0not\u00a0started',
};

/** First how it stands, then what it runs. */
export function windowMarkdown(view: WindowView, namespace: string): string {
  const link = ({ id }: WindowOperationView) =>
    `[${plain(id)}](/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(id)})`;
  const rows = view.operations.map((one) => [link(one), MARKS[one.state]]);
  const came = view.operations.flatMap(({ summary }, index) =>
    summary === undefined ? [] : [`- **${index + 1}** ${plain(summary)}`],
  );
  const outcome = view.outcome === undefined ? [] : view.outcome.split('\n\n').map((line) => `- ${plain(line)}`);
  return [
    `**${view.state}** · window ${plain(view.name)} · cluster ${plain(view.cluster)} · ${utcText(view.openedAt)} to ${utcText(view.until)}`,
    '',
    `Global maintenance: ${plain(view.globalMaintenance)}`,
    ...(view.waitsFor === undefined ? [] : ['', `Waits for ${plain(view.waitsFor)}`]),
    ...(outcome.length === 0 ? [] : ['', ...outcome]),
    ...(rows.length === 0 ? [] : ['', ...table(['operation', 'state'], rows)]),
    ...(came.length === 0 ? [] : ['', '**Results**', '', ...came]),
  ].join('\n');
}
