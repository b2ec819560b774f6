/**
 * Pictures of the status page from a real run on the lab, with what it weighs and how soon it is painted:
 * `node --import tsx test/browser/pictures.ts`. It parks an upgrade, looks at it, and goes on with it through the page.
 */
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { onLab, onPage, order, picture, say, type LabRun } from './lab-run.ts';

const FOLDER = fileURLToPath(new URL('../../api/page/pictures/', import.meta.url));
const BYTES_MAX = 120_000;
const TICKET = 'CHG0001234';
const DESKTOP = { viewport: { width: 1280, height: 800 }, colorScheme: 'light' } as const;
const PHONE = { viewport: { width: 390, height: 844 }, colorScheme: 'dark', isMobile: true, hasTouch: true } as const;
/** Impatient, so that the step parks soon. */
const TIMING = { firstRetryMs: 500, maxRetryMs: 1000, stepPatienceMs: 4000, heartbeatMs: 5000 };

async function measure(what: string, page: Page): Promise<void> {
  await page.waitForFunction(`performance.getEntriesByName('first-contentful-paint').length > 0`);
  const figures = await page.evaluate(`({
    paint: Math.round(performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1),
    bytes: Object.fromEntries([...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
      .filter(({ decodedBodySize }) => decodedBodySize > 0)
      .map(({ name, decodedBodySize }) => [new URL(name).pathname, decodedBodySize])),
  })`);
  say(`${what}: first contentful paint in ms, and bytes (not compressed): ${JSON.stringify(figures)}`);
}

async function shoot(run: LabRun): Promise<void> {
  const { lab, service } = run;
  const cluster = `${service.url}/ui/clusters/${lab.fixture.cluster.name}`;
  await order(run, '/operations', {
    operation: 'backup',
    cluster: lab.fixture.cluster.name,
    key: 'nightly-2026-11-21',
  });
  await onPage(run, DESKTOP, async (page) => {
    await page.goto(cluster);
    await measure('the first page of all', page);
    await page.reload();
    await measure('loaded again', page);
    await page.locator('.rows').getByText('Backup nightly').waitFor();
    await lab.inject({ kind: 'data-center-status', status: 'not_operational' });
    const { vmConf } = lab.fixture;
    await order(run, '/operations', {
      operation: 'upgrade',
      cluster: lab.fixture.cluster.name,
      key: TICKET,
      ticket: TICKET,
      vmConf,
    });
    await page.locator('#operations').getByText('parked: waits for a person').waitFor();
    await page.locator('#status').getByText(TICKET).waitFor();
    await picture(page, `${FOLDER}cluster.png`, BYTES_MAX);
    await onPage(run, PHONE, async (phone) => {
      await phone.goto(cluster);
      await picture(phone, `${FOLDER}phone.png`, BYTES_MAX);
    });
    await page.getByRole('link', { name: `Upgrade ${TICKET}` }).click();
    await page.getByText('What to do:').waitFor();
    await picture(page, `${FOLDER}parked.png`, BYTES_MAX);
    await measure('an operation', page);
    await lab.clear('data-center-status');
    await page.getByRole('link', { name: 'Try again' }).click();
    await page.getByLabel('Your name').fill('alice');
    await page.getByLabel('Reason').fill('data center is up again');
    await page.getByRole('button', { name: 'Try again' }).click();
    // Told by events from here on: nothing loads the page again.
    await page.locator('#operation .big', { hasText: 'done' }).waitFor();
    say(`${TICKET} was parked, tried again through the page, and is done`);
  });
}

await onLab(TIMING, shoot);
