/**
 * Pictures of the Temporal UI from a real run on the lab: `node --import tsx test/browser/temporal-pictures.ts`. One upgrade
 * is aborted, one runs into an engine that fails and parks, another operation waits behind it.
 */
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { until } from '../../infra/processes.ts';
import { onLab, onPage, order, picture, type LabRun } from './lab-run.ts';

const FOLDER = fileURLToPath(new URL('../../infra/temporal/pictures/', import.meta.url));
const BYTES_MAX = 200_000;
const COLUMNS = ['Status', 'Workflow ID', 'HeState', 'HeStep', 'HeTicket', 'HeCluster'];
const TIMING = { firstRetryMs: 500, maxRetryMs: 5000, stepPatienceMs: 60_000, heartbeatMs: 10_000 };
const WAIT_MS = 180_000;

const sized = (height: number) => ({ viewport: { width: 1400, height }, colorScheme: 'light' }) as const;

/** Until the operation is in the state, or one of its steps is. */
async function reached({ service }: LabRun, id: string, state: string, step?: string): Promise<void> {
  await until(
    `${id} ${state} ${step ?? ''}`,
    async () => {
      const answer = await fetch(`${service.url}/operations/${encodeURIComponent(id)}`);
      const report = (await answer.json()) as { state: string; steps?: { name: string; state: string }[] };
      if (step === undefined) return report.state === state;
      return report.steps?.some((one) => one.name === step && one.state === state) === true;
    },
    WAIT_MS,
  );
}

async function pageOf({ platform, service }: LabRun, id: string): Promise<string> {
  const { runId } = await service.client.workflow.getHandle(id).describe();
  const { uiUrl, namespace } = platform.temporal;
  return `${uiUrl}/namespaces/${namespace}/workflows/${encodeURIComponent(id)}/${runId}`;
}

const shot = (page: Page, name: string) => picture(page, `${FOLDER}${name}`, BYTES_MAX);

async function metadata(run: LabRun, id: string, height: number, name: string, words: string): Promise<void> {
  const address = await pageOf(run, id);
  await onPage(run, sized(height), async (page) => {
    await page.goto(`${address}/timeline`);
    await page.getByText('User Metadata').first().click();
    // The UI shows Markdown in frames of their own.
    const shown = async () => {
      const counts = await Promise.all(page.frames().map((frame) => frame.getByText(words).count()));
      return counts.some((count) => count > 0);
    };
    await until(`${words} on the page`, shown, 30_000);
    await shot(page, name);
  });
}

async function running(run: LabRun, id: string): Promise<void> {
  const address = await pageOf(run, id);
  await onPage(run, sized(1110), async (page) => {
    await page.goto(`${address}/timeline`);
    await page.getByText('9 of 13').first().waitFor();
    await page.getByText('Find or create the two OVF_STORE disks').first().waitFor();
    await shot(page, 'upgrade-running.png');
  });
  await metadata(run, id, 1480, 'upgrade-details.png', 'at step 9 of 13');
}

async function parked(run: LabRun, id: string): Promise<void> {
  await metadata(run, id, 1400, 'upgrade-parked.png', 'It waits for you');
  const address = await pageOf(run, id);
  await onPage(run, sized(860), async (page) => {
    await page.goto(`${address}/timeline`);
    await page.getByRole('button', { name: 'More Actions' }).click();
    // The UI keeps a second copy of menu and dialog for narrow screens.
    await page.getByText('Send an Update').filter({ visible: true }).first().click();
    const dialog = page.getByRole('dialog').filter({ visible: true });
    // Its select is a button, the first one of the form.
    await dialog.locator('form button').filter({ visible: true }).first().click();
    await page.getByText('Try the parked step again').filter({ visible: true }).first().waitFor();
    await shot(page, 'upgrade-update.png');
  });
}

async function list({ platform, ...run }: LabRun): Promise<void> {
  const { uiUrl, namespace } = platform.temporal;
  await onPage({ platform, ...run }, sized(640), async (page) => {
    const columns = JSON.stringify({ [namespace]: COLUMNS.map((label) => ({ label })) });
    await page.addInitScript(`localStorage.setItem('namespace-workflow-table-columns', ${JSON.stringify(columns)})`);
    const query = encodeURIComponent('HeState IS NOT NULL');
    await page.goto(`${uiUrl}/namespaces/${namespace}/workflows?query=${query}`);
    await page.getByText('queued').first().waitFor();
    await shot(page, 'list.png');
  });
}

async function shoot(run: LabRun): Promise<void> {
  const { lab } = run;
  const cluster = lab.fixture.cluster.name;
  const upgrade = (ticket: string) => ({ operation: 'upgrade', cluster, key: ticket, ticket });
  const idOf = (operation: string, key: string) => `${operation}/${cluster}/${key}`;
  await order(run, '/operations', { operation: 'backup', cluster, key: 'nightly-2026-11-21' });
  await reached(run, idOf('backup', 'nightly-2026-11-21'), 'done');
  await lab.inject({ kind: 'data-center-status', status: 'not_operational' });
  const first = idOf('upgrade', 'CHG0001230');
  await order(run, '/operations', upgrade('CHG0001230'));
  await reached(run, first, 'parked');
  await order(run, `/operations/${encodeURIComponent(first)}/abort`, { by: 'alice', reason: 'not before the weekend' });
  await reached(run, first, 'aborted');
  await lab.clear('data-center-status');
  const register = { kind: 'engine-error', match: 'POST /storagedomains/*/vms/*/register', times: 1000 } as const;
  await lab.inject({
    ...register,
    status: 503,
    reason: 'Service Unavailable',
    detail: 'The engine is being restarted.',
  });
  const id = idOf('upgrade', 'CHG0001234');
  await order(run, '/operations', upgrade('CHG0001234'));
  await reached(run, id, 'running', 'import-vm');
  await running(run, id);
  // No longer worth another try: it parks.
  await lab.clear('engine-error');
  const detail = '[Cannot import VM. The relevant Storage Domain is locked.]';
  await lab.inject({ ...register, status: 409, reason: 'Operation Failed', detail });
  await reached(run, id, 'parked');
  await parked(run, id);
  await order(run, '/operations', {
    operation: 'global-maintenance',
    cluster,
    key: 'CHG0001260',
    ticket: 'CHG0001260',
    mode: 'on',
  });
  await reached(run, idOf('global-maintenance', 'CHG0001260'), 'queued');
  await list(run);
}

await onLab(TIMING, shoot);
