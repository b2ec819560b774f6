/** An operation's page, and the forms of its commands. */
import type { Hono } from 'hono';
import type { OperatorAction } from '../../workflows/model/operation.ts';
import { refuse, type AppContext, type AppEnv } from '../context.ts';
import type { OperationReport } from '../ports.ts';
import { actFromForm, drawKey } from './commands.ts';
import { formOf } from './forms.ts';
import { actionQuestion } from './questions.ts';
import { forOperators, forReaders, type Desk, type Parts } from './desk.ts';
import type { Visitor } from './session.ts';
import { confirmForm } from './views/confirm.ts';
import { operationPart } from './views/operation.ts';
import { operationLabel, operationPath, operationTitle } from './views/words.ts';

const isAction = (text: string): text is OperatorAction => text === 'retry' || text === 'skip' || text === 'abort';

/** The operation, or the refusal. */
async function reportOf(c: AppContext, { ports }: Desk): Promise<OperationReport | Response> {
  const id = c.req.param('id') ?? '';
  const reply = await ports.reader.show(id);
  if (reply.outcome === 'unavailable') return refuse(c, 'temporal-unavailable', reply.why);
  if (reply.outcome === 'unknown') return refuse(c, 'operation-not-found', `no operation has the id ${id}`);
  return reply.report;
}

function question(c: AppContext, desk: Desk, visitor: Visitor, report: OperationReport): Response | Promise<Response> {
  const action = c.req.query('do') ?? '';
  if (!isAction(action)) return refuse(c, 'not-found', `an operation has no action ${action}`);
  if (!report.actions.includes(action)) {
    return refuse(c, 'action-refused', `${action} is not possible now: ${report.id} is ${report.state}`);
  }
  const { title, what, button } = actionQuestion(report, action);
  const to = operationPath(report.id);
  const hidden = { do: action, key: drawKey() };
  return desk.show(c, visitor, title, confirmForm({ action: to, what, button, back: to, hidden, visitor }));
}

/** @returns the part that is told by events. */
export function operationPages(app: Hono<AppEnv>, desk: Desk): Parts['operation'] {
  const { ports } = desk;
  const shown = (report: OperationReport, visitor: Visitor) => ({
    report,
    visitor,
    temporalUi: ports.temporalUiLink?.(report.id),
    now: ports.clock(),
  });
  const ask = forOperators(desk, async (c, visitor) => {
    const report = await reportOf(c, desk);
    return report instanceof Response ? report : question(c, desk, visitor, report);
  });
  const look = forReaders(desk, async (c, visitor) => {
    const report = await reportOf(c, desk);
    if (report instanceof Response) return report;
    const { operation, cluster } = report;
    const title = `${operationTitle(operation)} ${operationLabel(report)}`;
    return desk.show(c, visitor, title, operationPart(shown(report, visitor)), cluster);
  });
  app.get('/ui/operations/:id{.+}', (c) => (c.req.query('do') === undefined ? look(c) : ask(c)));
  app.post(
    '/ui/operations/:id{.+}',
    forOperators(desk, async (c, visitor) => {
      const form = await formOf(c, visitor.via === 'bearer' ? undefined : visitor.formToken);
      if (!form.ok) return form.response;
      const action = form.value['do'] ?? '';
      if (!isAction(action)) return refuse(c, 'not-found', `an operation has no action ${action}`);
      return actFromForm(c, ports, visitor, form.value, c.req.param('id') ?? '', action);
    }),
  );
  return (id, seen, visitor) => {
    const reply = seen.shown.get(id);
    return reply?.outcome === 'found' ? operationPart({ ...shown(reply.report, visitor), seen }) : undefined;
  };
}
