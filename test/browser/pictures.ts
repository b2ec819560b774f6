/**
 * Pictures of the status page from a real run on the lab, with what it weighs and how soon it is painted:
 * `node --import tsx test/browser/pictures.ts`. It parks an upgrade, looks at it, and goes on with it through the page.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { startLab, type Lab } from '../../infra/lab/lab.ts';
import { labSecrets } from '../../infra/plays/play.ts';
import { startPlatform } from '../../infra/start/platform.ts';
import { startService } from '../../infra/start/service.ts';
import { logThrough } from '../../workers/orchestrator/worker.ts';
import { findChromium, launch } from './browser.ts';
import { squeeze } from './png.ts';

const FOLDER = fileURLToPath(new URL('../../api/page/pictures/', import.meta.url));
const BYTES_MAX = 120_000;
const TICKET = 'CHG0001234';
const DESKTOP = { viewport: { width: 1280, height: 800 }, colorScheme: 'light' } as const;
const PHONE = { viewport: { width: 390, height: 844 }, colorScheme: 'dark', isMobile: true, hasTouch: true } as const;
/** Impatient, so that the step parks soon. */
const TIMING = { firstRetryMs: 500, maxRetryMs: 1000, stepPatienceMs: 4000, heartbeatMs: 5000 };

const say = (line: string) => void process.stdout.write(`${line}\n`);

async function start(url: string, body: object): Promise<void> {
  const answer = await fetch(`${url}/operations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-requested-by': 'webhook:servicedesk' },
    body: JSON.stringify(body),
  });
  if (answer.status !== 202) throw new Error(await answer.text());
}

async function picture(page: Page, name: string): Promise<void> {
  const file = join(FOLDER, name);
  const png = squeeze(await page.screenshot());
  writeFileSync(file, png);
  const size = png.length;
  say(`${name}: ${size} bytes`);
  if (size > BYTES_MAX) throw new Error(`${name} has more than ${BYTES_MAX} bytes`);
}

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

async function on(browser: Browser, options: BrowserContextOptions, use: (page: Page) => Promise<void>): Promise<void> {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  await use(page);
  await context.close();
}

async function shoot(browser: Browser, url: string, lab: Lab): Promise<void> {
  const cluster = `${url}/ui/clusters/${lab.fixture.cluster.name}`;
  await start(url, { operation: 'backup', cluster: lab.fixture.cluster.name, key: 'nightly-2026-11-21' });
  await on(browser, DESKTOP, async (page) => {
    await page.goto(cluster);
    await measure('the first page of all', page);
    await page.reload();
    await measure('loaded again', page);
    await page.locator('.rows').getByText('Backup nightly').waitFor();
    await lab.inject({ kind: 'data-center-status', status: 'not_operational' });
    const { vmConf } = lab.fixture;
    await start(url, { operation: 'upgrade', cluster: lab.fixture.cluster.name, key: TICKET, ticket: TICKET, vmConf });
    await page.locator('#operations').getByText('parked: waits for a person').waitFor();
    await page.locator('#status').getByText(TICKET).waitFor();
    await picture(page, 'cluster.png');
    await on(browser, PHONE, async (phone) => {
      await phone.goto(cluster);
      await picture(phone, 'phone.png');
    });
    await page.getByRole('link', { name: `Upgrade ${TICKET}` }).click();
    await page.getByText('What to do:').waitFor();
    await picture(page, 'parked.png');
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

async function main(): Promise<void> {
  const executable = findChromium();
  if (executable === undefined) throw new Error('no chromium: set CHROMIUM_PATH');
  mkdirSync(FOLDER, { recursive: true });
  const dir = mkdtempSync(join(tmpdir(), 'bellwether-pictures-'));
  const logger = pino({ level: 'warn' }, pino.destination(join(dir, 'bellwether.log')));
  logThrough(logger);
  const platform = await startPlatform({ dir, env: process.env, say });
  const lab = await startLab({ dir: join(dir, 'lab'), speed: 5 });
  const service = await startService({
    platform,
    worker: {
      clusters: [{ name: lab.fixture.cluster.name, engine: lab.ready.engine, hosts: lab.ready.hosts }],
      bucket: 'bellwether-pictures',
      taskQueue: 'bellwether',
      logLevel: 'warn',
      tickets: undefined,
      timing: TIMING,
      secretsDir: labSecrets(lab, dir, readFileSync(lab.ready.engine.passwordFile, 'utf8').trim()),
    },
    door: { host: '127.0.0.1', port: 0, sources: [], apiTokenFile: undefined },
    logger,
  });
  const browser = await launch(executable);
  try {
    await shoot(browser, service.url, lab);
  } finally {
    await browser.close();
    const started = Date.now();
    await service.stop();
    say(`front door and worker stopped in ${Date.now() - started} ms`);
    await lab.close();
    await platform.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

await main();
